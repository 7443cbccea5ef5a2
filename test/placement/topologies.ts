import { array, constant, constantFrom, integer, oneof, option, record } from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { LEVELS } from '../../src/core/failure-domain.ts';
import type { FailureDomain } from '../../src/core/failure-domain.ts';
import type { Place, Standing, Topology } from '../../src/placement/topology.ts';

/** A value that may be left out: rarely enough that most things are known. */
const often = <T>(value: Arbitrary<T>): Arbitrary<T | undefined> => option(value, { nil: undefined, freq: 6 });

/** Few names, the same in every cloud, so that things share domains, and names alone do not tell them apart. */
const domain: Arbitrary<FailureDomain> = record({
  cloud: often(constantFrom('north', 'south', 'west')),
  account: often(constantFrom('1', '2')),
  region: often(constantFrom('east', 'east', 'shore', 'shore', 'multi')),
  zone: often(constantFrom('a', 'b', 'multi')),
});

export const place: Arbitrary<Place> = domain;
const opener: Arbitrary<Place> = oneof({ weight: 2, arbitrary: domain }, { weight: 1, arbitrary: constant<Place>('outside') });

const named = (names: string, places: readonly Place[]): readonly Standing[] => places.map((where, index) => ({ name: `${names}${index + 1}`, place: where }));

/** Values left out in a topology, beyond which there would be too many worlds to look at. */
const MOST_UNKNOWN = 3;

/** Topologies of all shapes: up to five vaults, three ways in, with gaps in what is known. */
export const topologies: Arbitrary<Topology> = record({
  vaults: array(place, { minLength: 1, maxLength: 5 }),
  openers: array(opener, { minLength: 1, maxLength: 3 }),
  site: place,
  control: option(place, { nil: undefined, freq: 2 }),
  copies: integer({ min: 1, max: 5 }),
  outlives: constantFrom(...LEVELS),
  /** The thing whose gaps are kept first. */
  first: integer({ min: 0, max: 9 }),
}).map(({ vaults, openers, site, control, copies, outlives, first }) => {
  const [known = {}, ...rest] = knownEnough([site, control ?? 'outside', ...vaults, ...openers], first);
  return {
    site: { name: 'site', place: known },
    control: control === undefined ? undefined : { name: 'control', place: rest[0] ?? {} },
    vaults: named('vault', rest.slice(1, 1 + vaults.length)),
    openers: named('opener', rest.slice(1 + vaults.length)),
    copies: Math.min(copies, vaults.length),
    outlives,
  };
});

/** The same places, with all gaps filled but the first few, counted from one of them on. */
function knownEnough(places: readonly Place[], first: number): Place[] {
  let gaps = 0;
  const start = first % places.length;
  const filled = [...places.slice(start), ...places.slice(0, start)].map((where): Place => {
    if (where === 'outside') return where;
    const whole: Record<string, string> = {};
    for (const level of LEVELS) {
      const value = where[level];
      if (value !== undefined) whole[level] = value;
      else if (gaps < MOST_UNKNOWN) gaps += 1;
      else whole[level] = { cloud: 'north', account: '1', region: 'east', zone: 'a' }[level];
    }
    return whole;
  });
  const back = places.length - start;
  return [...filled.slice(back), ...filled.slice(0, back)];
}
