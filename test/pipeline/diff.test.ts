import { describe, expect, it } from 'vitest';
import { diffStates } from '../../src/pipeline/diff/diff.ts';
import type { DiffOptions } from '../../src/pipeline/diff/diff.ts';
import type { DiffReport } from '../../src/pipeline/diff/report.ts';
import type { StateSource } from '../../src/site/types.ts';
import { item, memoryState, uid } from './memory-state.ts';

type Objects = Parameters<typeof memoryState>[0];

const diff = (a: Objects | StateSource, b: Objects | StateSource, options?: DiffOptions): Promise<DiffReport> => diffStates(asState(a), asState(b), options);
const asState = (value: Objects | StateSource): StateSource => ('summary' in value ? (value as StateSource) : memoryState(value));
const changes = (report: DiffReport): string[] => report.objects.map(({ change, object }) => `${change} ${object}`);

describe('comparing two states', () => {
  it('finds what was added, removed and changed, and counts what is the same', async () => {
    const report = await diff(
      { configmaps: [item('a', 'same'), item('a', 'changed', { data: { x: '1' } }), item('a', 'removed')], namespaces: [item('', 'a')] },
      { configmaps: [item('a', 'added'), item('a', 'changed', { data: { x: '2' } }), item('a', 'same', {}, { resourceVersion: '9', uid: uid('other') })], namespaces: [item('', 'a')] },
    );
    expect(changes(report)).toEqual(['added ConfigMap a/added', 'changed ConfigMap a/changed', 'removed ConfigMap a/removed']);
    expect(report).toMatchObject({ equal: false, same: 2, added: 1, removed: 1, changed: 1, derived: 0, truncated: false, types: [{ type: 'configmaps', added: 1, removed: 1, changed: 1 }] });
    expect(report.objects[1]?.differences).toEqual([{ path: 'data.x', a: '"1"', b: '"2"' }]);
  });

  it('lists as many differences as asked for, and counts them all', async () => {
    const objects = Array.from({ length: 50 }, (_, n) => item('a', `x-${n}`));
    const report = await diff({ configmaps: objects }, { configmaps: [] }, { limit: 10 });
    expect(report).toMatchObject({ removed: 50, truncated: true });
    expect(report.objects).toHaveLength(10);
  });

  it('never shows what is in a Secret, and tells equal values from different ones', async () => {
    const secret = (name: string, value: string): object =>
      item('a', name, { data: { password: value, other: value }, type: 'Opaque' }, { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': `{"password":"${value}"}` }, labels: { tier: value.length > 3 ? 'x' : 'y' } });
    const report = await diff({ secrets: [secret('s', 'old')] }, { secrets: [secret('s', 'hunter2')] });
    expect(JSON.stringify(report)).not.toMatch(/hunter2|"old"/);
    const shown = new Map(report.objects[0]?.differences?.map(({ path, a, b }) => [path, { a, b }]));
    expect(shown.get('data.password')).toEqual(shown.get('data.other'));
    expect(shown.get('metadata.labels.tier')).toEqual({ a: '"y"', b: '"x"' });
    expect([...shown.keys()]).toContain('metadata.annotations[kubectl.kubernetes.io/last-applied-configuration]');
  });

  it('looks only at what both sides were cut to hold, and at what is asked for', async () => {
    const whole = { configmaps: [item('a', 'x'), item('b', 'x')], secrets: [item('a', 's')], nodes: [item('', 'n')] };
    const part = memoryState({ configmaps: [item('a', 'x')] }, { selection: { namespaces: ['a'], types: ['configmaps'] } });
    expect((await diff(part, whole)).equal).toBe(true);
    expect((await diff(whole, part)).equal).toBe(true);
    expect(changes(await diff(whole, { configmaps: [], secrets: [] }, { selection: { types: ['Secret'] } }))).toEqual(['removed Secret a/s']);
  });

  it('refuses names that neither side has, and says what may be meant', async () => {
    const a = { namespaces: [item('', 'shop')], configmaps: [item('shop', 'x')], secrets: [] };
    const b = { namespaces: [item('', 'shop'), item('', 'bank')], configmaps: [item('shop', 'x')], secrets: [] };
    const refused = (selection: NonNullable<DiffOptions['selection']>, message: string, hint: string): Promise<void> =>
      expect(diff(a, b, { selection })).rejects.toMatchObject({ code: 'LB_USAGE', message: expect.stringContaining(message) as unknown, hint: expect.stringContaining(hint) as unknown });
    await refused({ namespaces: ['shop', 'shpo'] }, 'no namespace shpo', 'Did you mean shop?');
    await refused({ namespaces: ['shpo'], types: ['configmaps'] }, 'no namespace shpo', 'Did you mean shop?');
    await refused({ types: ['secret'] }, 'no type secret', 'Did you mean Secret?');
    await refused({ namespaces: ['x-*'] }, 'matches the selection', 'lifeboat show');
    await refused({ types: ['secrets'] }, 'matches the selection', 'lifeboat show');
    expect(await diff(a, b, { selection: { namespaces: ['shop', 'bank'], types: ['configmaps'] } })).toMatchObject({ equal: true, same: 1 });
    expect(changes(await diff(a, b, { selection: { namespaces: ['bank'] } }))).toEqual(['added Namespace bank']);
  });

  it('says which types it knows nothing about', async () => {
    const a = memoryState({ configmaps: [item('a', 'x')] }, { missing: { secrets: 'may not be listed' } });
    const report = await diff(a, { configmaps: [item('a', 'x')], secrets: [item('a', 's')] });
    expect(report).toMatchObject({ equal: true, notCompared: [{ type: 'secrets', reason: 'may not be listed' }] });
  });

  it('matches objects that were read in different versions', async () => {
    const a = memoryState({ 'deployments.apps': [item('a', 'x', { spec: { replicas: 1 } })] }, { versions: { 'deployments.apps': 'v1beta2' } });
    expect((await diff(a, { 'deployments.apps': [item('a', 'x', { spec: { replicas: 1 } })] })).equal).toBe(true);
  });

  it('shows where more objects differ than fit into memory at once', async () => {
    const large = (value: string): object[] => Array.from({ length: 6 }, (_, n) => item('a', `x-${n}`, { data: { large: 'y'.repeat(4_000_000), value } }));
    const report = await diff({ configmaps: large('1') }, { configmaps: large('2') });
    expect(report.objects.map(({ differences }) => differences)).toEqual(Array.from({ length: 6 }, () => [{ path: 'data.value', a: '"1"', b: '"2"' }]));
  });
});

describe('what is set aside', () => {
  it('is counted by rule', async () => {
    const report = await diff({ events: [item('a', 'x.1'), item('a', 'x.2')], configmaps: [item('a', 'kube-root-ca.crt')] }, { events: [] });
    expect(report).toMatchObject({ equal: true, a: { setAside: { 'runtime-events': 2, 'cluster-root-ca': 1 } }, b: { setAside: {} } });
  });

  it('are owners that are nowhere, and what goes with a dropped owner', async () => {
    const owner = (kind: string, id: string): object => ({ ownerReferences: [{ apiVersion: 'v1', kind, name: 'o', uid: id }] });
    const pod = item('a', 'p', {}, { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: uid('r'), controller: true }], uid: uid('pod') });
    const a = { configmaps: [item('a', 'dangling', {}, owner('ConfigMap', uid('nobody'))), item('a', 'of-pod', {}, owner('Pod', uid('pod')))], pods: [pod] };
    const report = await diff(a, { configmaps: [item('a', 'dangling')], pods: [] });
    expect(report).toMatchObject({ equal: true, same: 1, a: { setAside: { 'pod-controlled': 1, 'owner-not-restored': 1 } } });
  });

  it('are not owners that one side has lost', async () => {
    const owned = (id?: string): object => item('a', 'child', {}, id === undefined ? {} : { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: id }] });
    const owner = item('a', 'owner', {}, { uid: uid('owner') });
    const report = await diff({ configmaps: [owner, owned(uid('owner'))] }, { configmaps: [owner, owned()] });
    expect(report.objects).toEqual([{ type: 'configmaps', object: 'ConfigMap a/child', change: 'changed', differences: [{ path: 'metadata.ownerReferences', a: 'ConfigMap/owner', b: '' }] }]);
    expect((await diff({ configmaps: [owner, owned(uid('owner'))] }, { configmaps: [item('a', 'owner', {}, { uid: uid('new') }), owned(uid('new'))] })).equal).toBe(true);
  });

  it('is what controllers of the second side made of what both have', async () => {
    const by = (kind: string, name: string): object => ({ ownerReferences: [{ apiVersion: 'apps/v1', kind, name, uid: uid(`${kind}/${name}`), controller: true }] });
    const both = {
      'deployments.apps': [item('a', 'web', {}, { uid: uid('Deployment/web') })],
      'statefulsets.apps': [item('a', 'db', { spec: { volumeClaimTemplates: [{ metadata: { name: 'data' } }] } })],
      'cronjobs.batch': [item('a', 'nightly', {}, { uid: uid('CronJob/nightly') })],
    };
    const made = {
      'replicasets.apps': [item('a', 'web-1', {}, by('Deployment', 'web')), item('a', 'other-1', {}, by('Deployment', 'gone'))],
      persistentvolumeclaims: [item('a', 'data-db-0'), item('a', 'data-db-x')],
      'jobs.batch': [item('a', 'nightly-1', {}, by('CronJob', 'nightly'))],
      serviceaccounts: [item('a', 'default'), item('a', 'mine')],
    };
    const report = await diff(both, { ...both, ...made });
    expect(changes(report)).toEqual(['added PersistentVolumeClaim a/data-db-x', 'added ServiceAccount a/mine', 'added ReplicaSet a/other-1']);
    expect(report.derived).toBe(4);
    // What the first side had and the second lacks was lost, except for Jobs, which end.
    expect(changes(await diff({ ...both, ...made }, both))).toEqual(expect.arrayContaining(['removed ReplicaSet a/web-1', 'removed PersistentVolumeClaim a/data-db-0', 'removed ServiceAccount a/default']));
    expect(changes(await diff({ ...both, ...made }, both))).not.toContain('removed Job a/nightly-1');
  });
});
