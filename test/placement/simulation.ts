import { LEVELS } from '../../src/core/failure-domain.ts';
import type { Loss } from '../../src/placement/loss.ts';
import { assess, outcomeOf } from '../../src/placement/survival.ts';
import type { Topology } from '../../src/placement/topology.ts';
import { ELSEWHERE, Worlds } from './worlds.ts';
import type { Domain } from './worlds.ts';

/** What is compared with the truth. */
export interface Model {
  survives(topology: Topology, losses: readonly Loss[]): boolean;
  keepsPromise(topology: Topology): boolean;
}

/** The model that lifeboat uses. */
export const ourModel: Model = {
  survives: (topology, losses) => outcomeOf(topology, losses).survives,
  keepsPromise: (topology) => assess(topology).holds === true,
};

/** Where model and truth differ for this topology; undefined where they do not. */
export function difference(model: Model, topology: Topology, combinations: (domains: readonly Domain[]) => Iterable<readonly Domain[]>): string | undefined {
  const worlds = new Worlds(topology);
  const domains = worlds.domains();
  for (const lost of combinations(domains)) {
    const really = worlds.restorable(lost);
    const said = model.survives(topology, lost.map(asLoss));
    if (really !== said) return `after losing ${JSON.stringify(lost)}: really ${really}, said ${said}`;
  }
  const covered = LEVELS.slice(0, LEVELS.indexOf(topology.outlives ?? 'zone') + 1);
  const really = domains.filter(({ level }) => covered.includes(level)).every((domain) => worlds.restorable([domain]));
  const said = model.keepsPromise(topology);
  return really === said ? undefined : `the promise: really ${really}, said ${said}`;
}

function asLoss({ level, ...at }: Domain): Loss {
  return { level, at: Object.fromEntries(Object.entries(at).filter(([, name]) => name !== ELSEWHERE)) };
}

/** Each level's domains in every combination, and any two domains whatever their levels. */
export function* mostCombinations(domains: readonly Domain[]): Generator<readonly Domain[]> {
  for (const level of LEVELS) yield* everyCombination(domains.filter((domain) => domain.level === level).slice(0, 6));
  for (const [index, one] of domains.entries()) for (const other of domains.slice(index + 1)) yield [one, other];
}

/** Every combination, none and all included. */
export function* everyCombination(domains: readonly Domain[]): Generator<readonly Domain[]> {
  for (let bits = 0; bits < 1 << domains.length; bits += 1) yield domains.filter((_, index) => (bits & (1 << index)) !== 0);
}
