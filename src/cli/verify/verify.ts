import { EXIT } from '../../core/error-codes.ts';
import { LifeboatError } from '../../core/errors.ts';
import type { BudgetOptions } from '../../repository/verify/budget.ts';
import { belongsIn, locksOf } from '../../jobs/belongs.ts';
import type { Context } from '../context.ts';
import { loadOpenersIfAny, loadWriteKeyIfAny } from '../../access/key-files.ts';
import { unlockWith, withVaults } from '../../access/repository.ts';
import type { ReadKeyOptions, VaultOptions } from '../../access/options.ts';
import { isAddress } from '../../access/vaults.ts';
import { isAbout, reportText } from './report-text.ts';

export interface VerifyOptions extends VaultOptions, ReadKeyOptions {
  readonly data?: boolean;
  /** Bytes. */
  readonly budget?: number;
  /** Above 0, at most 1. */
  readonly sample?: number;
  /** Milliseconds. */
  readonly for?: number;
  readonly heal?: boolean;
  readonly dryRun?: boolean;
}

/** `lifeboat verify`: what is lost, damaged or forged, and healing it. Exit 4 when something is, or remains. */
export async function verify(context: Context, options: VerifyOptions): Promise<number> {
  const { output, signal } = context;
  const dryRun = options.dryRun === true;
  if (dryRun && options.heal !== true) {
    throw new LifeboatError('LB_USAGE', '--dry-run is for --heal: verify itself changes nothing', { hint: 'Say `lifeboat verify --heal --dry-run`.' });
  }
  const budget = budgetOf(options);
  return withVaults(context, options, async (vaults, configs) => {
    const { verify: examine } = await import('../../repository/index.ts');
    const openers = await loadOpenersIfAny(context, options, 'read');
    const keys = openers.length === 0 ? undefined : await unlockWith(context, vaults, openers, 'read');
    const trusted = keys === undefined && options.heal === true ? await loadWriteKeyIfAny(context) : undefined;
    const config = options.vault?.every(isAddress) === true ? undefined : await context.configIfAny();
    const startedAt = performance.now();
    const report = await examine({
      vaults,
      ...(keys !== undefined && { keys }),
      ...(trusted !== undefined && { trusted }),
      depth: options.data === true || budget !== undefined ? 'data' : 'structure',
      ...(budget !== undefined && { budget }),
      remember: true,
      ...(config !== undefined && { belongs: belongsIn(config) }),
      ...(options.heal === true && { heal: dryRun ? 'dry-run' : 'heal', locks: locksOf(config) }),
      onProgress: output.progress.report,
      onWarning: output.warn,
      signal,
    });
    const seconds = (performance.now() - startedAt) / 1000;
    // A vault that could not be opened is one that nothing can be restored from.
    const unopened = configs.map((config) => config.name).filter((name) => !vaults.some((vault) => vault.name === name));
    const healed = (report.repairs ?? []).filter(({ outcome }) => outcome === 'healed');
    const remaining = report.findings.filter((finding) => !healed.some((repair) => isAbout(repair, finding)));
    const ok = remaining.length === 0 && unopened.length === 0;
    await output.result({ ok, ...report, unopened, seconds }, () =>
      reportText({ report, unopened, seconds, remaining, dryRun }, output.style, Date.now()),
    );
    return ok ? EXIT.ok : EXIT.findings;
  });
}

function budgetOf({ budget, sample, for: ms }: VerifyOptions): BudgetOptions | undefined {
  if (budget === undefined && sample === undefined && ms === undefined) return undefined;
  return {
    ...(budget !== undefined && { bytes: budget }),
    ...(sample !== undefined && { share: sample }),
    ...(ms !== undefined && { ms }),
  };
}
