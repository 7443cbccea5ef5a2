import { describe, expect, it } from 'vitest';
import type { FailureDomain } from '../../src/core/failure-domain.ts';
import { hitOf, lossName, possibleLosses } from '../../src/placement/loss.ts';
import type { Loss } from '../../src/placement/loss.ts';
import { reasonsOf } from '../../src/placement/reasons.ts';
import { assess, fatalPairs, outcomeOf } from '../../src/placement/survival.ts';
import type { Place, Standing, Topology } from '../../src/placement/topology.ts';

const at = (name: string, place: Place): Standing => ({ name, place });
const aws = (region: string, account = '1'): FailureDomain => ({ cloud: 'aws', account, region, zone: 'multi' });
const gcp = (region: string, account = '9'): FailureDomain => ({ cloud: 'gcp', account, region, zone: 'multi' });

const plan: Topology = {
  site: at('prod', aws('eu-central-1')),
  control: undefined,
  vaults: [at('near', aws('eu-central-1')), at('far', gcp('europe-west3'))],
  openers: [at('age', 'outside')],
  copies: 2,
  outlives: 'cloud',
};

describe('losing a domain', () => {
  const region: Loss = { level: 'region', at: { cloud: 'aws', region: 'east' } };

  it('takes a region for every account, and an account in every region', () => {
    expect(hitOf(region, { cloud: 'aws', account: '1', region: 'east' })).toBe('yes');
    expect(hitOf(region, { cloud: 'aws', account: '2', region: 'east' })).toBe('yes');
    expect(hitOf({ level: 'account', at: { cloud: 'aws', account: '1' } }, { cloud: 'aws', account: '1', region: 'west' })).toBe('yes');
  });

  it('leaves another cloud’s region of the same name alone', () => {
    expect(hitOf(region, { cloud: 'gcp', region: 'east' })).toBe('no');
  });

  it('may take what does not say where it is, but not what is known to be elsewhere', () => {
    expect(hitOf(region, { cloud: 'aws' })).toBe('perhaps');
    expect(hitOf(region, { region: 'east' })).toBe('perhaps');
    expect(hitOf(region, { region: 'west' })).toBe('no');
    expect(hitOf(region, {})).toBe('perhaps');
  });

  it('leaves what is spread over several of its kind, but not what is in the one cloud', () => {
    const spread: FailureDomain = { cloud: 'aws', region: 'multi', zone: 'multi' };
    expect(hitOf(region, spread)).toBe('no');
    expect(hitOf({ level: 'cloud', at: { cloud: 'aws' } }, spread)).toBe('yes');
  });

  it('is thought of also where nobody named it: two vaults without a region may share one', () => {
    const losses = possibleLosses('region', [at('a', { cloud: 'aws' }), at('b', { cloud: 'aws' }), at('c', aws('eu-west-1'))]);
    expect(losses.map(lossName)).toEqual(['region aws/eu-west-1']);
    expect(possibleLosses('region', [at('a', { cloud: 'aws' }), at('b', { cloud: 'aws' })]).map(lossName)).toEqual(['region aws/?']);
  });
});

describe('a plan', () => {
  it('with copies in two clouds outlives either', () => {
    expect(assess(plan)).toMatchObject({ holds: true, strongest: 'cloud', broken: [] });
  });

  it('does not outlive a cloud when one copy is enough to be safe: it may be the one that is lost', () => {
    const { holds, broken } = assess({ ...plan, copies: 1 });
    expect(holds).toBe(false);
    expect(reasonsOf(broken, plan)[0]?.text).toContain('losing cloud aws');
  });

  it('with one vault outlives nothing that can take it, wherever the site is: what is promised is the backups, not the site', () => {
    expect(assess({ ...plan, vaults: [at('far', gcp('europe-west3'))], copies: 1 })).toMatchObject({ holds: false, strongest: 'zone' });
  });

  it('that outlives an account outlives its regions too', () => {
    const two: Topology = { ...plan, vaults: [at('a', aws('eu-west-1', '1')), at('b', aws('eu-west-1', '2'))], outlives: 'account' };
    expect(assess(two).broken.map(({ losses }) => losses.map(lossName))).toEqual([['region aws/eu-west-1']]);
    expect(assess({ ...two, vaults: [at('a', aws('eu-west-1', '1')), at('b', aws('eu-north-1', '2'))] }).holds).toBe(true);
  });

  it('needs a key that is not lost with the vaults', () => {
    const kms = at('aws-kms', aws('eu-central-1'));
    expect(assess({ ...plan, openers: [kms] }).holds).toBe(false);
    expect(assess({ ...plan, openers: [kms, at('gcp-kms', gcp('europe-west3'))] }).holds).toBe(true);
    expect(assess({ ...plan, openers: [at('aws-kms', { cloud: 'aws' }), at('transit', {})] }).holds).toBe(false);
  });

  it('needs a control side that is not lost with the site; one that is lost alone harms nobody', () => {
    expect(assess({ ...plan, control: at('control side', aws('eu-west-1')) }).holds).toBe(false);
    expect(assess({ ...plan, control: at('control side', gcp('europe-west3')) }).holds).toBe(true);
    expect(assess({ ...plan, control: at('control side', {}) }).holds).toBe(false);
  });

  it('says how many copies are left, and what it cannot tell', () => {
    const three: Topology = { ...plan, vaults: [...plan.vaults, at('own', {})], copies: 3 };
    expect(outcomeOf(three, [{ level: 'cloud', at: { cloud: 'aws' } }])).toMatchObject({
      site: 'yes',
      vaults: { kept: ['far'], lost: ['near'], doubtful: ['own'] },
      copiesLeft: 1,
      survives: true,
    });
  });

  it('says which two losses at once are too much', () => {
    expect(fatalPairs(plan, 'cloud').map(({ losses }) => losses.map(lossName))).toEqual([['cloud aws', 'cloud gcp']]);
  });

  it('names the largest loss that takes something, not all that lies in it', () => {
    const { broken } = assess({ ...plan, vaults: [at('near', aws('eu-central-1')), at('west', aws('eu-west-1'))] });
    expect(broken.length).toBeGreaterThan(1);
    expect(reasonsOf(broken, plan)).toEqual([{ text: 'losing cloud aws takes every vault: near and west', losses: [{ level: 'cloud', at: { cloud: 'aws' } }], takes: [{ of: 'vault', name: 'near' }, { of: 'vault', name: 'west' }] }]);
  });
});
