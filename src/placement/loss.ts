import { LEVELS, SPREAD } from '../core/failure-domain.ts';
import type { FailureDomain, Level } from '../core/failure-domain.ts';
import type { Place, Standing } from './topology.ts';

/**
 * One failure domain that is lost with everything in it: a cloud with all its accounts and regions, an account in
 * every region, a region for all accounts, a zone for all accounts. A coordinate of the level that is absent in `at` is
 * one that nobody named.
 */
export interface Loss {
  readonly level: Level;
  readonly at: FailureDomain;
}

/** Whether a loss takes something. `perhaps` where not enough is known to rule it out. */
export type Hit = 'no' | 'perhaps' | 'yes';

type Coordinate = keyof FailureDomain;

/** What tells two domains of a level apart: regions and accounts have names within a cloud, zones within a region. */
export const COORDINATES: Readonly<Record<Level, readonly Coordinate[]>> = {
  cloud: ['cloud'],
  account: ['cloud', 'account'],
  region: ['cloud', 'region'],
  zone: ['cloud', 'region', 'zone'],
};

/** What decides whether a promise to outlive a level is kept: who outlives a cloud or a region outlives what is in it. */
export const TELLING: Readonly<Record<Level, readonly Coordinate[]>> = { ...COORDINATES, account: ['cloud', 'account', 'region'] };

/** Whether the loss takes what stands in this place. Something has one name at each level, so a name that differs rules it out. */
export function hitOf(loss: Loss, place: Place): Hit {
  if (place === 'outside') return 'no';
  let surely = true;
  for (const coordinate of COORDINATES[loss.level]) {
    const stands = place[coordinate];
    if (stands === undefined) surely = false;
    else if (stands !== loss.at[coordinate] || stands === SPREAD) return 'no';
  }
  return surely ? 'yes' : 'perhaps';
}

/** The worst that any of several losses does. */
export function hitOfAll(losses: readonly Loss[], place: Place): Hit {
  const hits = losses.map((loss) => hitOf(loss, place));
  return hits.includes('yes') ? 'yes' : hits.includes('perhaps') ? 'perhaps' : 'no';
}

/**
 * Every domain of a level whose loss may take one of the things, those that surely take one first. Domains that nobody
 * named are among them where something may stand in them, unless the loss of another of the level is at least as bad.
 */
export function possibleLosses(level: Level, things: readonly Standing[]): readonly Loss[] {
  const found = [...domainsOf(level, things)].map((loss) => {
    const hits = things.map(({ place }) => hitOf(loss, place));
    return { loss, hits, sure: hits.includes('yes') };
  });
  const covers = (a: readonly Hit[], b: readonly Hit[]): boolean => a.every((hit, i) => hit !== 'no' || b[i] === 'no');
  const kept = found.filter(
    (one, index) => one.sure || !found.some((other, at) => at !== index && covers(other.hits, one.hits) && (other.sure || at < index || !covers(one.hits, other.hits))),
  );
  return kept.toSorted((a, b) => Number(b.sure) - Number(a.sure)).map(({ loss }) => loss);
}

/** Names of each coordinate in turn, and one that nobody named, as long as something may stand there. */
function* domainsOf(level: Level, things: readonly Standing[], at: FailureDomain = {}, depth = 0): Generator<Loss> {
  const coordinate = COORDINATES[level][depth];
  if (coordinate === undefined) {
    yield { level, at };
    return;
  }
  const standing = things.flatMap(({ name, place }) => (place === 'outside' || place[coordinate] === SPREAD ? [] : [{ name, place }]));
  const names = [...new Set(standing.map(({ place }) => place[coordinate]))].filter((name) => name !== undefined).toSorted();
  for (const name of [...names, undefined]) {
    const there = standing.filter(({ place }) => place[coordinate] === undefined || place[coordinate] === name);
    if (there.length > 0) yield* domainsOf(level, there, name === undefined ? at : { ...at, [coordinate]: name }, depth + 1);
  }
}

/** The loss for people: `cloud aws`, `region aws/eu-central-1`; `?` is a name that is not given, as in `zone aws/eu-central-1/?`. */
export function lossName({ level, at }: Loss): string {
  return `${level} ${COORDINATES[level].map((coordinate) => at[coordinate] ?? '?').join('/')}`;
}

/** Whether losing `larger` takes all that losing `smaller` takes: the domain is the same, or lies in it. */
export function includes(larger: Loss, smaller: Loss): boolean {
  const within = COORDINATES[smaller.level];
  return COORDINATES[larger.level].every((coordinate) => within.includes(coordinate) && larger.at[coordinate] === smaller.at[coordinate]);
}

/** The levels that a promise to outlive `level` covers, largest first. */
export function coveredLevels(level: Level): readonly Level[] {
  return LEVELS.slice(0, LEVELS.indexOf(level) + 1).toReversed();
}
