import type { FailureDomain, Level } from '../core/failure-domain.ts';
import type { Change, Proposal } from './change.ts';
import { costOf, drawback, isConditional } from './change.ts';
import { coveredLevels, TELLING } from './loss.ts';
import { assess, outcomesAt } from './survival.ts';
import type { Outcome } from './survival.ts';
import type { Standing, Topology } from './topology.ts';

/** What a plan could be changed to. */
export interface Surroundings {
  /** Vaults of the configuration that the plan does not use. */
  readonly otherVaults: readonly Standing[];
  /** Copies of a plan that does not say how many, by the number of its vaults; undefined when it does say. */
  readonly defaultCopies: ((vaults: number) => number) | undefined;
}

/** More of the candidates than this are not combined: what is left out is only a nicer proposal, never the last one. */
const MOST_CANDIDATES = 30;
/** What the cheaper ways cost at most: a new vault and more copies. */
const DEAREST = 3;
/**
 * Where that is not enough, because nobody knows that another vault does not stand where the new one does, two new
 * vaults and as many copies as it takes always are.
 */
const ALWAYS = 2;

/**
 * The plans nearest to this one that keep its promise, by search: every proposal has been tried on the model. Fewest
 * changes first; where the first only helps if something stands where nothing else does, the second helps in any case.
 * None when the promise holds already, or nothing is promised.
 */
export function nearestPlans(topology: Topology, surroundings: Surroundings): readonly Proposal[] {
  const level = topology.outlives;
  if (level === undefined || assess(topology).holds === true) return [];
  // A loss is survived when points, keys and control side each survive it, and no change touches two of them.
  const parts = [pointProposals(topology, level, surroundings), openerProposals(topology, level), controlProposals(topology, level)];
  const first = parts.flatMap((proposals) => proposals[0] ?? []);
  if (!isConditional(first)) return [first];
  return [first, parts.flatMap((proposals) => proposals.find((one) => !isConditional(one)) ?? proposals[0] ?? [])];
}

/** The outcomes that a promise to outlive this level is about. */
function covered(topology: Topology, level: Level): readonly Outcome[] {
  return coveredLevels(level).flatMap((one) => outcomesAt(topology, one));
}

function pointProposals(topology: Topology, level: Level, { otherVaults, defaultCopies }: Surroundings): readonly Proposal[] {
  if (covered(topology, level).every(({ point }) => point)) return [];
  const fresh = freshDomains();
  const candidates = [
    ...[...topology.vaults, ...otherVaults].flatMap((vault) => sayDomain('vault', vault, level)),
    ...otherVaults.map(({ name }): Change => ({ kind: 'add-vault', vault: name })),
  ].slice(0, MOST_CANDIDATES);
  const anew = (count: number): Change => ({ kind: 'new-vault', level, count });
  const ways = subsets([...candidates, anew(1)], DEAREST).toSorted((a, b) => costOf(a) - costOf(b));

  const found: Proposal[] = [];
  const strict = new Set<Proposal>();
  let dearest = Number.POSITIVE_INFINITY;
  for (const changes of [...ways, [anew(ALWAYS)]]) {
    if (costOf(changes) > dearest) break;
    const others = otherVaults.filter(({ name }) => changes.some((one) => one.kind === 'add-vault' && one.vault === name));
    const vaults = [...topology.vaults, ...others].map((vault) => located('vault', vault, changes, fresh));
    const added = changes.find((one) => one.kind === 'new-vault')?.count ?? 0;
    vaults.push(...Array.from({ length: added }, (_, index) => ({ name: '', place: fresh(`${index}`) })));
    // Speaking of a vault that the plan does not use changes nothing.
    if (changes.some((one) => one.kind === 'say-domain' && vaults.every(({ name }) => name !== one.name))) continue;
    const copies = defaultCopies?.(vaults.length) ?? topology.copies;
    const taken = Math.max(...covered({ ...topology, vaults, copies }, level).map((outcome) => outcome.vaults.lost.length + outcome.vaults.doubtful.length), 0);
    if (taken >= vaults.length) continue;
    const proposal: Proposal = taken < copies ? changes : [...changes, { kind: 'raise-copies', to: taken + 1 }];
    if (drawback(proposal, topology) !== undefined) strict.add(proposal);
    found.push(proposal);
    if (!isConditional(proposal)) dearest = Math.min(dearest, costOf(proposal));
  }
  return best(found, strict);
}

