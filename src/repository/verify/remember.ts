import type { ReadKey } from '../../keys/index.ts';
import { indexKey, packKey, pointKey } from '../layout.ts';
import { Coverage } from './coverage.ts';
import type { Examination, ExamineOptions } from './examine.ts';
import { headsOf } from './references.ts';
import { storeReport } from './reports.ts';
import type { VaultReports, VerificationRun } from './reports.ts';
import type { VaultCheck } from './vault-check.ts';

/** When a vault was verified. ISO 8601, UTC; absent: never. */
export interface VerifiedTimes {
  /** The last verification that read data, a part of them or all. */
  readonly last?: string | undefined;
  /** Everything that points needed at this time was read, and was intact, since. */
  readonly full?: string | undefined;
  /** What the last one did. */
  readonly lastRun?: VerificationRun | undefined;
}

/**
 * Leaves in each vault a signed report of what was read in it, this time and earlier. Gives what the reports say then; a
 * vault that did not take its report is warned of.
 */
export async function remember(
  examination: Examination,
  keys: ReadKey,
  times: { readonly startedAt: number; readonly endedAt: number },
  { signal, onWarning }: ExamineOptions,
): Promise<ReadonlyMap<VaultCheck, VerifiedTimes>> {
  const { checks, findings, reports } = examination;
  const seconds = Math.floor(times.startedAt / 1000);
  const at = new Date(times.endedAt).toISOString();
  const told = new Map<VaultCheck, VerifiedTimes>();
  const found = findings.all();
  await Promise.all(
    checks.map(async (check) => {
      const before = reports.get(check);
      const coverage = before?.coverage.only(check.sizes.keys()) ?? new Coverage();
      for (const key of check.intact) coverage.add(key, seconds);
      const own = found.filter((finding) => finding.vault === check.name);
      for (const { object } of own) coverage.forget(object);
      const full = fullSince(check, coverage);
      const stored = await storeReport(
        {
          vault: check.name,
          startedAt: new Date(times.startedAt).toISOString(),
          at,
          full: later(full, before?.full),
          read: { objects: check.intact.size, bytes: check.bytesRead },
          findings: own.length,
          includes: before?.names ?? [],
          coverage,
        },
        check.vault,
        keys,
        { signal, onWarning },
      );
      if (stored) told.set(check, { last: at, full: later(full, before?.full) });
      else told.set(check, timesOf(before));
    }),
  );
  return told;
}

export function timesOf(reports: VaultReports | undefined): VerifiedTimes {
  return { last: reports?.last, full: reports?.full, lastRun: reports?.lastRun };
}

/**
 * The latest time of which holds: what points needed then was read since. What was never read holds it back to before
 * the first point that needs it was begun. `undefined` when nothing that is still there is as old.
 */
function fullSince(check: VaultCheck, coverage: Coverage): string | undefined {
  const points = [...check.points.values()];
  const heads = new Set(headsOf(points));
  const births = new Map<string, number>();
  let oldest = Number.POSITIVE_INFINITY;
  for (const point of points) {
    const { site, id, startedAt, committedAt } = point.header;
    const born = Math.floor(Date.parse(startedAt) / 1000);
    oldest = Math.min(oldest, Math.floor(Date.parse(committedAt) / 1000));
    const needed = [pointKey(site, id), ...point.packs.map((pack) => packKey(pack.id)), ...(heads.has(point) ? point.indexes.map(indexKey) : [])];
    for (const key of needed) births.set(key, Math.min(births.get(key) ?? Number.POSITIVE_INFINITY, born));
  }
  let since = Number.POSITIVE_INFINITY;
  for (const [key, born] of births) since = Math.min(since, coverage.lastRead(key) ?? born - 1);
  return Number.isFinite(since) && since >= oldest ? new Date(since * 1000).toISOString() : undefined;
}

function later(a: string | undefined, b: string | undefined): string | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a;
}
