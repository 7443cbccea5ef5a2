import { array, assert, boolean, constantFrom, integer, option, property, record, tuple, uniqueArray } from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calendarPeriod } from '../../../src/pipeline/retain/period.ts';
import { decide } from '../../../src/pipeline/retain/policy.ts';
import type { RetainedPoint, RetentionRules } from '../../../src/pipeline/retain/policy.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.parse('2026-03-14T12:30:00.000Z');

const at = (time: string, more: Partial<RetainedPoint> = {}): RetainedPoint => ({
  id: time,
  committedAt: Date.parse(time),
  complete: true,
  safe: true,
  ...more,
});
const kept = (points: readonly RetainedPoint[], rules: RetentionRules, now = NOW): string[] =>
  decide(points, [rules], now).filter(({ reasons }) => reasons.length > 0).map(({ point }) => point.id);
/** Every six hours, for so many days before now. */
const every6h = (days: number): RetainedPoint[] =>
  Array.from({ length: days * 4 }, (_, i) => at(new Date(NOW - i * 6 * HOUR).toISOString())).toReversed();

const rulesOf = record(
  Object.fromEntries(['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'].map((rule) => [rule, integer({ min: 1, max: 8 })])),
  { requiredKeys: [] },
);
const anyRules: Arbitrary<RetentionRules> = tuple(rulesOf, option(integer({ min: 0, max: 400 * DAY }), { nil: undefined }))
  .map(([rules, within]) => ({ ...rules, within }));
const anyPoints = uniqueArray(
    record({
      committedAt: integer({ min: NOW - 1000 * DAY, max: NOW }),
      complete: boolean(),
      safe: boolean(),
    }),
    { selector: ({ committedAt }) => committedAt, maxLength: 60 },
  )
  .map((points) => points.map((point) => ({ ...point, id: String(point.committedAt) })));
const isKept = (points: readonly RetainedPoint[], rules: RetentionRules): Set<string> => new Set(kept(points, rules));

/** The newest complete point of each period, or of one that has no complete point the newest of it, as somebody would find it with a calendar: period by period, and in no hurry. */
function keptByHand(points: readonly RetainedPoint[], policies: readonly RetentionRules[]): Set<string> {
  const result = new Set<string>();
  const newest = (some: readonly RetainedPoint[]): RetainedPoint | undefined => some.reduce<RetainedPoint | undefined>((best, one) => (best === undefined || one.committedAt > best.committedAt ? one : best), undefined);
  const add = (point: RetainedPoint | undefined): void => void (point !== undefined && result.add(point.id));
  const complete = points.filter((one) => one.complete);
  add(newest(complete) ?? newest(points));
  add(newest(complete.filter((one) => one.safe)));
  for (const rules of policies) {
    for (const point of points) if (rules.within !== undefined && point.committedAt >= NOW - rules.within) add(point);
    for (const [which, count] of [['last', rules.last], ['hourly', rules.hourly], ['daily', rules.daily], ['weekly', rules.weekly], ['monthly', rules.monthly], ['yearly', rules.yearly]] as const) {
      const periodOf = (point: RetainedPoint): string => (which === 'last' ? point.id : periodByHand(point.committedAt, which));
      // Complete points are counted by themselves; others fill periods that are left among the newest of all.
      for (const [some, mayKeep] of [[complete, () => true], [points, (period: string) => complete.every((one) => periodOf(one) !== period)]] as const) {
        const latest = new Map<string, number>();
        for (const point of some) latest.set(periodOf(point), Math.max(point.committedAt, latest.get(periodOf(point)) ?? 0));
        const periods = [...latest].toSorted(([, a], [, b]) => b - a).slice(0, count ?? 0);
        for (const [period] of periods) if (mayKeep(period)) add(newest(some.filter((one) => periodOf(one) === period)));
      }
    }
  }
  return result;
}

/** Names a period by counting: of days since 1970, of which the first was a Thursday; months and years as the calendar has them. */
function periodByHand(time: number, which: 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly'): string {
  const date = new Date(time);
  if (which === 'hourly') return String(Math.floor(time / HOUR));
  if (which === 'daily') return String(Math.floor(time / DAY));
  if (which === 'weekly') return String(Math.floor((Math.floor(time / DAY) + 3) / 7));
  return which === 'monthly' ? `${date.getUTCFullYear()} ${date.getUTCMonth()}` : String(date.getUTCFullYear());
}

