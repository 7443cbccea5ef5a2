import { describe, expect, it } from 'vitest';
import { adapt, comparable } from '../../src/adapt/adapt.ts';
import type { Adaptation } from '../../src/adapt/adapt.ts';
import { CATALOGUE } from '../../src/adapt/catalogue.ts';
import { NO_FACTS } from '../../src/adapt/facts.ts';
import type { CustomType, Facts } from '../../src/adapt/facts.ts';
import { parseObject } from '../../src/adapt/json.ts';
import type { JsonObject } from '../../src/adapt/json.ts';
import { isPristine } from '../../src/adapt/pristine.ts';
import { readRow, sameButFilled } from '../../src/adapt/row.ts';
import type { Row } from '../../src/adapt/row.ts';
import { ASIDES, CHANGES, DRILLS, DROPS, FILLS, NOTES } from './examples.ts';
import type { Example } from './examples.ts';
import { kind } from './kinds.ts';

function parsed(object: object): JsonObject {
  return parseObject(Buffer.from(JSON.stringify(object)));
}

function adapted(example: Pick<Example, 'type' | 'version' | 'facts'>, object: object): Adaptation {
  const facts: Facts = { ...NO_FACTS, ...example.facts };
  return adapt(parsed(object), kind(example.type, example.version), facts);
}

function portable(example: Example, object: object): object {
  const result = adapted(example, object);
  if (!result.kept) throw new Error(`dropped by ${result.rule.id}`);
  const { apiVersion: _, kind: __, ...rest } = result.object;
  return rest;
}

describe('rules that drop', () => {
  it.each(DROPS)('$rule drops $type', (example) => {
    const result = adapted(example, example.object);
    expect(result.kept ? 'kept' : result.rule.id).toBe(example.rule);
    for (const spared of example.spares ?? []) expect(adapted(example, spared).kept).toBe(true);
  });
});

describe('rules that change', () => {
  it.each(CHANGES)('$rule changes $type', (example) => {
    expect(portable(example, example.object)).toEqual(example.becomes);
    for (const spared of example.spares ?? []) expect(portable(example, spared)).toEqual(spared);
  });

  it('are named for an object they changed, but the routine ones are not', () => {
    const result = adapted({ type: 'services' }, { metadata: { name: 'x', namespace: 'a', uid: 'u' }, spec: { clusterIP: '10.0.0.1' }, status: {} });
    expect(result.kept && result.changed).toEqual(['service-addresses']);
  });
});

describe('rules that set aside for comparing', () => {
  it.each(ASIDES)('$rule sets parts of $type aside, and they are restored all the same', (example) => {
    expect(portable(example, example.object)).toEqual(example.object);
    expect(comparable(parsed(example.object), kind(example.type))).toEqual(example.becomes);
    for (const spared of example.spares ?? []) expect(comparable(parsed(spared), kind(example.type))).toEqual(spared);
  });
});

describe('fields the target fills', () => {
  it.each(FILLS)('$rule compares them in $type only where both sides have them', (example) => {
    const row = (object: object): Row => {
      const read = readRow(Buffer.from(JSON.stringify(object)), kind(example.type), NO_FACTS);
      if (read === undefined) throw new Error('not selected');
      return read;
    };
    const [left, right, other] = [example.object, example.becomes ?? {}, example.spares?.[0] ?? {}].map(row) as [Row, Row, Row];
    expect(sameButFilled(left, right)).toBe(true);
    expect(sameButFilled(right, left)).toBe(true);
    expect(sameButFilled(right, other)).toBe(false);
  });
});

describe('rules that tell people', () => {
  it.each(NOTES)('$rule speaks of $type', (example) => {
    const told = adapted(example, example.object);
    expect(told.kept && told.notes).toEqual([example.rule]);
    for (const spared of example.spares ?? []) {
      const silent = adapted(example, spared);
      expect(silent.kept && silent.notes).toEqual([]);
    }
  });
});

