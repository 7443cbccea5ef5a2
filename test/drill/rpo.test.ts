import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { measureRpo } from '../../src/drill/measures/rpo.ts';
import type { DatedPoint } from '../../src/drill/measures/rpo.ts';
import { choosePoint, datedPoints } from '../../src/drill/points.ts';
import type { SitePoints } from '../../src/drill/points.ts';
import type { PointListing } from '../../src/repository/api.ts';

const MINUTE = 60_000;
const T = Date.parse('2026-03-14T00:00:00.000Z');

/** A point that shows `minute`, and was there a minute later. */
const point = (minute: number, removed?: number): DatedPoint => ({ at: T + minute * MINUTE, committedAt: T + (minute + 1) * MINUTE, ...(removed !== undefined && { removedAt: T + removed * MINUTE }) });

const measure = (points: readonly DatedPoint[], from: number, to: number, objective?: number): ReturnType<typeof measureRpo> => measureRpo(points, T + from * MINUTE, T + to * MINUTE, objective === undefined ? undefined : objective * MINUTE);

describe('the age of the newest safe point', () => {
  it('is the highest just before the next one comes', () => {
    const rpo = measure([point(0), point(10), point(40)], 1, 50, 20);
    // 1 minute old at first, 11 when the second comes, 31 when the third does, 10 at the end.
    expect(rpo).toMatchObject({ verdict: 'missed', points: 3, nowSeconds: 600, age: { max: 31 * 60 }, overSeconds: 11 * 60, withoutSeconds: 0 });
    expect(rpo.curve.map(({ ageSeconds }) => ageSeconds)).toEqual([60, 660, 60, 1860, 60, 600]);
    expect(measure([point(0), point(10), point(40)], 1, 50, 31)).toMatchObject({ verdict: 'met', overSeconds: 0 });
    expect(measure([point(0)], 1, 50)).toMatchObject({ verdict: 'unknown' });
  });

  it('counts from the first point, and not from when there was none: that is told apart', () => {
    expect(measure([point(20)], 0, 30, 60)).toMatchObject({ verdict: 'missed', withoutSeconds: 21 * 60, overSeconds: 0, age: { max: 600 } });
    const none = measure([], 0, 30, 60);
    expect(none).toMatchObject({ verdict: 'missed', withoutSeconds: 30 * 60, curve: [{ ageSeconds: null }] });
    expect(none).not.toHaveProperty('age');
    expect(none).not.toHaveProperty('nowSeconds');
  });

  it('knows of points from before, of those that came late, and of those that were removed', () => {
    expect(measure([point(-30)], 0, 10)).toMatchObject({ age: { max: 40 * 60 } });
    // An old point that comes after a newer one makes nothing younger.
    expect(measure([point(10), { at: T, committedAt: T + 20 * MINUTE }], 15, 30)).toMatchObject({ age: { max: 20 * 60 } });
    // The newest is removed: the one before it is what is left.
    expect(measure([point(0), point(20, 25)], 1, 30)).toMatchObject({ age: { max: 30 * 60 }, nowSeconds: 30 * 60 });
    expect(measure([point(0, 10)], 1, 30)).toMatchObject({ withoutSeconds: 20 * 60 });
  });

  it('agrees with looking every second', () => {
    const arbitrary = fc.array(fc.record({ at: fc.integer({ min: -500, max: 900 }), after: fc.integer({ min: 0, max: 60 }), lives: fc.option(fc.integer({ min: 0, max: 900 }), { nil: undefined }) }), { maxLength: 20 });
    fc.assert(
      fc.property(arbitrary, fc.integer({ min: 1, max: 800 }), (made, limit) => {
        const points = made.map(({ at, after, lives }) => ({ at: at * 1000, committedAt: (at + after) * 1000, ...(lives !== undefined && { removedAt: (at + after + lives) * 1000 }) }));
        const rpo = measureRpo(points, 0, 1_000_000, limit * 1000);
        // Looked at in the middle of each second: nothing changes then.
        const ages = Array.from({ length: 1000 }, (_, second) => {
          const now = second * 1000 + 500;
          const there = points.filter(({ committedAt, removedAt }) => committedAt <= now && (removedAt === undefined || removedAt > now));
          return there.length === 0 ? undefined : now - Math.max(...there.map(({ at }) => at));
        });
        const known = ages.filter((age) => age !== undefined);
        expect(rpo.withoutSeconds).toBe(ages.length - known.length);
        expect(rpo.overSeconds).toBe(known.filter((age) => age > limit * 1000).length);
        if (known.length === 0) return;
        expect(rpo.age?.max).toBeCloseTo(Math.max(...known) / 1000 + 0.5, 3);
        expect(rpo.age?.mean).toBeCloseTo(known.reduce((sum, age) => sum + age, 0) / known.length / 1000, 2);
        const sorted = known.toSorted((a, b) => a - b);
        const median = rpo.age?.p50 ?? Number.NaN;
        // At least half of the time it was not older, and no less would do.
        expect(sorted.filter((age) => age <= median * 1000 + 500).length).toBeGreaterThanOrEqual(known.length / 2);
        expect(sorted.filter((age) => age < median * 1000 - 1500).length).toBeLessThanOrEqual(known.length / 2);
      }),
      { numRuns: 200 },
    );
  });

  it('is drawn with so many corners at most, and keeps the highest of them', () => {
    const points = Array.from({ length: 20_000 }, (_, minute) => point(minute === 7_000 ? 6_999 : minute));
    const rpo = measure(points.filter((_, index) => index < 5_000 || index > 5_100), 1, 20_000);
    expect(rpo.curve.length).toBeLessThanOrEqual(2_002);
    expect(Math.max(...rpo.curve.map(({ ageSeconds }) => ageSeconds ?? 0))).toBe(rpo.age?.max);
  });
});

