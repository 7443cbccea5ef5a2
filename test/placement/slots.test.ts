import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { placedPlan } from '../../src/placement/from-config.ts';
import { slotFindings } from '../../src/placement/slots.ts';
import type { PlacedSlot } from '../../src/placement/slots.ts';
import { assess } from '../../src/placement/survival.ts';

const VAULTS = ['s3', 'gcs', 'azure'];
const ARN = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const AGE: PlacedSlot = { id: 'a'.repeat(64), kind: 'post-quantum', role: 'owner', vaults: VAULTS };
const KMS: PlacedSlot = { id: 'b'.repeat(64), kind: 'aws-kms', role: 'owner', key: `aws-kms:${ARN}`, vaults: VAULTS };

/** Kinds and texts of what is found in a plan over three clouds with these keys, when the vaults hold these slots. */
function found(keys: string, slots: readonly PlacedSlot[], asked: readonly string[] = VAULTS): readonly string[] {
  const config = parseConfig(
    `version: 1
sites: {prod: {domain: {cloud: aws, account: "111122223333", region: eu-central-1}}}
vaults:
  s3: {type: s3, bucket: backups, region: eu-central-1, domain: {account: "111122223333"}}
  gcs: {type: gcs, bucket: backups, domain: {account: acme, region: europe-west3}}
  azure: {type: azure, account: acme, container: backups, domain: {account: acme, region: westeurope, zone: multi}}
keys: ${keys}
plans: {prod: {site: prod, vaults: [s3, gcs, azure], outlives: cloud}}
`,
    'lifeboat.yaml',
  );
  const plan = config.plans.get('prod');
  if (plan === undefined) throw new Error('there is no plan');
  const placed = placedPlan(config, plan);
  return slotFindings(placed, assess(placed.topology), slots, asked).map(({ kind, text }) => `${kind}: ${text}`);
}

const BOTH = '{openers: [{kind: aws-kms, domain: {account: "111122223333", region: eu-central-1}}, {kind: age}]}';

describe('key slots in the vaults, against what lifeboat.yaml names', () => {
  it('are as they should be', () => {
    expect(found(BOTH, [AGE, KMS])).toEqual([]);
  });

  it('break the promise when the only way that is left has no slot', () => {
    expect(found(BOTH, [KMS])).toEqual([
      'breaks: losing cloud aws: nothing that is left (age) opens a key slot: the vaults have none for it',
      'nothing-opened: age is named, and no vault has a key slot that it opens: it counts for nothing; `lifeboat keys add --recipient age1…` makes one',
    ]);
  });

  it('break the promise when the slot of the only way that is left is lost with the cloud', () => {
    expect(found(BOTH, [{ ...AGE, vaults: ['s3'] }, KMS])).toEqual([
      'breaks: losing cloud aws: of what is left (age) the key slots are lost with it: aaaaaaaaaaaa (age) is in no other vault',
      'not-everywhere: key slot aaaaaaaaaaaa (age) is not in gcs and azure: `lifeboat replicate` copies it there',
    ]);
  });

  it('do not count when it is not known which of them a way in opens, and one is lost', () => {
    const other = { ...AGE, id: 'c'.repeat(64), vaults: ['s3'] };
    expect(found(BOTH, [AGE, other, KMS])[0]).toContain('breaks: losing cloud aws');
    expect(found(BOTH, [AGE, { ...other, vaults: VAULTS }, KMS])).toEqual([]);
  });

  it('do not break it because a vault is away for now', () => {
    expect(found(BOTH, [{ ...AGE, vaults: ['s3'] }, { ...KMS, vaults: ['s3'] }], ['s3'])).toEqual([]);
  });

  it('are told of when nothing named opens them', () => {
    expect(found('{openers: [{kind: age}]}', [AGE, KMS])).toEqual([
      `not-named: key slot bbbbbbbbbbbb (aws-kms:${ARN}) is opened by nothing that keys.openers names: name it under keys.openers to count on it (\`kind: aws-kms\`), or take it away: \`lifeboat keys remove bbbbbbbbbbbb\``,
    ]);
  });

  it('are not asked to be named where lifeboat.yaml does not say that it names all', () => {
    expect(found('{read: {identityFile: id}}', [AGE, KMS])).toEqual([]);
    expect(found('{}', [AGE, KMS])).toEqual([]);
  });

  it('show that a key service stands elsewhere than it is said to', () => {
    const keys = '{openers: [{kind: aws-kms, domain: {account: "111122223333", region: eu-west-1}}, {kind: age}]}';
    expect(found(keys, [AGE, KMS])[0]).toBe(
      `nothing-opened: aws-kms is named, and no vault has a key slot that it opens: there is one for aws-kms:${ARN}, in region eu-central-1, and lifeboat.yaml says region eu-west-1`,
    );
  });

  it('fit the key that is named, and any replica of a multi-Region key', () => {
    const replica = (region: string): string => `aws-kms:arn:aws:kms:${region}:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab`;
    const keys = (key: string): string => `{openers: [{kind: aws-kms, key: "${key}"}, {kind: age}]}`;
    expect(found(keys(`aws-kms:${ARN}`), [AGE, KMS])).toEqual([]);
    expect(found(keys(replica('eu-west-1')), [AGE, { ...KMS, key: replica('eu-central-1') }])).toEqual([]);
    expect(found(keys(replica('eu-west-1')), [AGE, KMS]).map((text) => text.split(':')[0])).toEqual(['nothing-opened', 'not-named']);
  });

  it('do not count when they hold the maintain key alone', () => {
    expect(found('{openers: [{kind: age}]}', [{ ...AGE, role: 'maintain' }])[0]).toContain('breaks: losing cloud aws');
    expect(found('{openers: [{kind: age}]}', [{ ...AGE, role: 'read' }])).toEqual([]);
  });

  it('show that what was taken for granted is not there', () => {
    expect(found('{}', [KMS])).toEqual([
      'breaks: losing cloud aws: nothing that is left (age or passphrase) opens a key slot: the vaults have none for it',
      'nothing-opened: a passphrase or identity is taken for granted, and no vault has a key slot that it opens: it counts for nothing; `lifeboat keys add --recipient age1…` makes one',
    ]);
  });
});
