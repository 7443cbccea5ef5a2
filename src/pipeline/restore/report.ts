import type { Warning } from '../../core/progress.ts';
import { typeName } from '../../site/types.ts';
import { allPhases, allWaves, withWritten } from './earlier.ts';
import type { Earlier } from './earlier.ts';
import { nameEntry } from './run.ts';
import type { Phase, RestoreRun, WaveTime } from './run.ts';
import { OUTCOMES } from './results.ts';
import type { Outcome } from './results.ts';
import type { VerifyResult } from './verify.ts';
import type { WorkloadsResult } from './workloads.ts';

/** An object that something is to be said about. */
export interface ReportedObject {
  /** `Deployment shop/web`. */
  readonly object: string;
  readonly outcome: Outcome;
  readonly reason: string;
}

/** What a restore did. */
export interface RestoreReport {
  /** True when every object that was to be restored is in the target and as the backup has it, and every workload that was waited for is ready. */
  readonly ok: boolean;
  readonly source: string;
  /** The moment that was restored: ISO 8601, UTC. */
  readonly at: string;
  readonly target: string;
  /** The digest of the plan that was carried out. */
  readonly plan: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly phases: readonly Phase[];
  /** The parts of `apply`, in their order. What was refused to the end is tried again after them. */
  readonly waves: readonly WaveTime[];
  /** All phases together: the recovery time of this restore. */
  readonly seconds: number;
  readonly objects: Readonly<Record<Outcome, number>>;
  /** Only types with objects, in the order of their names. */
  readonly types: readonly { readonly type: string; readonly objects: Readonly<Partial<Record<Outcome, number>>> }[];
  /** Dropped objects by rule; docs/restore.md explains each. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Every object that failed, conflicts or is unsupported. */
  readonly failures: readonly ReportedObject[];
  /** Every object that was there, differs from the backup, and was left as it is. */
  readonly kept: readonly ReportedObject[];
  readonly warnings: readonly Warning[];
  readonly verify?: VerifyResult;
  readonly workloads?: WorkloadsResult;
}

const BAD: ReadonlySet<Outcome> = new Set<Outcome>(['failed', 'conflict', 'unsupported']);

/** Puts the report of a restore together. */
export function makeReport(
  run: RestoreRun,
  parts: {
    readonly startedAt: number;
    readonly finishedAt: number;
    readonly phases: readonly Phase[];
    readonly verify?: VerifyResult | undefined;
    readonly workloads?: WorkloadsResult | undefined;
    /** The steps before. */
    readonly earlier?: Earlier | undefined;
  },
): RestoreReport {
  const counted = new Map<string, Partial<Record<Outcome, number>>>();
  const dropped: Record<string, number> = {};
  const failures: ReportedObject[] = [];
  const kept: ReportedObject[] = [];
  for (const [place, entry] of run.plan.entries.entries()) {
    const outcome = run.results.outcome(place) ?? 'failed';
    const type = run.typeOf(entry);
    const ofType = counted.get(typeName(type)) ?? {};
    counted.set(typeName(type), ofType);
    ofType[outcome] = (ofType[outcome] ?? 0) + 1;
    if (outcome === 'dropped') for (const rule of entry.rules ?? []) dropped[rule] = (dropped[rule] ?? 0) + 1;
    if (BAD.has(outcome)) failures.push({ object: nameEntry(type, entry), outcome, reason: run.results.reason(place) ?? '' });
    if (outcome === 'kept') kept.push({ object: nameEntry(type, entry), outcome, reason: run.results.reason(place) ?? entry.reason ?? '' });
  }
  const { verify, workloads, earlier } = parts;
  const startedAt = earlier?.startedAt ?? parts.startedAt;
  const types = [...counted].map(([type, objects]) => ({ type, objects: withWritten(objects, earlier?.written[type]) }));
  return {
    ok: failures.length === 0 && (verify === undefined || (verify.different === 0 && verify.missing === 0)) && (workloads === undefined || workloads.notReadyCount === 0),
    source: run.plan.source.label,
    at: run.plan.source.at,
    target: run.target.name,
    plan: run.plan.digest,
    startedAt: new Date(startedAt).toISOString(),
    finishedAt: new Date(parts.finishedAt).toISOString(),
    phases: allPhases(earlier, parts.phases),
    waves: allWaves(earlier, run.waves),
    seconds: (parts.finishedAt - startedAt) / 1000,
    objects: total(types),
    types: types.toSorted((a, b) => (a.type < b.type ? -1 : 1)),
    dropped,
    failures,
    kept,
    warnings: [...run.plan.warnings, ...adjustments(run), ...volumes(dropped), ...run.warnings],
    ...(verify === undefined ? {} : { verify }),
    ...(workloads === undefined ? {} : { workloads }),
  };
}

function total(types: readonly { readonly objects: Partial<Record<Outcome, number>> }[]): Record<Outcome, number> {
  const sum = (outcome: Outcome): number => types.reduce((all, { objects }) => all + (objects[outcome] ?? 0), 0);
  return Object.fromEntries(OUTCOMES.map((outcome) => [outcome, sum(outcome)])) as Record<Outcome, number>;
}

function adjustments(run: RestoreRun): Warning[] {
  return [...run.adjusted].map(([place, message]) => ({ kind: 'changed-for-target', message, where: nameEntry(run.typeOf(run.entry(place)), run.entry(place)) }));
}

function volumes(dropped: Readonly<Record<string, number>>): Warning[] {
  const count = dropped['volume-provisioned'] ?? 0;
  if (count === 0) return [];
  return [{ kind: 'volumes-without-data', message: `${count} provisioned volume${count === 1 ? ' is' : 's are'} made anew and empty: the data of volumes is not part of cluster state`, where: 'volume-provisioned' }];
}
