import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { doubtsOf } from '../../src/placement/doubts.ts';
import { placedPlan } from '../../src/placement/from-config.ts';
import type { PlacedPlan } from '../../src/placement/from-config.ts';
import { refuseBrokenPromise } from '../../src/placement/refuse.ts';
import { assess } from '../../src/placement/survival.ts';

/** The plan of a lifeboat.yaml with these sections. */
function placed({ site = '{}', vaults, keys = '{}', rest = '', plan }: { readonly site?: string; readonly vaults: string; readonly keys?: string; readonly rest?: string; readonly plan: string }): PlacedPlan {
  const config = parseConfig(`version: 1\nsites: {prod: ${site}}\nvaults: ${vaults}\nkeys: ${keys}\n${rest}\nplans: {prod: ${plan}}\n`, 'lifeboat.yaml');
  const found = config.plans.get('prod');
  if (found === undefined) throw new Error('there is no plan');
  return placedPlan(config, found);
}

const FOLDERS = '{a: {type: directory, path: a}, b: {type: directory, path: b}, c: {type: directory, path: c}}';

describe('a plan of lifeboat.yaml', () => {
  it('makes a point safe in its only vault, else in a majority, unless it says how many', () => {
    const copies = (plan: string): number => placed({ vaults: FOLDERS, plan }).topology.copies;
    expect(copies('{site: prod, vaults: [a]}')).toBe(1);
    expect(copies('{site: prod, vaults: [a, b]}')).toBe(2);
    expect(copies('{site: prod, vaults: [a, b, c]}')).toBe(2);
    expect(copies('{site: prod, vaults: [a, b, c], copies: 1}')).toBe(1);
  });

  it('stands where its buckets say, what is written of them first, and says what it read out of them', () => {
    const { topology, inferred } = placed({
      vaults: '{a: {type: s3, bucket: one, region: eu-west-1, domain: {account: A1}}, b: {type: s3, bucket: two, endpoint: "https://s3.example.net", region: x}, c: {type: s3, bucket: three, endpoint: "https://storage.googleapis.com", region: auto}}',
      plan: '{site: prod, vaults: [a, b, c]}',
    });
    expect(topology.vaults).toEqual([
      { name: 'a', place: { cloud: 'aws', account: 'a1', region: 'eu-west-1', zone: 'multi' } },
      { name: 'b', place: {} },
      { name: 'c', place: { cloud: 'gcp', zone: 'multi' } },
    ]);
    expect(inferred).toEqual([
      { name: 'a', fields: ['zone', 'region', 'cloud'] },
      { name: 'c', fields: ['zone', 'cloud'] },
    ]);
  });

  it('is opened by what people keep outside every domain, and by key services in theirs', () => {
    const openers = (keys: string): PlacedPlan['topology']['openers'] => placed({ vaults: FOLDERS, keys, plan: '{site: prod, vaults: [a]}' }).topology.openers;
    expect(openers('{read: {identityFile: id, passphraseEnv: PASS}}')).toEqual([
      { name: 'age', place: 'outside' },
      { name: 'passphrase', place: 'outside' },
    ]);
    const arn = 'aws-kms:arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
    const [gcp, spread, bao] = ['gcp-kms:projects/acme/locations/europe-west3/keyRings/r/cryptoKeys/k', 'gcp-kms:projects/acme/locations/global/keyRings/r/cryptoKeys/k', 'vault-transit:https://bao.example.net/transit/k'];
    expect(openers(`{read: {kms: [{key: "${arn}"}, {key: "${gcp}", domain: {account: other}}, {key: "${spread}"}, {key: "${bao}"}]}}`)).toEqual([
      { name: arn, place: { cloud: 'aws', account: '111122223333', region: 'eu-central-1', zone: 'multi' } },
      { name: gcp, place: { cloud: 'gcp', account: 'other', region: 'europe-west3', zone: 'multi' } },
      { name: spread, place: { cloud: 'gcp', account: 'acme', region: 'multi', zone: 'multi' } },
      { name: bao, place: {} },
    ]);
    expect(openers('{openers: [{kind: aws-kms, domain: {region: eu-west-1}}, {kind: aws-kms, name: spare}, {kind: vault-transit}, {kind: age, domain: {cloud: GCP}}]}')).toEqual([
      { name: 'aws-kms 1', place: { cloud: 'aws', region: 'eu-west-1', zone: 'multi' } },
      { name: 'spare', place: { cloud: 'aws', zone: 'multi' } },
      { name: 'vault-transit', place: {} },
      { name: 'age', place: { cloud: 'gcp' } },
    ]);
  });

  it('takes a way in for granted where none is named, and says so', () => {
    const plan = placed({ vaults: FOLDERS, plan: '{site: prod, vaults: [a]}' });
    expect(plan.topology.openers).toEqual([{ name: 'age or passphrase', place: 'outside' }]);
    expect(doubtsOf(plan).join('\n')).toContain('keys.openers');
  });

  it('does not count on what looks mistyped, and says so with its line', () => {
    const plan = placed({
      site: '{domain: {cloud: gpc, region: europe-west3}}',
      vaults: '{a: {type: directory, path: a, domain: {cloud: aws, region: eu-west-1a}}, b: {type: directory, path: b, domain: {cloud: Google-Cloud, region: eu}}}',
      rest: 'control: {domain: {cloud: own, region: berlin}}',
      plan: '{site: prod, vaults: [a, b], outlives: region}',
    });
    expect(plan.topology.vaults.map(({ place }) => place)).toEqual([{ cloud: 'aws' }, { cloud: 'gcp' }]);
    expect(plan.topology.site.place).toEqual({ cloud: 'gcp', region: 'europe-west3' });
    expect(plan.topology.control?.place).toEqual({ cloud: 'own', region: 'berlin' });
    expect(plan.mistyped).toEqual([
      'vault a (lifeboat.yaml:3): `eu-west-1a` is no region of aws, and counts as not given: is it a zone? The region is `eu-west-1`',
      'vault b (lifeboat.yaml:3): `eu` is no region of gcp, and counts as not given: for a bucket in several regions write `multi`',
      'site prod (lifeboat.yaml:2): cloud `gpc` looks like `gcp` mistyped, and counts as it; if it is another provider, give it a name less like it',
    ]);
  });

  it('keeps a misspelt cloud from passing for one more cloud', () => {
    const vaults = (cloud: string): string => `{a: {type: s3, bucket: near, region: eu-west-1}, b: {type: directory, path: b, domain: {cloud: ${cloud}, account: x, region: eu-west-2}}}`;
    const holds = (cloud: string): boolean | undefined => assess(placed({ vaults: vaults(cloud), plan: '{site: prod, vaults: [a, b], outlives: cloud}' }).topology).holds;
    expect(holds('hetzner')).toBe(true);
    expect(holds('asw')).toBe(false);
  });

  it.each([
    ['one zone by two names', '{cloud: gcp, region: europe-west3, zone: a}', '{cloud: gcp, region: europe-west3, zone: europe-west3-a}', false],
    ['two zones', '{cloud: gcp, region: europe-west3, zone: a}', '{cloud: gcp, region: europe-west3, zone: europe-west3-b}', true],
    ['two zones by their ids', '{cloud: aws, region: eu-central-1, zone: euc1-az1}', '{cloud: aws, region: eu-central-1, zone: euc1-az2}', true],
    ['one that is mistyped', '{cloud: aws, region: eu-central-1, zone: euc1-az1}', '{cloud: aws, region: eu-central-1, zone: euc1-azl}', false],
    ['one of another region', '{cloud: aws, region: eu-central-1, zone: euc1-az1}', '{cloud: aws, region: eu-central-1, zone: eu-west-1a}', false],
    ['an id and a name', '{cloud: aws, region: eu-central-1, zone: euc1-az1}', '{cloud: aws, region: eu-central-1, zone: eu-central-1b}', false],
    ['names of one account', '{cloud: aws, account: "1", region: eu-central-1, zone: eu-central-1a}', '{cloud: aws, account: "1", region: eu-central-1, zone: eu-central-1b}', true],
    ['names of two accounts', '{cloud: aws, account: "1", region: eu-central-1, zone: eu-central-1a}', '{cloud: aws, account: "2", region: eu-central-1, zone: eu-central-1b}', false],
    ['names of who knows which accounts', '{cloud: aws, region: eu-central-1, zone: eu-central-1a}', '{cloud: aws, region: eu-central-1, zone: eu-central-1b}', false],
    ['numbers of one subscription', '{cloud: azure, account: s, region: westeurope, zone: "1"}', '{cloud: azure, account: s, region: westeurope, zone: westeurope-1}', false],
    ['two zones of a data centre of one’s own', '{cloud: own, region: rome, zone: cellar}', '{cloud: own, region: rome, zone: attic}', true],
  ])('takes for two zones only what is known to be two: %s', (_, one, two, holds) => {
    const folders = `{a: {type: directory, path: a, domain: ${one}}, b: {type: directory, path: b, domain: ${two}}}`;
    const plan = placed({ site: '{domain: {cloud: elsewhere, region: r, zone: z}}', vaults: folders, rest: 'control: {domain: {cloud: elsewhere, region: r, zone: y}}', plan: '{site: prod, vaults: [a, b], copies: 2, outlives: zone}' });
    expect([assess(plan.topology).holds, plan.topology.vaults.length]).toEqual([holds, 2]);
  });

  it('names the zone that does not count, and why', () => {
    const folders =
      '{a: {type: directory, path: a, domain: {cloud: aws, region: eu-central-1, zone: euc1-azl}}, b: {type: directory, path: b, domain: {cloud: aws, region: eu-west-1, zone: eu-west-1b}}, c: {type: directory, path: c, domain: {cloud: aws, region: eu-west-1, zone: euw1-az1}}}';
    expect(placed({ vaults: folders, plan: '{site: prod, vaults: [a, b, c]}' }).mistyped).toEqual([
      'vault a (lifeboat.yaml:3): `euc1-azl` is no zone of aws eu-central-1, and counts as not given',
      expect.stringMatching(/^vault b \(lifeboat\.yaml:3\): `eu-west-1b` may be any of the zones that others are in.*`euc1-az1`\)$/) as string,
    ]);
  });

  it('says what is not given, and what may be mistyped', () => {
    const doubts = doubtsOf(
      placed({
        site: '{domain: {cloud: aws, region: eu-centrl-1, zone: eu-centrl-1a}}',
        vaults: '{a: {type: s3, bucket: near, region: eu-central-1}, b: {type: directory, path: b}, c: {type: s3, bucket: far, region: eu-west-1}}',
        rest: 'control: {domain: {cloud: own, region: berlin}}',
        plan: '{site: prod, vaults: [a, b, c], outlives: region}',
      }),
    );
    expect(doubts).toEqual([
      'vault b: cloud and region not given (`domain`); it counts as lost with any',
      'site prod: `eu-centrl-1` differs by a letter from `eu-central-1` of vault a, and counts as another region: is one of them mistyped?',
      'site prod: `eu-centrl-1a` means another zone in another account; the zone’s id (such as `euc1-az1`) does not',
      'cloud, region and zone of vaults a and c are taken from their settings',
      expect.stringContaining('taken for granted') as string,
    ]);
  });
});

