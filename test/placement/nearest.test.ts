import { array, assert, boolean, property, record, sample } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LEVELS } from '../../src/core/failure-domain.ts';
import type { Level } from '../../src/core/failure-domain.ts';
import { costOf, isConditional } from '../../src/placement/change.ts';
import type { Change, Proposal } from '../../src/placement/change.ts';
import { defaultCopies } from '../../src/core/copies.ts';
import { nearestPlans } from '../../src/placement/nearest.ts';
import type { Surroundings } from '../../src/placement/nearest.ts';
import { assess } from '../../src/placement/survival.ts';
import type { Standing, Topology } from '../../src/placement/topology.ts';
import { difference, ourModel } from './simulation.ts';
import { place, topologies } from './topologies.ts';

const cases = record({ topology: topologies, others: array(place, { maxLength: 3 }), byDefault: boolean() }).map(({ topology, others, byDefault }) => {
  const surroundings: Surroundings = {
    otherVaults: others.map((where, index) => ({ name: `other${index + 1}`, place: where })),
    defaultCopies: byDefault ? defaultCopies : undefined,
  };
  return { topology: byDefault ? { ...topology, copies: defaultCopies(topology.vaults.length) } : topology, surroundings };
});

/** The topology after somebody did what was proposed. */
function changed(topology: Topology, { otherVaults, defaultCopies: byDefault }: Surroundings, proposal: Proposal): Topology {
  const own = (name: string): Record<Level, string> => ({ cloud: `own ${name}`, account: `own ${name}`, region: `own ${name}`, zone: `own ${name}` });
  const said = (of: string, thing: Standing): Standing => {
    const change = proposal.find((one) => one.kind === 'say-domain' && one.of === of && one.name === thing.name);
    if (change?.kind !== 'say-domain' || thing.place === 'outside') return thing;
    return { ...thing, place: { ...thing.place, ...Object.fromEntries(change.fields.map((field) => [field, own(thing.name)[field]])) } };
  };
  const of = <K extends Change['kind']>(kind: K): Extract<Change, { kind: K }>[] => proposal.filter((one): one is Extract<Change, { kind: K }> => one.kind === kind);
  const vaults = [
    ...topology.vaults,
    ...otherVaults.filter(({ name }) => of('add-vault').some((one) => one.vault === name)),
    ...Array.from({ length: of('new-vault')[0]?.count ?? 0 }, (_, index) => ({ name: `new${index}`, place: own(`new${index}`) })),
  ].map((vault) => said('vault', vault));
  return {
    ...topology,
    vaults,
    copies: Math.min(vaults.length, of('raise-copies')[0]?.to ?? byDefault?.(vaults.length) ?? topology.copies),
    openers: [...topology.openers.map((one) => said('opener', one)), ...of('add-opener').map(() => ({ name: 'added', place: 'outside' as const }))],
    site: said('site', topology.site),
    control: topology.control && (of('move-control').length > 0 ? { name: 'control', place: own('control') } : said('control', topology.control)),
  };
}

describe('the nearest plan', () => {
  it('keeps the promise, for every broken one, and one that depends on no guess is among them if the site is known', () => {
    assert(
      property(cases, ({ topology, surroundings }) => {
        const proposals = nearestPlans(topology, surroundings);
        const holds = assess(topology).holds === true;
        expect(proposals.length > 0).toBe(!holds);
        const { site, control } = topology;
        const siteUnknown = control !== undefined && (site.place === 'outside' || Object.keys(site.place).length < LEVELS.length);
        expect(holds || siteUnknown || proposals.some((proposal) => !isConditional(proposal))).toBe(true);
        for (const proposal of proposals) {
          const after = changed(topology, surroundings, proposal);
          expect(assess(after).holds).toBe(true);
          // And really so, not only by the model that the search used.
          expect(difference(ourModel, after, () => [])).toBeUndefined();
        }
      }),
      { numRuns: 400 },
    );
  });

  it('has no change too many: without any one of them the promise is broken', () => {
    assert(
      property(cases, ({ topology, surroundings }) => {
        for (const proposal of nearestPlans(topology, surroundings)) {
          for (const omitted of proposal) {
            const less = proposal.filter((change) => change !== omitted);
            expect(assess(changed(topology, surroundings, less)).holds).toBe(false);
          }
        }
      }),
      { numRuns: 400 },
    );
  });

  it('is never dearer than two new vaults, a way in, and a control side elsewhere', () => {
    const costs = sample(cases, { numRuns: 300, seed: 1 }).map(({ topology, surroundings }) => costOf(nearestPlans(topology, surroundings)[0] ?? []));
    expect(Math.max(...costs)).toBeLessThanOrEqual(5 + 1 + 3);
  });
});

const aws = (name: string, region: string): Standing => ({ name, place: { cloud: 'aws', account: '1', region } });

describe('examples', () => {
  const plan: Topology = {
    site: aws('prod', 'eu-central-1'),
    control: undefined,
    vaults: [aws('near', 'eu-central-1'), aws('far', 'eu-west-1')],
    openers: [{ name: 'age', place: 'outside' }],
    copies: 1,
    outlives: 'region',
  };
  const nearest = (change: Partial<Topology>, otherVaults: readonly Standing[] = [], byDefault?: typeof defaultCopies): readonly Proposal[] =>
    nearestPlans({ ...plan, ...change }, { otherVaults, defaultCopies: byDefault });

  it('raises the copies where the vaults would do', () => {
    expect(nearest({})).toEqual([[{ kind: 'raise-copies', to: 2 }]]);
  });

  it('adds a vault that the file has already rather than a new one', () => {
    const south: Standing = { name: 'south', place: { cloud: 'gcp', account: '2', region: 'europe-west3' } };
    expect(nearest({ outlives: 'cloud', copies: 2 }, [aws('third', 'us-east-1'), south])).toEqual([[{ kind: 'add-vault', vault: 'south' }, { kind: 'raise-copies', to: 3 }]]);
  });

  it('asks where a vault stands when that alone may decide it, and says what to do if it does not', () => {
    expect(nearest({ copies: 2, vaults: [aws('near', 'eu-central-1'), { name: 'far', place: { cloud: 'aws', account: '1' } }] })).toEqual([
      [{ kind: 'say-domain', of: 'vault', name: 'far', fields: ['region'] }],
      [{ kind: 'new-vault', level: 'region', count: 1 }, { kind: 'raise-copies', to: 3 }],
    ]);
  });

  it('adds a way in when the only ones are lost with the cloud', () => {
    const kms: Standing = { name: 'aws-kms', place: { cloud: 'aws', account: '1', region: 'eu-central-1' } };
    expect(nearest({ copies: 2, openers: [kms] })).toEqual([[{ kind: 'add-opener' }]]);
  });

  it('moves the control side away from the site', () => {
    expect(nearest({ copies: 2, control: aws('control side', 'eu-central-1') })).toEqual([[{ kind: 'move-control', level: 'region' }]]);
  });
});
