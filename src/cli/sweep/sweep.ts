import { formatDuration, parseDuration } from '../../core/duration.ts';
import { EXIT } from '../../core/error-codes.ts';
import { LifeboatError } from '../../core/errors.ts';
import type { SweepReport } from '../../repository/index.ts';
import type { ReadKeyOptions } from '../../access/options.ts';
import type { Context } from '../context.ts';
import { unlockVaults, withVaults } from '../../access/repository.ts';
import { formatBytes, formatCount, formatTable, plural } from '../text.ts';

export interface SweepCommandOptions extends ReadKeyOptions {
  readonly dryRun?: boolean;
  readonly grace: string;
  readonly despiteLost?: boolean;
}

/** `lifeboat sweep`. Exit 3 when something could not be deleted. */
export async function sweepVaults(context: Context, options: SweepCommandOptions): Promise<number> {
  const { output, signal } = context;
  const dryRun = options.dryRun === true;
  return withVaults(context, {}, async (vaults, configs) => {
    const away = configs.filter(({ name }) => !vaults.some((vault) => vault.name === name)).map(({ name }) => name);
    if (away.length > 0) {
      throw new LifeboatError('LB_VAULT_UNAVAILABLE', `A sweep needs every vault: ${away.join(', ')} cannot be reached`, {
        hint: 'What other vaults hold may be needed by points there. Take a vault that is lost for good out of lifeboat.yaml.',
      });
    }
    const key = await unlockVaults(context, vaults, options, 'maintain');
    const { sweep } = await import('../../repository/index.ts');
    const report = await sweep({
      vaults,
      key,
      grace: parseDuration(options.grace) ?? 0,
      dryRun,
      despiteLost: options.despiteLost === true,
      signal,
      onProgress: output.progress.report,
      onWarning: output.warn,
    });
    const ok = report.vaults.every(({ failed }) => failed.length === 0);
    await output.result({ ok, dryRun, ...report }, () => textOf(report, dryRun));
    return ok ? EXIT.ok : EXIT.partial;
  });
}

function textOf({ vaults, marked, waiting, next }: SweepReport, dryRun: boolean): string {
  const table = formatTable(
    [{ title: 'vault' }, { title: dryRun ? 'would be deleted' : 'deleted', right: true }, { title: 'freed', right: true }, { title: 'locked', right: true }, { title: 'failed', right: true }],
    vaults.map((one) => [one.vault, formatCount(one.deleted), formatBytes(one.bytes), formatCount(one.locked), formatCount(one.failed.length)]),
  );
  const wait = next === undefined ? '' : `, the first of them in ${formatDuration(Math.max(0, Date.parse(next) - Date.now()))}`;
  return [
    table,
    '',
    `${plural(marked, 'object')} newly ${dryRun ? 'found' : 'marked'}; ${plural(waiting, 'object')} to be deleted later${wait}`,
    ...vaults.flatMap(({ vault, failed }) => failed.map(({ object, message }) => `failed  vault ${vault}, ${object}: ${message}`)),
  ].join('\n');
}