describe('rules for drills', () => {
  const inDrill = (example: Example): Example => ({ ...example, facts: { drill: { spare: false, mark: '' }, ...example.facts } });

  it.each(DRILLS)('$rule makes $type harmless in a drill, and nowhere else', (example) => {
    const drilled = adapted(inDrill(example), example.object);
    expect(drilled.kept && drilled.changed).toContain(example.rule);
    expect(portable(inDrill(example), example.object)).toEqual(example.becomes);
    for (const spared of example.spares ?? []) expect(portable(inDrill(example), spared)).toEqual(spared);
    const restored = adapted({ type: example.type }, example.object);
    expect(restored.kept && restored.changed).not.toContain(example.rule);
  });

  it.each(DRILLS)('$rule changes nothing in $type that it has changed already', (example) => {
    const again = portable(inDrill(example), example.becomes ?? {});
    expect(again).toEqual(example.becomes);
  });

  it('that are for spare sites leave a control plane of the drill alone', () => {
    expect(portable({ rule: '', type: 'configmaps', object: {}, facts: { drill: { spare: false, mark: 'abc' } } }, { metadata: { name: 'x', finalizers: ['f'] } })).toEqual({ metadata: { name: 'x', finalizers: ['f'] } });
  });
});

it('every rule about single objects has an example', () => {
  const shown = new Set([...DROPS, ...CHANGES, ...ASIDES, ...FILLS, ...NOTES, ...DRILLS].map(({ rule }) => rule));
  expect(CATALOGUE.filter((rule) => rule.effect !== 'set').map(({ id }) => id).filter((id) => !shown.has(id))).toEqual([]);
});

describe('the status of custom resources', () => {
  const boat = { metadata: { name: 'b', namespace: 'a' }, spec: {}, status: { afloat: true } };
  const facts = (statusVersions: string[]): Partial<Facts> => {
    const type: CustomType = { name: 'boats.example.com', kind: 'Boat', namespaced: true, served: ['v1', 'v2'], storage: 'v1', statusVersions, conversion: 'None' };
    return { customTypes: new Map([['boats.example.com', type]]) };
  };

  it('goes where the version has the status subresource', () => {
    expect(portable({ rule: '', type: 'boats.example.com', facts: facts(['v1']), object: {} }, boat)).not.toHaveProperty('status');
  });

  it('is data, and stays, where it has not', () => {
    expect(portable({ rule: '', type: 'boats.example.com', version: 'v2', facts: facts(['v1']), object: {} }, boat)).toHaveProperty('status');
  });
});

describe('the portable form', () => {
  it('gives objects of lists their apiVersion and kind', () => {
    const result = adapted({ type: 'deployments.apps' }, { metadata: { name: 'x', namespace: 'a' } });
    expect(result.kept && [result.object['apiVersion'], result.object['kind']]).toEqual(['apps/v1', 'Deployment']);
  });

  it('has its owners apart', () => {
    const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'u', controller: true, blockOwnerDeletion: true }];
    const result = adapted({ type: 'replicasets.apps' }, { metadata: { name: 'x', namespace: 'a', ownerReferences } });
    expect(result.kept && result.object).not.toHaveProperty('metadata.ownerReferences');
    expect(result.kept && result.owners).toEqual([{ uid: 'u', group: 'apps', apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', controller: true, blockOwnerDeletion: true }]);
  });
});

describe('what a cluster makes by itself', () => {
  it('is pristine until somebody adds to it', () => {
    const pristine = (resource: string, object: object): boolean => isPristine(parsed(object), resource);
    expect(pristine('serviceaccounts', { metadata: { name: 'default', namespace: 'a' } })).toBe(true);
    expect(pristine('serviceaccounts', { metadata: { name: 'default', namespace: 'a' }, imagePullSecrets: [{ name: 'x' }] })).toBe(false);
    expect(pristine('serviceaccounts', { metadata: { name: 'other', namespace: 'a' } })).toBe(false);
    expect(pristine('namespaces', { metadata: { name: 'kube-system', labels: { 'kubernetes.io/metadata.name': 'kube-system' } } })).toBe(true);
    expect(pristine('namespaces', { metadata: { name: 'default', labels: { 'kubernetes.io/metadata.name': 'default', team: 'x' } } })).toBe(false);
    expect(pristine('namespaces', { metadata: { name: 'shop' } })).toBe(false);
  });
});