describe('what a policy keeps', () => {
  it('is what somebody would find with a calendar', () => {
    assert(
      property(anyPoints, array(anyRules, { minLength: 1, maxLength: 3 }), (points, policies) => {
        const decided = decide(points, policies, NOW).flatMap(({ point, reasons }) => (reasons.length > 0 ? [point.id] : []));
        expect(new Set(decided)).toEqual(keptByHand(points, policies));
      }),
      { numRuns: 1000 },
    );
  });

  it('is everything without a policy', () => {
    const points = every6h(3);
    for (const policies of [[], [undefined], [{ last: 1 }, undefined]])
      expect(decide(points, policies, NOW).every(({ reasons }) => reasons.includes('everything'))).toBe(true);
  });

  it('is the newest point of each hour, day, week, month and year, in UTC', () => {
    const points = [
      at('2024-12-31T23:59:59.999Z'),
      at('2025-12-31T23:00:00.000Z'),
      at('2026-02-28T23:00:00.000Z'),
      at('2026-03-01T23:59:00.000Z'),
      at('2026-03-02T00:00:00.000Z'),
      at('2026-03-08T23:59:59.999Z'),
      at('2026-03-09T00:00:00.000Z'),
      at('2026-03-14T10:05:00.000Z'),
      at('2026-03-14T11:05:00.000Z'),
      at('2026-03-14T11:55:00.000Z'),
    ];
    expect(kept(points, { hourly: 2 })).toEqual(['2026-03-14T10:05:00.000Z', '2026-03-14T11:55:00.000Z']);
    expect(kept(points, { daily: 3 })).toEqual(['2026-03-08T23:59:59.999Z', '2026-03-09T00:00:00.000Z', '2026-03-14T11:55:00.000Z']);
    expect(kept(points, { weekly: 3 })).toEqual(['2026-03-01T23:59:00.000Z', '2026-03-08T23:59:59.999Z', '2026-03-14T11:55:00.000Z']);
    expect(kept(points, { monthly: 3 })).toEqual(['2025-12-31T23:00:00.000Z', '2026-02-28T23:00:00.000Z', '2026-03-14T11:55:00.000Z']);
    expect(kept(points, { yearly: 9 })).toEqual(['2024-12-31T23:59:59.999Z', '2025-12-31T23:00:00.000Z', '2026-03-14T11:55:00.000Z']);
    expect(kept(points, { last: 1 })).toEqual(['2026-03-14T11:55:00.000Z']);
  });

  it('counts periods that have points, so that a pause in the backups costs nothing', () => {
    expect(kept([at('2020-01-01T00:00:00.000Z'), at('2023-01-01T00:00:00.000Z'), at('2026-01-01T00:00:00.000Z')], { daily: 3 })).toHaveLength(3);
  });

  it('says why each point stays', () => {
    const decisions = decide(every6h(2), [{ last: 2, daily: 2, within: 13 * HOUR }], NOW);
    expect(decisions.map(({ reasons }) => reasons.toSorted().join())).toEqual([
      '', '', '', '', 'daily', 'within', 'last,within', 'daily,last,newest,within',
    ]);
  });

  it('is what any of several policies keeps', () => {
    const points = every6h(5);
    const both = decide(points, [{ last: 2 }, { daily: 4 }], NOW).filter(({ reasons }) => reasons.length > 0);
    expect(both.map(({ point }) => point.id)).toEqual([...new Set([...kept(points, { daily: 4 }), ...kept(points, { last: 2 })])].toSorted());
  });

  it('does not let an incomplete point take a complete one’s place', () => {
    const whole = at('2026-03-14T08:00:00.000Z');
    const partly = at('2026-03-14T10:00:00.000Z', { complete: false });
    const yesterday = at('2026-03-13T08:00:00.000Z', { complete: false });
    expect(kept([whole, partly], { daily: 1 })).toEqual([whole.id]);
    expect(kept([yesterday, whole, partly], { daily: 2 })).toEqual([yesterday.id, whole.id]);
    expect(kept([whole, partly], { last: 1 })).toEqual([whole.id, partly.id]);
  });

  it('does not count points from the future, and keeps them', () => {
    const points = [...every6h(4), at('2027-01-01T00:00:00.000Z'), at('2028-01-01T00:00:00.000Z')];
    expect(kept(points, { daily: 2 })).toEqual([...kept(every6h(4), { daily: 2 }), '2027-01-01T00:00:00.000Z', '2028-01-01T00:00:00.000Z']);
  });

  it('always has the newest complete point in it, and the newest that is safe as well', () => {
    assert(
      property(anyPoints, anyRules, (points, rules) => {
        const remaining = isKept(points, rules);
        const newest = points.toSorted((a, b) => b.committedAt - a.committedAt);
        const must = [newest.find((one) => one.complete) ?? newest[0], newest.find((one) => one.complete && one.safe)];
        expect([...remaining]).toEqual(expect.arrayContaining(must.flatMap((point) => point?.id ?? [])));
      }),
    );
  });

  it('is decided the same again: what was kept stays, when nothing is added', () => {
    assert(
      property(anyPoints, anyRules, (points, rules) => {
        const once = isKept(points, rules);
        expect(isKept(points.filter((point) => once.has(point.id)), rules)).toEqual(once);
      }),
    );
  });

  it('does not depend on the order, and grows with every rule', () => {
    assert(
      property(anyPoints, anyRules, anyRules, (points, rules, others) => {
        const together = new Set(decide(points, [rules, others], NOW).flatMap(({ point, reasons }) => (reasons.length > 0 ? [point.id] : [])));
        expect(isKept(points.toReversed(), rules)).toEqual(isKept(points, rules));
        for (const one of [rules, others]) for (const id of isKept(points, one)) expect(together.has(id)).toBe(true);
      }),
    );
  });

  it('has a complete point of as many periods as the rule says, if there are as many, and of the newest', () => {
    assert(
      property(anyPoints, constantFrom('hourly', 'daily', 'weekly', 'monthly', 'yearly'), integer({ min: 1, max: 6 }), (points, rule, count) => {
        const remaining = isKept(points, { [rule]: count });
        const periodsOf = (some: readonly RetainedPoint[]): string[] => [...new Set(some.map((point) => calendarPeriod(point.committedAt, rule)))].toSorted().slice(-count);
        const complete = points.filter((point) => point.complete);
        expect(periodsOf(complete.filter((point) => remaining.has(point.id)))).toEqual(periodsOf(complete));
      }),
    );
  });

  it('removes nothing more because incomplete points are there', () => {
    assert(
      property(anyPoints, anyRules, (points, rules) => {
        const remaining = isKept(points, rules);
        for (const id of isKept(points.filter((point) => point.complete), rules)) expect(remaining.has(id)).toBe(true);
      }),
    );
  });
});
