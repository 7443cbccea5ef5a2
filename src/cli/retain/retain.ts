import { EXIT } from '../../core/error-codes.ts';
import type { RetainEntry } from '../../pipeline/retain/retain.ts';
import type { LockExtension } from '../../repository/index.ts';
import type { ReadKeyOptions } from '../../access/options.ts';
import type { Context } from '../context.ts';
import { unlockVaults, withVaults } from '../../access/repository.ts';
import { formatAge, formatTable, plural } from '../text.ts';
import { retentionOf } from '../../jobs/retention.ts';

export interface RetainCommandOptions extends ReadKeyOptions {
  readonly dryRun?: boolean;
}

/** `lifeboat retain`: removes what no plan keeps. Exit 3 when something could not be done. */
export async function retainPoints(context: Context, planName: string | undefined, options: RetainCommandOptions): Promise<number> {
  const { output, signal } = context;
  const config = await context.config();
  const plans = planName === undefined ? [...config.plans.values()] : [(await context.plan(planName)).plan];
  const dryRun = options.dryRun === true;
  // A removal must be known in every vault, also in those of other plans.
  return withVaults(context, {}, async (vaults, configs) => {
    const key = await unlockVaults(context, vaults, options, 'maintain');
    const { retain } = await import('../../pipeline/retain/retain.ts');
    const sites = retentionOf(config, plans.map((plan) => plan.site));
    const { points, locks } = await retain({ vaults, key, sites, dryRun, signal, onProgress: output.progress.report, onWarning: output.warn });
    const unopened = configs.map(({ name }) => name).filter((name) => !vaults.some((vault) => vault.name === name));
    const ok = unopened.length === 0 && points.every(isDone) && locks.every(({ failed }) => failed.length === 0);
    await output.result({ ok, dryRun, points, locks, unopened }, () => textOf(points, locks, dryRun));
    return ok ? EXIT.ok : EXIT.partial;
  });
}

function isDone({ fate, removal }: RetainEntry): boolean {
  return fate !== 'unreadable' && fate !== 'failed' && (removal?.failed ?? []).length === 0;
}

function textOf(points: readonly RetainEntry[], locks: readonly LockExtension[], dryRun: boolean): string {
  if (points.length === 0) return 'no recovery points yet';
  const rows = points.map((point) => [
    point.id,
    point.committedAt === undefined ? '' : formatAge(Date.now() - Date.parse(point.committedAt)),
    point.site,
    point.complete === undefined ? '' : point.complete ? 'yes' : 'partly',
    point.fate,
    whyOf(point),
  ]);
  const table = formatTable(
    [{ title: 'point' }, { title: 'age', right: true }, { title: 'site' }, { title: 'complete' }, { title: 'fate' }, { title: 'why' }],
    rows,
  );
  const going = points.filter(({ fate }) => fate === 'goes' || fate === 'removed').length;
  const summary = `${plural(points.length - going, 'point')} ${dryRun ? 'would stay' : 'kept'}, ${plural(going, 'point')} ${dryRun ? 'would be removed' : 'removed'}`;
  return [
    table,
    '',
    summary,
    ...(going > 0 && !dryRun ? ['`lifeboat sweep` frees the room that they took'] : []),
    ...locks.map(({ vault, objects, extended }) => `vault ${vault}: ${plural(objects, 'object')} locked, ${plural(extended, 'lock')} made longer`),
    ...locks.flatMap(({ vault, failed }) => failed.map(({ object, message }) => `failed  vault ${vault}, ${object}: ${message}`)),
  ].join('\n');
}

function whyOf({ fate, reasons, removal, problem }: RetainEntry): string {
  const failed = (removal?.failed ?? []).map(({ vault, message }) => `${vault}: ${message}`);
  if (fate === 'locked') return `no rule keeps it; locked until ${removal?.lockedUntil ?? ''}`;
  return [...reasons, ...(problem === undefined ? [] : [problem]), ...failed].join(', ') || 'no rule keeps it';
}
