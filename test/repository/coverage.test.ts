import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLifeboatError } from '../../src/core/errors.ts';
import { Coverage } from '../../src/repository/verify/coverage.ts';

const keyOf = (number: number): string => `packs/${String(number)}`;
const reads = fc.array(fc.record({ object: fc.nat(40), seconds: fc.oneof(fc.nat(20), fc.nat(2 ** 40)) }), { maxLength: 60 });
type Reads = readonly { readonly object: number; readonly seconds: number }[];

const coverageOf = (...lists: readonly Reads[]): Coverage => {
  const coverage = new Coverage();
  for (const { object, seconds } of lists.flat()) coverage.add(keyOf(object), seconds);
  return coverage;
};
const merged = (...all: readonly Coverage[]): Coverage => {
  const whole = new Coverage();
  for (const one of all) whole.merge(one);
  return whole;
};

const decodedOrNot = (bytes: Uint8Array): Coverage | undefined => {
  try {
    return Coverage.decode(bytes);
  } catch (error) {
    if (isLifeboatError(error, 'LB_REPO_DAMAGED')) return undefined;
    throw error;
  }
};

describe('what a report says was read when', () => {
  it('comes back as it was, in one form only', () => {
    fc.assert(
      fc.property(reads, (list) => {
        const coverage = coverageOf(list);
        const bytes = coverage.encode();
        const decoded = Coverage.decode(bytes);
        for (let object = 0; object <= 40; object++) {
          const times = list.filter((read) => read.object === object).map((read) => read.seconds);
          expect(decoded.lastRead(keyOf(object))).toBe(times.length === 0 ? undefined : Math.max(...times));
        }
        expect(decoded.size).toBe(new Set(list.map((read) => read.object)).size);
        expect(decoded.encode()).toEqual(bytes);
        expect(coverageOf(list.toReversed()).encode()).toEqual(bytes);
      }),
    );
  });

  it('is stored as it was when the format was settled', () => {
    const coverage = new Coverage();
    coverage.add('lifeboat.json', 1_773_454_500);
    coverage.add('points/prod/20260314T021500Z-9f3a5c7e', 1_773_454_500);
    coverage.add(`packs/00/${'0'.repeat(64)}`, 1_773_540_900);
    expect(coverage.encode().toString('hex')).toBe('02a489d3cd060285a89ff7f7fe0eb892b98dde9c1a80a305018cfe859f81c806');
  });

  it('is the same in whatever order, and however often, reports are merged', () => {
    fc.assert(
      fc.property(reads, reads, reads, (a, b, c) => {
        const [x, y, z] = [coverageOf(a), coverageOf(b), coverageOf(c)];
        const all = coverageOf(a, b, c).encode();
        expect(merged(x, y, z).encode()).toEqual(all);
        expect(merged(z, y, x, y).encode()).toEqual(all);
        expect(merged(merged(x, y), merged(y, z)).encode()).toEqual(all);
      }),
    );
  });

  it('forgets what is gone, what was damaged, and what a clock that ran ahead said', () => {
    const coverage = coverageOf([{ object: 1, seconds: 10 }, { object: 2, seconds: 20 }, { object: 3, seconds: 99 }]);
    coverage.forget(keyOf(2));
    const kept = coverage.only([keyOf(1), keyOf(2), keyOf(4)]);
    expect([1, 2, 3, 4].map((object) => kept.lastRead(keyOf(object)))).toEqual([10, undefined, undefined, undefined]);
    const later = new Coverage();
    later.merge(coverage, 50);
    expect([later.lastRead(keyOf(1)), later.lastRead(keyOf(3))]).toEqual([10, undefined]);
  });

  it('is refused when its bytes are anything but what would be written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const decoded = decodedOrNot(bytes);
        expect(decoded === undefined || decoded.encode().equals(bytes)).toBe(true);
      }),
      { numRuns: 1000 },
    );
    for (const broken of [[1, 5, 0], [2, 5, 1, 0, 0, 1, 1], [2, 5, 1, 7, 1, 1, 7], [1, 5, 2, 0], [0, 0]]) {
      expect(() => Coverage.decode(Uint8Array.from(broken))).toThrow('The coverage');
    }
  });

  it('takes less than seven bytes an object, for 100,000 objects read in many runs', () => {
    const coverage = new Coverage();
    for (let i = 0; i < 100_000; i++) coverage.add(keyOf(i), 1_790_000_000 + 86_400 * (i % 30));
    expect(coverage.encode().length).toBeLessThan(700_000);
  });
});
