import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/config/problem.ts';

const GOOD = `version: 1
sites:
  prod:
    domain: {cloud: aws, account: "1", region: eu-central-1}
vaults:
  near:
    type: s3
    bucket: backups-near
    region: eu-central-1
    domain: {account: "1"}
  far:
    type: directory
    path: far
    domain: {cloud: own, region: berlin}
keys:
  openers:
    - kind: aws-kms
      domain: {account: "1", region: eu-central-1}
    - kind: passphrase
control:
  domain: {cloud: own, region: berlin}
plans:
  prod:
    site: prod
    vaults: [near, far]
    copies: 2
    outlives: region
`;

/** The mistakes of `GOOD` with one piece replaced, as `line path: message / hint`. */
function mistakes(from: string, to: string): readonly string[] {
  if (!GOOD.includes(from)) throw new Error(`not in the good text: ${from}`);
  try {
    parseConfig(GOOD.replace(from, to), 'lifeboat.yaml');
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ line, path, message, hint }) => `${line} ${path}: ${message} / ${hint ?? ''}`);
  }
}

describe('domains and promises in lifeboat.yaml', () => {
  it('are read as they are written', () => {
    const config = parseConfig(GOOD, 'lifeboat.yaml');
    expect(config.sites.get('prod')?.domain).toEqual({ cloud: 'aws', account: '1', region: 'eu-central-1' });
    expect(config.vaults.get('near')?.domain).toEqual({ account: '1' });
    expect(config.openers?.map(({ kind }) => kind)).toEqual(['aws-kms', 'passphrase']);
    expect(config.control?.domain.region).toBe('berlin');
    expect(config.plans.get('prod')).toMatchObject({ copies: 2, outlives: 'region' });
  });

  const cases: readonly (readonly [title: string, from: string, to: string, expected: string])[] = [
    ['a level that does not exist', '"1", region: eu-central-1}\nvaults', '"1", regoin: x}\nvaults', '4 sites.prod.domain.regoin: there is no such field / did you mean `region`?'],
    ['a promise that does not exist', 'outlives: region', 'outlives: clod', '27 plans.prod.outlives: must be `zone` or `region` or `account` or `cloud` / did you mean `cloud`?'],
    ['a kind of key that does not exist', 'kind: aws-kms', 'kind: aws-kns', '17 keys.openers.0.kind: must be `age` or `passphrase` or `aws-kms` or `gcp-kms` or `azure-key-vault` or `vault-transit` / did you mean `aws-kms`?'],
    ['more copies than vaults', 'copies: 2', 'copies: 3', '26 plans.prod.copies: the plan has 2 vaults: no point could ever be safe / write 2 or less, or name more vaults'],
    ['no copies', 'copies: 2', 'copies: 0', '26 plans.prod.copies: must be at least 1 / '],
    ['half a copy', 'copies: 2', 'copies: 1.5', '26 plans.prod.copies: must be a whole number / How many of the vaults must hold a recovery point for it to count as safe. Default: a majority of them.'],
    ['an Amazon bucket in another cloud', 'domain: {account: "1"}', 'domain: {cloud: gcp}', '10 vaults.near.domain.cloud: `type: s3` without `endpoint` is in aws / correct it, or give the `endpoint` of the store that is meant'],
    ['a bucket in two regions', 'domain: {account: "1"}', 'domain: {region: eu-west-1}', '10 vaults.near.domain.region: the bucket is in eu-central-1 / leave it out: it is taken from `region` of the vault'],
    ['a cloud that is several', 'domain: {cloud: own, region: berlin}\nkeys', 'domain: {cloud: multi}\nkeys', '14 vaults.far.domain.cloud: `multi` is for `region` and `zone`; this is one name / '],
    ['one zone of several regions', 'region: berlin}\nkeys', 'region: multi, zone: a}\nkeys', '14 vaults.far.domain.zone: is one zone, and `region` says that it is kept in several regions / leave one of the two out, or write `zone: multi`'],
    ['a key service in another cloud', 'domain: {account: "1", region: eu-central-1}\n    - kind', 'domain: {cloud: Google}\n    - kind', '18 keys.openers.0.domain.cloud: `kind: aws-kms` is in aws / correct one of the two, or leave the cloud out'],
    ['a domain that is a text', 'domain: {account: "1"}', 'domain: aws', '10 vaults.near.domain: must be a group of fields, not a text / write a group: {cloud: …}; possible in it: `cloud`, `account`, `region`, `zone`'],
    ['an account with leading zeros and no quotes', 'domain: {account: "1"}', 'domain: {account: 0012}', '10 vaults.near.domain.account: must be a text, not a number / put it in quotes: "0012"'],
    ['copies in quotes', 'copies: 2', 'copies: "2"', '26 plans.prod.copies: must be a number, not a text / write it without quotes: 2'],
    ['the name of a bucket that is too short', 'bucket: backups-near', 'bucket: b', '8 vaults.near.bucket: must have at least 3 characters / '],
    ['a key of another service', 'kind: aws-kms', 'kind: aws-kms\n      key: gcp-kms:projects/x', '17 keys.openers.0: `key` is not a key of this `kind` / write it as `lifeboat keys list` shows it: the kind, a colon, and its name in the service'],
    ['two names for one place', 'type: s3\n    bucket: backups-near\n    region: eu-central-1\n    domain: {account: "1"}', 'type: directory\n    path: ./far/', '23 plans.prod.vaults.1: is the same place as `near`: together they are one copy / use one of the two'],
    ['one folder, written in full', 'type: s3\n    bucket: backups-near\n    region: eu-central-1\n    domain: {account: "1"}', `type: directory\n    path: ${resolve('near/../far')}`, '23 plans.prod.vaults.1: is the same place as `near`: together they are one copy / use one of the two'],
  ];
  for (const [title, from, to, expected] of cases) {
    it(`are refused where they contradict themselves: ${title}`, () => {
      expect(mistakes(from, to)).toEqual([expected]);
    });
  }

  it('may name a cloud by another of its names', () => {
    expect(mistakes('domain: {account: "1"}', 'domain: {cloud: Amazon, region: EU-Central-1}')).toEqual([]);
  });

  it('are not judged when the file is read: a restore must work from a plan that breaks its promise', () => {
    expect(mistakes('outlives: region', 'outlives: cloud')).toEqual([]);
    expect(mistakes('domain: {cloud: own, region: berlin}\nkeys', 'domain: {}\nkeys')).toEqual([]);
  });
});
