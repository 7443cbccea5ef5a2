import { DRILL_REPORTS } from '../drill/report.ts';
import { publicKeysIn, readKeptReports } from '../repository/index.ts';
import type { Vault } from '../vault/vault.ts';
import type { LastDrill } from './plan-state.ts';

/** Reports that are looked at first, newest first; four times as many each time that a plan is not among them, up to the most. */
const FIRST = 64;
const MOST = 4096;

/**
 * The last drills of plans, by the genuine reports in the vaults. Needs no key. Looks back until each of `wanted` was found, or there are
 * no more; gives those of all plans that it came by.
 */
export async function lastDrillsOf(wanted: readonly string[], vaults: readonly Vault[]): Promise<ReadonlyMap<string, LastDrill>> {
  const access = await publicKeysIn(vaults, {});
  for (let limit = FIRST; ; limit *= 4) {
    const { reports } = await readKeptReports(DRILL_REPORTS, vaults, access, { limit });
    const found = new Map<string, LastDrill>();
    for (const { report } of reports) {
      if (!found.has(report.plan)) found.set(report.plan, { at: report.at, ok: report.ok, ...(report.rto.seconds !== undefined && { rtoSeconds: report.rto.seconds }) });
    }
    if (reports.length < limit || limit >= MOST || wanted.every((plan) => found.has(plan))) return found;
  }
}
