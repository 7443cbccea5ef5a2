import { assert, property, sample } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FailureDomain } from '../../src/core/failure-domain.ts';
import { outcomeOf } from '../../src/placement/survival.ts';
import type { Place, Topology } from '../../src/placement/topology.ts';
import { difference, everyCombination, mostCombinations, ourModel } from './simulation.ts';
import type { Model } from './simulation.ts';
import { topologies } from './topologies.ts';

describe('what the model says of a plan is what could really be restored', () => {
  it('in thousands of topologies, whatever single domains, pairs, or domains of a level are lost', () => {
    assert(
      property(topologies, (topology) => {
        expect(difference(ourModel, topology, mostCombinations)).toBeUndefined();
      }),
      { numRuns: 1500 },
    );
  });

  it('in topologies of up to ten domains, whatever combination of them is lost', () => {
    assert(
      property(topologies, (topology) => {
        expect(difference(ourModel, topology, (domains) => (domains.length <= 10 ? everyCombination(domains) : []))).toBeUndefined();
      }),
      { numRuns: 800 },
    );
  });

  it('which comes out both ways often enough to mean something', () => {
    const kept = sample(topologies, { numRuns: 1000, seed: 1 }).map((topology) => ourModel.keepsPromise(topology));
    expect(kept.filter(Boolean).length).toBeGreaterThan(50);
    expect(kept.filter((one) => !one).length).toBeGreaterThan(50);
  });
});

/** The same topology with what stands somewhere put elsewhere. */
function moved(topology: Topology, where: (place: FailureDomain) => FailureDomain): Topology {
  const move = <T extends { readonly place: Place }>(thing: T): T => (thing.place === 'outside' ? thing : { ...thing, place: where(thing.place) });
  return { ...topology, site: move(topology.site), control: topology.control && move(topology.control), vaults: topology.vaults.map(move), openers: topology.openers.map(move) };
}

const ELSEWHERE: FailureDomain = { cloud: 'safe', account: 'safe', region: 'safe', zone: 'safe' };

const wrongModels: Readonly<Record<string, Model>> = {
  'takes what is unknown to be safe': {
    ...ourModel,
    survives: (topology, losses) => ourModel.survives(moved(topology, (place) => ({ ...ELSEWHERE, ...place })), losses),
    keepsPromise: (topology) => ourModel.keepsPromise(moved(topology, (place) => ({ ...ELSEWHERE, ...place }))),
  },
  'tells regions apart by their names alone': {
    ...ourModel,
    survives: (topology, losses) => {
      const flat = (place: FailureDomain): FailureDomain => ({ ...place, cloud: 'one' });
      return ourModel.survives(moved(topology, flat), losses.map(({ level, at }) => ({ level, at: { ...at, cloud: 'one' } })));
    },
  },
  'believes that a safe point lies where it is best': {
    ...ourModel,
    survives: (topology, losses) => {
      const { vaults, key, controlled } = outcomeOf(topology, losses);
      return vaults.kept.length > 0 && key && controlled;
    },
  },
  'forgets what the keys depend on': {
    ...ourModel,
    keepsPromise: (topology) => ourModel.keepsPromise({ ...topology, openers: [{ name: 'any', place: 'outside' }] }),
  },
  'forgets where the control side runs': { ...ourModel, survives: (topology, losses) => ourModel.survives({ ...topology, control: undefined }, losses) },
  'promises an account without its regions': {
    ...ourModel,
    keepsPromise: (topology) => ourModel.keepsPromise(topology.outlives === 'account' ? { ...topology, outlives: 'zone' } : topology),
  },
};

describe('the comparison catches a model', () => {
  for (const [title, model] of Object.entries(wrongModels)) {
    it(`that ${title}`, () => {
      const found = sample(topologies, { numRuns: 1000, seed: 1 }).find((topology) => difference(model, topology, mostCombinations) !== undefined);
      expect(found).toBeDefined();
    });
  }
});
