import { calendarPeriod } from './period.ts';
import type { Period } from './period.ts';

/** Which points of a site are kept: those that any of the rules keeps. Counts are of periods that have a point. */
export interface RetentionRules {
  readonly last?: number | undefined;
  readonly hourly?: number | undefined;
  readonly daily?: number | undefined;
  readonly weekly?: number | undefined;
  readonly monthly?: number | undefined;
  readonly yearly?: number | undefined;
  /** Milliseconds. */
  readonly within?: number | undefined;
}

/** What the rules look at. */
export interface RetainedPoint {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly committedAt: number;
  /** Whether everything that was selected could be read. */
  readonly complete: boolean;
  /** Whether as many vaults hold it as the plan asks for. */
  readonly safe: boolean;
}

export type CountingRule = 'last' | Period;

/** Why a point stays. `newest`: without it there would be nothing to restore. `ahead`: its clock cannot be believed. */
export type KeepReason = CountingRule | 'within' | 'newest' | 'ahead' | 'everything';

/** A point's fate: it goes when there is no reason to keep it. */
export interface Decision<P extends RetainedPoint> {
  readonly point: P;
  readonly reasons: readonly KeepReason[];
}

const COUNTING = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const satisfies readonly CountingRule[];

/** Clocks may differ by so much. */
const TOLERANCE = 60 * 60 * 1000;

/**
 * What to keep of one site's points, oldest first. A point is kept if any rule of any policy keeps it; where there is no
 * policy, or one of them is `undefined`, all are.
 *
 * An incomplete point takes no complete one's place: rules count the complete points by themselves, and keep an
 * incomplete one only for a period that has no other. The newest complete point stays whatever the rules say, so does the
 * newest that is safe as well, and the newest of all where none is complete. A point from the future (of a wrong clock,
 * or made to push out the others) stays and is not counted.
 */
export function decide<P extends RetainedPoint>(
  points: readonly P[],
  policies: readonly (RetentionRules | undefined)[],
  now: number,
): Decision<P>[] {
  const newestFirst = points.toSorted((a, b) => b.committedAt - a.committedAt || (a.id < b.id ? 1 : -1));
  const reasons = new Map<P, Set<KeepReason>>(newestFirst.map((point) => [point, new Set()]));
  const keep = (point: P | undefined, reason: KeepReason): void => {
    if (point !== undefined) reasons.get(point)?.add(reason);
  };
  if (policies.length === 0 || policies.includes(undefined)) for (const point of newestFirst) keep(point, 'everything');
  const counted = newestFirst.filter((point) => point.committedAt <= now + TOLERANCE);
  for (const point of newestFirst) if (!counted.includes(point)) keep(point, 'ahead');
  const complete = counted.filter((point) => point.complete);
  keep(complete[0] ?? counted[0], 'newest');
  keep(complete.find((point) => point.safe), 'newest');
  for (const rules of policies) {
    if (rules === undefined) continue;
    for (const rule of COUNTING) {
      const count = rules[rule] ?? 0;
      for (const point of newestOfPeriods(complete, rule, count)) keep(point, rule);
      const having = new Set(complete.map((point) => periodOf(point, rule)));
      for (const point of newestOfPeriods(counted, rule, count)) if (!having.has(periodOf(point, rule))) keep(point, rule);
    }
    const { within } = rules;
    if (within !== undefined) for (const point of counted) if (now - point.committedAt <= within) keep(point, 'within');
  }
  return newestFirst.toReversed().map((point) => ({ point, reasons: [...(reasons.get(point) ?? [])] }));
}

/** The newest point of each of the newest `count` periods. */
function newestOfPeriods<P extends RetainedPoint>(newestFirst: readonly P[], rule: CountingRule, count: number): P[] {
  const found = new Map<string, P>();
  for (const point of newestFirst) {
    const period = periodOf(point, rule);
    if (found.has(period)) continue;
    if (found.size >= count) break;
    found.set(period, point);
  }
  return [...found.values()];
}

/** For `last`, every point is a period of its own. */
function periodOf(point: RetainedPoint, rule: CountingRule): string {
  return rule === 'last' ? point.id : calendarPeriod(point.committedAt, rule);
}