describe('the points of a site', () => {
  const listing = (id: string, at: string, previous: readonly string[] = []): PointListing =>
    ({ id, site: 'prod', vaults: ['near'], header: { id, site: 'prod', at, startedAt: at, committedAt: at.replace(':00.', ':05.'), previous: previous.map((one) => ({ id: one, sha256: '' })), complete: true } }) as unknown as PointListing;
  const first = listing('20260314T000005Z-00012345', '2026-03-14T00:00:00.000Z', ['20260313T230005Z-00054321']);
  const second = listing('20260314T010005Z-00012345', '2026-03-14T01:00:00.000Z');
  const removed = [{ id: '20260313T220007Z-1f412345', site: 'prod', removedAt: '2026-03-14T00:30:00.000Z', reason: '', vaults: ['near'], holding: [] }];
  const points: SitePoints = { live: [first, second], safe: [first, second], removed };

  it('include those that were removed, as far as the vaults know them', () => {
    expect(datedPoints(points).map(({ at, committedAt, removedAt, estimated }) => [new Date(at).toISOString(), new Date(committedAt).toISOString(), removedAt !== undefined, estimated === true])).toEqual([
      // By its id, at 500 milliseconds; what it showed was 5 s before, as with the others.
      ['2026-03-13T22:00:02.500Z', '2026-03-13T22:00:07.500Z', true, true],
      // Another names it as the one before, and nobody has it.
      ['2026-03-13T23:00:00.000Z', '2026-03-13T23:00:05.000Z', false, true],
      ['2026-03-14T00:00:00.000Z', '2026-03-14T00:00:05.000Z', false, false],
      ['2026-03-14T01:00:00.000Z', '2026-03-14T01:00:05.000Z', false, false],
    ]);
  });

  it('are chosen from as asked', () => {
    expect(choosePoint(points, 'newest', 'prod')).toBe(second);
    expect([0, 0.49, 0.5, 0.99].map((chance) => choosePoint(points, 'random', 'prod', () => chance))).toEqual([first, first, second, second]);
    expect(choosePoint({ ...points, safe: [] }, { id: '20260314T01' }, 'prod')).toBe(second);
    expect(() => choosePoint(points, { id: '20260314' }, 'prod')).toThrow(expect.objectContaining({ code: 'LB_POINT_NOT_FOUND' }));
    expect(() => choosePoint(points, { id: '2027' }, 'prod')).toThrow(expect.objectContaining({ code: 'LB_POINT_NOT_FOUND' }));
    expect(() => choosePoint({ ...points, safe: [] }, 'newest', 'prod')).toThrow(expect.objectContaining({ code: 'LB_DRILL_NO_POINT' }));
    const unreadable: PointListing = { id: second.id, site: 'prod', vaults: ['near'], problem: 'damaged' };
    expect(() => choosePoint({ ...points, live: [unreadable] }, { id: second.id }, 'prod')).toThrow(expect.objectContaining({ code: 'LB_REPO_DAMAGED' }));
  });
});
