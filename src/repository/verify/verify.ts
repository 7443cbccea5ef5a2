import { systemClock } from '../../core/clock.ts';
import { heal, requireCertainty } from '../heal/heal.ts';
import type { HealMode } from '../heal/heal.ts';
import { indexKey, packKey, pointKey } from '../layout.ts';
import type { Repair, VerifyReport } from '../api.ts';
import { checkData } from './data.ts';
import type { DataRead } from './data.ts';
import { examine } from './examine.ts';
import type { Examination, ExamineOptions } from './examine.ts';
import { remember, timesOf } from './remember.ts';
import type { VerifiedTimes } from './remember.ts';
import type { VaultCheck } from './vault-check.ts';

/** What verifying takes. */
export interface VerifyOptions extends ExamineOptions {
  /** With the read key and depth `data`: leave a report in each vault, so that the next verification knows what was read. */
  readonly remember?: boolean;
  /** Repair in one vault what another has intact, or only say what could be. */
  readonly heal?: HealMode;
  /** How long what healing puts into a vault is locked there, ms, by the vault's name; only where it locks. */
  readonly locks?: ReadonlyMap<string, number>;
}

/**
 * Examines every vault and reports what is lost, damaged or forged, and which points that touches; never throws for
 * what it finds. With `heal` it also repairs. Throws what a vault throws when none can be listed, `LB_REPO_MISSING` when
 * none holds a repository, `LB_REPO_NEWER_FORMAT` when this lifeboat is too old to judge, and `LB_KEY_MISSING` when `heal`
 * is asked for and nothing says which vaults tell the truth.
 */
export async function verify(options: VerifyOptions): Promise<VerifyReport> {
  const { keys, signal, clock = systemClock } = options;
  const startedAt = clock.now();
  const examination = await examine(options, startedAt);
  if (options.heal !== undefined) requireCertainty(examination);
  const data = options.depth === 'data' ? await checkData(options, examination, startedAt, clock) : undefined;
  signal?.throwIfAborted();
  const verified =
    options.remember === true && keys !== undefined && data !== undefined
      ? await remember(examination, keys, { startedAt, endedAt: clock.now() }, options)
      : new Map(examination.checks.map((check) => [check, timesOf(examination.reports.get(check))]));
  const repairs = options.heal && (await heal(examination, options.heal, options));
  const depth = options.depth === 'structure' ? 'structure' : keys === undefined ? 'data' : 'data-opened';
  return report(examination, { depth, data, verified, repairs });
}

function report(
  { checks, known, removed, findings }: Examination,
  outcome: {
    readonly depth: VerifyReport['depth'];
    readonly data: DataRead | undefined;
    readonly verified: ReadonlyMap<VaultCheck, VerifiedTimes>;
    readonly repairs: readonly Repair[] | undefined;
  },
): VerifyReport {
  const all = findings.all();
  const needed = new Set<string>();
  for (const point of known.values()) {
    for (const pack of point.packs) needed.add(packKey(pack.id));
    for (const id of point.indexes) needed.add(indexKey(id));
  }
  const present = new Set(checks.flatMap((check) => [...check.packs().map(packKey), ...check.indexes().map(indexKey)]));
  return {
    vaults: checks.map((check) => {
      const touched = new Set(
        all.filter((finding) => finding.vault === check.name).flatMap((finding) => finding.points),
      );
      const { last, full } = outcome.verified.get(check) ?? {};
      return {
        name: check.name,
        objects: check.sizes.size,
        bytesRead: check.bytesRead,
        points: check.pointNames().filter(({ site, id }) => !removed.has(pointKey(site, id))).length,
        intactPoints: [...check.points.values()].filter((point) => !touched.has(point.header.id)).length,
        ...(last !== undefined && { lastVerified: last }),
        ...(full !== undefined && { fullyVerified: full }),
      };
    }),
    findings: all,
    unreferenced: [...present].filter((key) => !needed.has(key)).length,
    depth: outcome.depth,
    ...(outcome.data && { data: outcome.data }),
    ...(outcome.repairs && { repairs: outcome.repairs }),
  };
}