describe('a plan that breaks its promise', () => {
  const config = parseConfig(
    `version: 1
sites: {prod: {domain: {cloud: aws, account: "1", region: eu-central-1}}}
vaults:
  near: {type: s3, bucket: near-bucket, region: eu-central-1, domain: {account: "1"}}
  west: {type: s3, bucket: west-bucket, region: eu-west-1, domain: {account: "1"}}
  south: {type: directory, path: south, domain: {cloud: own, account: own, region: rome, zone: a}}
plans:
  kept: {site: prod, vaults: [near, west], outlives: region}
  broken: {site: prod, vaults: [near, west], outlives: cloud}
  silent: {site: prod, vaults: [near, west]}
`,
    'lifeboat.yaml',
  );
  const refuse = (name: string) => (): void => {
    const plan = config.plans.get(name);
    if (plan !== undefined) refuseBrokenPromise(config, name, plan);
  };

  it('is refused with the reason and the nearest plan that would pass', () => {
    expect(refuse('broken')).toThrow(
      expect.objectContaining({
        code: 'LB_PLACEMENT_BROKEN',
        message: 'Plan "broken" promises to outlive a cloud, and does not: losing cloud aws takes every vault: near and west (lifeboat.yaml:4 and lifeboat.yaml:5)',
        where: 'lifeboat.yaml:9: plans.broken.outlives',
        hint: expect.stringContaining('Add vault south to plans.broken.vaults (lifeboat.yaml:9); set `copies: 3` in plans.broken (now 2) (lifeboat.yaml:9).') as string,
      }) as Error,
    );
  });

  it('is the only one that is refused', () => {
    expect(refuse('kept')).not.toThrow();
    expect(refuse('silent')).not.toThrow();
  });
});
