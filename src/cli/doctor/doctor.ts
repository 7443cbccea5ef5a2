import { EXIT } from '../../core/error-codes.ts';
import type { Context } from '../context.ts';
import type { Output } from '../output.ts';
import { plural } from '../text.ts';
import type { Finding, Report } from './finding.ts';
import { checkKeys } from './keys.ts';
import { checkLocks } from './locks.ts';
import { checkPlacement } from './placement.ts';
import { checkSite } from './site.ts';
import { checkSlots } from './slots.ts';
import { checkVault } from './vault.ts';

/** `lifeboat doctor`: tries everything the plans need. Exit 4 when something would make a backup or a restore fail. */
export async function doctor(context: Context, planName: string | undefined): Promise<number> {
  const { output, signal } = context;
  const config = await context.config();
  const plans = planName === undefined ? [...config.plans] : [[planName, (await context.plan(planName)).plan] as const];
  const findings: Finding[] = [];
  const report: Report = (finding) => {
    findings.push(finding);
    if (!output.options.quiet || finding.status !== 'ok') output.lineNow(findingText(finding, output));
  };
  report({ subject: config.file, check: 'configuration', status: 'ok', message: `${plural(plans.length, 'plan')}: ${plans.map(([name]) => name).join(', ')}` });
  if (plans.length === 0) report({ subject: config.file, check: 'configuration', status: 'warn', message: 'there is no plan, so nothing is protected', fix: 'Add one under `plans:`.' });
  for (const [name, plan] of plans) {
    checkPlacement(config, name, plan, report);
    checkLocks(config, name, plan, report);
  }
  for (const [, plan] of plans) {
    signal.throwIfAborted();
    await checkSite(context, plan.site, plan, report);
  }
  const keys = await checkKeys(context, config, report);
  for (const [name, plan] of plans) await checkSlots(context, config, name, plan, report);
  const vaultNames = new Set(plans.flatMap(([, plan]) => plan.vaults));
  for (const vault of config.vaults.values()) {
    signal.throwIfAborted();
    if (vaultNames.has(vault.name)) await checkVault(context, vault, keys, report);
  }

  const failed = findings.filter((one) => one.status === 'fail').length;
  const warned = findings.filter((one) => one.status === 'warn').length;
  const ok = failed === 0;
  await output.result({ ok, findings }, () => `${plural(findings.length, 'check')}: ${plural(failed, 'failure')}, ${plural(warned, 'warning')}`);
  return ok ? EXIT.ok : EXIT.findings;
}

function findingText({ subject, status, message, fix }: Finding, { style }: Output): string {
  const mark = { ok: style.green('ok  '), warn: style.yellow('warn'), fail: style.red('fail') }[status];
  return `${mark}  ${subject}: ${message}${fix === undefined ? '' : `\n      ${style.bold('fix:')} ${fix}`}`;
}