function openerProposals(topology: Topology, level: Level): readonly Proposal[] {
  const opens = (openers: readonly Standing[]): boolean => covered({ ...topology, openers }, level).every(({ key }) => key);
  if (opens(topology.openers)) return [];
  const fresh = freshDomains();
  const candidates = topology.openers.flatMap((opener) => sayDomain('opener', opener, level));
  const told = candidates.map((change): Proposal => [change]).filter((changes) => opens(topology.openers.map((one) => located('opener', one, changes, fresh))));
  return best([...told, [{ kind: 'add-opener' }]]);
}

function controlProposals(topology: Topology, level: Level): readonly Proposal[] {
  const { site, control } = topology;
  const controlled = (changed: Partial<Topology>): boolean => covered({ ...topology, ...changed }, level).every((outcome) => outcome.controlled);
  if (control === undefined || controlled({})) return [];
  const fresh = freshDomains();
  const candidates: readonly Change[] = [...sayDomain('control', control, level), ...sayDomain('site', site, level), { kind: 'move-control', level }];
  const moved = (changes: Proposal): Standing => (changes.some(({ kind }) => kind === 'move-control') ? { ...control, place: fresh('') } : located('control', control, changes, fresh));
  // Where the site stands nobody needs to guess, but it must be said, or no other place is known to be another.
  return best(subsets(candidates, DEAREST).filter((changes) => controlled({ site: located('site', site, changes, fresh), control: moved(changes) })));
}

/** Cheapest first; of equal ones those that only say what is so already, then those with which a vault may be down, and then those without new vaults. */
function best(proposals: readonly Proposal[], strict: ReadonlySet<Proposal> = new Set()): readonly Proposal[] {
  const rank = (proposal: Proposal): readonly number[] => [costOf(proposal), Number(!isConditional(proposal)), Number(strict.has(proposal)), proposal.length];
  return proposals.toSorted((a, b) => {
    const other = rank(b);
    return rank(a).map((value, index) => value - (other[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
  });
}

/** Every selection from `candidates` that costs at most `limit`, the empty one included. */
function subsets(candidates: readonly Change[], limit: number): readonly Proposal[] {
  let all: Proposal[] = [[]];
  for (const candidate of candidates) {
    all = [...all, ...all.map((before) => [...before, candidate]).filter((changes) => costOf(changes) <= limit)];
  }
  return all;
}

/** What could be said of where something stands and would matter at this level. */
function sayDomain(of: 'site' | 'control' | 'vault' | 'opener', { name, place }: Standing, level: Level): readonly Change[] {
  if (place === 'outside') return [];
  const fields = TELLING[level].filter((field) => place[field] === undefined);
  return fields.length === 0 ? [] : [{ kind: 'say-domain', of, name, fields }];
}

/** The thing where a change says that it stands: in domains of its own. */
function located(of: 'site' | 'control' | 'vault' | 'opener', thing: Standing, changes: Proposal, fresh: (name: string) => FailureDomain): Standing {
  const change = changes.find((one) => one.kind === 'say-domain' && one.of === of && one.name === thing.name);
  if (change?.kind !== 'say-domain' || thing.place === 'outside') return thing;
  const own = fresh(`${of} ${thing.name}`);
  return { ...thing, place: { ...thing.place, ...Object.fromEntries(change.fields.map((field) => [field, own[field]])) } };
}

/** Domains that nothing else stands in: names that no configuration has. */
function freshDomains(): (name: string) => FailureDomain {
  return (name) => {
    const own = `\u0000${name}`;
    return { cloud: own, account: own, region: own, zone: own };
  };
}
