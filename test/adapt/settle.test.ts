import { describe, expect, it } from 'vitest';
import { NO_FACTS } from '../../src/adapt/facts.ts';
import { readRow } from '../../src/adapt/row.ts';
import type { Row } from '../../src/adapt/row.ts';
import { OwnerSettlement } from '../../src/adapt/settle.ts';
import { kind } from './kinds.ts';

function row(type: string, name: string, owners: readonly string[] = [], rest: object = {}): Row {
  const ownerReferences = owners.map((uid) => ({ apiVersion: 'v1', kind: 'X', name: uid, uid, ...(type === 'pods' ? { controller: true } : {}) }));
  const metadata = { name, namespace: 'a', uid: name, ...(owners.length > 0 ? { ownerReferences } : {}) };
  const read = readRow(Buffer.from(JSON.stringify({ metadata, ...rest })), kind(type), NO_FACTS);
  if (read === undefined) throw new Error('not selected');
  return read;
}

function settle(rows: readonly Row[], name: string): { drop: string; fates: string[] } {
  const byUid = new Map(rows.map((one) => [one.uid, one]));
  const settlement = new OwnerSettlement((uid) => {
    const found = byUid.get(uid);
    return found === undefined ? undefined : { drop: found.drop, row: found };
  });
  const asked = byUid.get(name);
  if (asked === undefined) throw new Error(`no row ${name}`);
  const { drop, fates } = settlement.settle(asked);
  return { drop, fates: fates.map((fate) => fate.kind) };
}

describe('objects and their owners', () => {
  it('stay together when the owner is restored', () => {
    expect(settle([row('configmaps', 'owner'), row('configmaps', 'child', ['owner'])], 'child')).toEqual({ drop: '', fates: ['restored'] });
  });

  it('go together when whatever makes the owner again makes them again', () => {
    const rows = [row('pods', 'pod', ['set']), row('configmaps', 'child', ['pod']), row('configmaps', 'grandchild', ['child'])];
    expect(settle(rows, 'child').drop).toBe('owner-not-restored');
    expect(settle(rows, 'grandchild').drop).toBe('owner-not-restored');
  });

  it('stay when one of several owners stays', () => {
    const rows = [row('pods', 'pod', ['set']), row('configmaps', 'owner'), row('configmaps', 'child', ['pod', 'owner'])];
    expect(settle(rows, 'child')).toEqual({ drop: '', fates: ['dropped', 'restored'] });
  });

  it('stay when the owner is not in the set, or is made by the target', () => {
    expect(settle([row('configmaps', 'child', ['gone'])], 'child')).toEqual({ drop: '', fates: ['unknown'] });
    expect(settle([row('configmaps', 'kube-root-ca.crt'), row('configmaps', 'child', ['kube-root-ca.crt'])], 'child')).toEqual({ drop: '', fates: ['made-by-target'] });
  });

  it('do not hang on each other for ever', () => {
    expect(settle([row('configmaps', 'a', ['b']), row('configmaps', 'b', ['a'])], 'a').drop).toBe('');
  });
});

describe('quotas', () => {
  const quota = (hard: object, used: object): boolean => row('resourcequotas', 'q', [], { spec: { hard }, status: { used } }).exceeded;

  it('are known to be exceeded by any one of their numbers, whatever the unit', () => {
    expect(quota({ pods: '2' }, { pods: '3' })).toBe(true);
    expect(quota({ 'requests.cpu': '1' }, { 'requests.cpu': '1500m' })).toBe(true);
    expect(quota({ 'limits.memory': '1Gi' }, { 'limits.memory': '1000Mi' })).toBe(false);
    expect(quota({ 'limits.memory': '1G' }, { 'limits.memory': '1Gi' })).toBe(true);
    expect(quota({ pods: '2' }, {})).toBe(false);
    expect(quota({ pods: '2' }, { pods: '2' })).toBe(false);
  });
});
