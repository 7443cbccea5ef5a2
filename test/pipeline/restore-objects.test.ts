/** Objects of all kinds that a careless restore would break. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { configMap, differencesTo, namespace, object, openPlace, restoreInto, text, troubles } from './scene.ts';
import type { Place } from './scene.ts';

let from: Place;
let to: Place;

beforeAll(async () => {
  // No controllers in the source: what controllers would write there, the tests write.
  [from, to] = await Promise.all([openPlace({ name: 'from', controllers: false }), openPlace({ name: 'to', controllers: true })]);
});
afterAll(async () => {
  await Promise.all([from, to].map((place) => place[Symbol.asyncDispose]()));
});

const uidOf = (found: unknown): string => z.object({ metadata: z.object({ uid: z.string() }) }).parse(found).metadata.uid;
const ownersOf = (found: unknown): unknown => z.object({ metadata: z.object({ ownerReferences: z.unknown() }) }).parse(found).metadata.ownerReferences;
const container = { name: 'c', image: 'x' };

describe('Services', () => {
  const service = (name: string, spec: object): ReturnType<typeof object> => object('v1', 'Service', 'services', name, { spec });

  it('keep their node ports, and get others only where those are taken', async () => {
    await from.site.api.apply([
      namespace('services'),
      service('free', { type: 'NodePort', ports: [{ port: 80, nodePort: 30101 }] }),
      service('taken', { type: 'NodePort', ports: [{ name: 'a', port: 80, nodePort: 30102 }, { name: 'b', port: 81, nodePort: 30103 }] }),
      service('balanced', { type: 'LoadBalancer', externalTrafficPolicy: 'Local', ports: [{ port: 80, nodePort: 30104 }] }),
      service('headless', { clusterIP: 'None', ports: [{ port: 80 }] }),
      service('elsewhere', { type: 'ExternalName', externalName: 'db.example.com' }),
    ]);
    await to.site.api.apply([namespace('other'), object('v1', 'Service', 'other', 'first', { spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 30102 }] } })]);
    const source = await from.cut({ namespaces: ['services'] });
    const report = await restoreInto(to, source);
    expect(troubles(report)).toEqual([]);
    expect(report.ok).toBe(true);
    expect(report.warnings).toEqual([
      expect.objectContaining({ kind: 'needs-attention', where: 'service-new-address' }),
      { kind: 'changed-for-target', message: 'node port 30102 cannot be had in the target: it chooses another', where: 'Service services/taken' },
    ]);
    expect(await to.find(service('free', {}))).toMatchObject({ spec: { ports: [{ nodePort: 30101 }] } });
    expect(await to.find(service('taken', {}))).toMatchObject({ spec: { ports: [{ nodePort: expect.any(Number) as unknown }, { nodePort: 30103 }] } });
    expect(await to.find(service('headless', {}))).toMatchObject({ spec: { clusterIP: 'None' } });
    // Started again, it sees that only the ports differ, and leaves them.
    const again = await restoreInto(to, source, { existing: 'fail' });
    expect(again).toMatchObject({ ok: true, objects: { created: 0, unchanged: 6, conflict: 0 } });
  });

  it('without a selector keep the endpoints somebody made for them', async () => {
    const slice = (name: string, labels: object): ReturnType<typeof object> =>
      object('discovery.k8s.io/v1', 'EndpointSlice', 'endpoints', name, { addressType: 'IPv4', endpoints: [{ addresses: ['192.0.2.1'] }], ports: [{ port: 5432 }] }, { labels });
    await from.site.api.apply([
      namespace('endpoints'),
      object('v1', 'Service', 'endpoints', 'outside', { spec: { ports: [{ port: 5432 }] } }),
      object('v1', 'Endpoints', 'endpoints', 'outside', { subsets: [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 5432 }] }] }),
      slice('outside-by-hand', { 'kubernetes.io/service-name': 'outside', 'endpointslice.kubernetes.io/managed-by': 'staff' }),
      slice('outside-mirrored', { 'kubernetes.io/service-name': 'outside', 'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io' }),
      object('v1', 'Service', 'endpoints', 'inside', { spec: { selector: { app: 'x' }, ports: [{ port: 80 }] } }),
      object('v1', 'Endpoints', 'endpoints', 'inside', { subsets: [{ addresses: [{ ip: '192.0.2.9' }], ports: [{ port: 80 }] }] }),
    ]);
    const source = await from.cut({ namespaces: ['endpoints'] });
    const report = await restoreInto(to, source);
    expect(troubles(report)).toEqual([]);
    expect(report.dropped).toMatchObject({ 'endpoints-controlled': 1, 'endpointslice-controlled': 1 });
    expect(await differencesTo(source, to)).toEqual([]);
    expect(await to.find(slice('outside-by-hand', {}))).toBeDefined();
  });
});

describe('volumes', () => {
  it('made by hand stay with their claims; provisioned ones are made anew', async () => {
    const volume = (name: string, claim: string, annotations: object): ReturnType<typeof object> =>
      object('v1', 'PersistentVolume', '', name, { spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], nfs: { server: '192.0.2.1', path: '/x' }, persistentVolumeReclaimPolicy: 'Retain', storageClassName: '', claimRef: { namespace: 'volumes', name: claim, uid: 'b5e0b1f4-0000-4000-8000-000000000000' } } }, { annotations });
    const claim = (name: string, spec: object): ReturnType<typeof object> =>
      object('v1', 'PersistentVolumeClaim', 'volumes', name, { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec } }, { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } });
    await from.site.api.apply([
      namespace('volumes'),
      volume('by-hand', 'kept', { 'pv.kubernetes.io/bound-by-controller': 'yes' }),
      volume('pvc-123', 'new', { 'pv.kubernetes.io/provisioned-by': 'disk.example' }),
      claim('kept', { storageClassName: '', volumeName: 'by-hand' }),
      claim('new', { storageClassName: 'fast', volumeName: 'pvc-123' }),
    ]);
    const source = await from.cut({ namespaces: ['volumes'], clusterScoped: true, types: ['PersistentVolume', 'PersistentVolumeClaim', 'Namespace'] });
    const report = await restoreInto(to, source);
    expect(troubles(report)).toEqual([]);
    expect(report.warnings.map(({ kind }) => kind)).toContain('volumes-without-data');
    const kept = claim('kept', {});
    await expect.poll(async () => await to.find(kept), { timeout: 60_000 }).toMatchObject({ status: { phase: 'Bound' }, spec: { volumeName: 'by-hand' } });
    expect((await to.find(claim('new', {})))?.['spec']).not.toHaveProperty('volumeName');
    expect(await to.find(object('v1', 'PersistentVolume', '', 'pvc-123'))).toBeUndefined();
    expect(await differencesTo(source, to)).toEqual([]);
  });
});

describe('ServiceAccounts', () => {
  it('get tokens of the target, in the same Secrets', async () => {
    const data = { token: 'b2xk', 'ca.crt': 'b2xk', namespace: 'dG9rZW5z' };
    const token = (name: string): ReturnType<typeof object> => object('v1', 'Secret', 'tokens', name, { type: 'kubernetes.io/service-account-token', data }, { annotations: { 'kubernetes.io/service-account.name': 'runner' } });
    await from.site.api.apply([
      namespace('tokens'),
      object('v1', 'ServiceAccount', 'tokens', 'default', { imagePullSecrets: [{ name: 'registry' }] }),
      object('v1', 'ServiceAccount', 'tokens', 'runner', { secrets: [{ name: 'runner-token-7xk2p' }, { name: 'runner-login' }] }),
    ]);
    await from.site.api.apply([token('runner-login'), token('runner-token-7xk2p')]);
    const source = await from.cut({ namespaces: ['tokens'] });
    // The controller makes the account `default` before the restore can: it is completed.
    await to.site.api.apply([namespace('tokens')]);
    await expect.poll(async () => await to.find(object('v1', 'ServiceAccount', 'tokens', 'default')), { timeout: 60_000 }).toBeDefined();
    const report = await restoreInto(to, source);
    expect(troubles(report)).toEqual([]);
    expect(report.objects).toMatchObject({ updated: 1, kept: 0 });
    expect(await to.find(object('v1', 'ServiceAccount', 'tokens', 'default'))).toMatchObject({ imagePullSecrets: [{ name: 'registry' }] });
    await expect
      .poll(async () => (await to.find(token('runner-login')))?.['data'], { timeout: 60_000 })
      .toMatchObject({ token: text(/.{100}/) });
    expect(await to.find(token('runner-token-7xk2p'))).toBeUndefined();
    expect(await differencesTo(source, to)).toEqual([]);
  });
});

describe('Jobs', () => {
  const template = { spec: { restartPolicy: 'Never', containers: [container] } };

  it('that are done stay done, and others start with an identity of their own', async () => {
    const job = (name: string, spec: object = {}): ReturnType<typeof object> => object('batch/v1', 'Job', 'jobs', name, { spec: { template, ...spec } });
    await from.site.api.apply([
      namespace('jobs'),
      job('done'),
      job('failed'),
      job('waiting', { suspend: true }),
      job('own-selector', { manualSelector: true, suspend: true, selector: { matchLabels: { job: 'mine' } }, template: { ...template, metadata: { labels: { job: 'mine' } } } }),
    ]);
    const end = (type: string): object => ({
      startTime: '2026-01-01T00:00:00Z',
      ...(type === 'Complete' ? { completionTime: '2026-01-01T00:01:00Z', succeeded: 1, uncountedTerminatedPods: {} } : { failed: 1 }),
      conditions: [{ type: type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget', status: 'True', lastTransitionTime: '2026-01-01T00:01:00Z', lastProbeTime: '2026-01-01T00:01:00Z' }, { type, status: 'True', lastTransitionTime: '2026-01-01T00:01:00Z', lastProbeTime: '2026-01-01T00:01:00Z' }],
    });
    await from.site.api.patch('/apis/batch/v1/namespaces/jobs/jobs/done/status', { status: end('Complete') });
    await from.site.api.patch('/apis/batch/v1/namespaces/jobs/jobs/failed/status', { status: end('Failed') });
    const source = await from.cut({ namespaces: ['jobs'] });
    const report = await restoreInto(to, source);
    expect(troubles(report)).toEqual([]);
    expect(report.dropped).toMatchObject({ 'job-finished': 2 });
    expect(await to.find(job('done'))).toBeUndefined();
    const uid = uidOf(await to.find(job('waiting')));
    expect(await to.find(job('waiting'))).toMatchObject({ spec: { selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } } } });
    expect(await to.find(job('own-selector'))).toMatchObject({ spec: { selector: { matchLabels: { job: 'mine' } } } });
    expect(await differencesTo(source, to)).toEqual([]);
  });
});

describe('what the report says of the target', () => {
  const pod = (name: string): ReturnType<typeof object> => object('v1', 'Pod', 'judged', name, { spec: { automountServiceAccountToken: false, containers: [container] } });

  it('is where an object is not as it was, although it was created', async () => {
    await from.site.api.apply([namespace('judged'), object('v1', 'ServiceAccount', 'judged', 'default'), pod('once')]);
    // Somebody else's limits give the pod what it did not have.
    await to.site.api.apply([namespace('judged'), object('v1', 'LimitRange', 'judged', 'range', { spec: { limits: [{ type: 'Container', default: { memory: '1Gi' } }] } })]);
    const report = await restoreInto(to, await from.cut({ namespaces: ['judged'] }));
    expect(report).toMatchObject({ ok: false, failures: [], verify: { different: 1, missing: 0 } });
    expect(report.verify?.details).toEqual([{ object: 'Pod judged/once', missing: false, differences: expect.arrayContaining([{ path: 'spec.containers[0].resources.limits', b: '{"memory":"1Gi"}' }]) as unknown }]);
  });

  it('is which workloads are up, when it was told to wait', async () => {
    const spec = { replicas: 0, selector: { matchLabels: { app: 'idle' } }, template: { metadata: { labels: { app: 'idle' } }, spec: { containers: [container] } } };
    await from.site.api.apply([namespace('waiting'), object('v1', 'ServiceAccount', 'waiting', 'default'), object('apps/v1', 'Deployment', 'waiting', 'idle', { spec }), object('v1', 'Pod', 'waiting', 'never', { spec: { containers: [container] } })]);
    const source = await from.cut({ namespaces: ['waiting'] });
    expect((await restoreInto(to, source)).workloads).toBeUndefined();
    // One is up when its controller has seen it; the other never will be, however long it is waited for.
    await expect.poll(async () => (await to.find(object('apps/v1', 'Deployment', 'waiting', 'idle')))?.['status'], { timeout: 60_000 }).toMatchObject({ observedGeneration: 1 });
    const report = await restoreInto(to, source, { waitMs: 2_000 });
    expect(report.workloads).toEqual({ ready: 1, notReady: ['Pod waiting/never'], notReadyCount: 1 });
    expect(report.phases.map(({ name }) => name)).toContain('wait');
  });
});

describe('owners', () => {
  const owner = (kind: string, name: string, uid: string, controller = false): object => ({ ownerReferences: [{ apiVersion: kind === 'Pod' || kind === 'ConfigMap' ? 'v1' : 'apps/v1', kind, name, uid, ...(controller ? { controller, blockOwnerDeletion: true } : {}) }] });

  it('are linked by their new UIDs, in whatever order they come; references to nobody are left out', async () => {
    await from.site.api.apply([namespace('owners'), object('v1', 'ServiceAccount', 'owners', 'default'), configMap('owners', 'z-owner')]);
    const uid = uidOf(await from.find(configMap('owners', 'z-owner')));
    const gone = '11111111-2222-4333-8444-555555555555';
    await from.site.api.apply([
      configMap('owners', 'a-child', {}, owner('ConfigMap', 'z-owner', uid)),
      configMap('owners', 'orphan', {}, owner('ConfigMap', 'nobody', gone)),
      object('v1', 'Pod', 'owners', 'once', { spec: { containers: [container], automountServiceAccountToken: false } }, owner('ReplicaSet', 'nobody', gone, true)),
    ]);
    const pod = uidOf(await from.find(object('v1', 'Pod', 'owners', 'once')));
    await from.site.api.apply([configMap('owners', 'goes-with-pod', {}, owner('Pod', 'once', pod))]);
    const source = await from.cut({ namespaces: ['owners'] });
    const report = await restoreInto(to, source);
    expect(troubles(report)).toEqual([]);
    expect(report.dropped).toMatchObject({ 'owner-not-restored': 1, 'pod-controlled': 1 });
    expect(report.warnings).toContainEqual(expect.objectContaining({ kind: 'owner-missing', message: text('owners/orphan') }));
    const child = await to.find(configMap('owners', 'a-child'));
    expect(ownersOf(child)).toEqual([{ apiVersion: 'v1', kind: 'ConfigMap', name: 'z-owner', uid: uidOf(await to.find(configMap('owners', 'z-owner'))) }]);
    expect(await differencesTo(source, to)).toEqual([]);
    // One object alone: its owner is in the target.
    await to.site.api.delete('/api/v1/namespaces/owners/configmaps/a-child');
    const alone = await restoreInto(to, source, { objects: ['ConfigMap/owners/a-child'] });
    expect(troubles(alone)).toEqual([]);
    expect(ownersOf(await to.find(configMap('owners', 'a-child')))).toEqual([expect.objectContaining({ uid: uidOf(await to.find(configMap('owners', 'z-owner'))) })]);
  });

  it('adopt their histories: a Deployment has its old revisions again', async () => {
    const pods = (image: string): object => ({ metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } });
    const deployment = (image: string): ReturnType<typeof object> => object('apps/v1', 'Deployment', 'rollouts', 'web', { spec: { replicas: 2, selector: { matchLabels: { app: 'web' } }, template: pods(image) } });
    // A site of its own with controllers is needed to roll out; the target serves as one.
    await to.site.api.apply([namespace('rollouts'), deployment('x:1')]);
    const revision = async (): Promise<unknown> => (await to.find(deployment('')))?.metadata.annotations?.['deployment.kubernetes.io/revision'];
    await expect.poll(revision, { timeout: 60_000 }).toBe('1');
    await to.site.api.apply([deployment('x:2')]);
    await expect.poll(revision, { timeout: 60_000 }).toBe('2');
    const source = await to.cut({ namespaces: ['rollouts'] });
    await to.site.api.delete('/apis/apps/v1/namespaces/rollouts/deployments/web');
    await expect.poll(async () => (await to.site.api.list('/apis/apps/v1/namespaces/rollouts/replicasets')).length, { timeout: 60_000 }).toBe(0);
    const report = await restoreInto(to, source);
    expect(troubles(report)).toEqual([]);
    await expect.poll(revision, { timeout: 60_000 }).toBe('2');
    const sets = await to.site.api.list('/apis/apps/v1/namespaces/rollouts/replicasets');
    expect(sets.map((set) => set.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? '').toSorted((a, b) => a.localeCompare(b))).toEqual(['1', '2']);
    // The data of revisions is kept byte for byte: written as the server would not, nobody could adopt them.
    const agent = object('apps/v1', 'DaemonSet', 'rollouts', 'agent', { spec: { selector: { matchLabels: { app: 'agent' } }, template: { metadata: { labels: { app: 'agent' } }, spec: { containers: [{ ...container, args: ['a<b && c>d'] }] } } } });
    await to.site.api.apply([agent]);
    const revisions = async (): Promise<unknown[]> => await to.site.api.list('/apis/apps/v1/namespaces/rollouts/controllerrevisions');
    await expect.poll(async () => (await revisions()).length, { timeout: 60_000 }).toBe(1);
    const withAgent = await to.cut({ namespaces: ['rollouts'] });
    await to.site.api.delete('/apis/apps/v1/namespaces/rollouts/daemonsets/agent');
    await expect.poll(async () => (await revisions()).length, { timeout: 60_000 }).toBe(0);
    expect(troubles(await restoreInto(to, withAgent))).toEqual([]);
    expect((await revisions()).map(ownersOf)).toEqual([[expect.objectContaining({ uid: uidOf(await to.find(agent)) })]]);
    const uid = uidOf(await to.find(deployment('')));
    for (const set of sets) expect(ownersOf(set)).toEqual([expect.objectContaining({ uid, controller: true })]);
  });
});

describe('the odd and the large', () => {
  it('come back to the byte', async () => {
    const names = ['a'.repeat(253), 'x.y-z.0'];
    const oddText = 'tab\t, quote", backslash\\, nothing\u0000, line\u2028separator, ship 🚢, BOM\ufeff, \u007f';
    const odd = [
      ...names.map((name) => configMap('odd', name, { text: oddText, 'UPPER_lower-0.9': '' })),
      object('v1', 'Secret', 'odd', 'all-bytes', { data: { bytes: Buffer.from(Array.from({ length: 256 }, (_, index) => index)).toString('base64') } }, { labels: { 'example.com/Label_1': 'V.1' }, annotations: { 'example.com/x': oddText } }),
      configMap('odd', 'large', { text: 'x'.repeat(1_000_000), more: '\n'.repeat(20_000) }, { annotations: { big: 'y'.repeat(200_000) } }),
      object('rbac.authorization.k8s.io/v1', 'Role', 'odd', 'system:odd:100pct strange name? #1', { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] }),
    ];
    await from.site.api.apply([namespace('odd')]);
    for (const manifest of odd) await from.site.api.create(manifest);
    await from.connection.request({ method: 'POST', path: '/api/v1/namespaces/odd/configmaps', doing: 'create', body: '{"metadata":{"name":"proto"},"data":{"__proto__":"p","constructor":"c"}}' });
    const source = await from.cut({ namespaces: ['odd'] });
    const report = await restoreInto(to, source);
    expect(troubles(report)).toEqual([]);
    expect(await differencesTo(source, to)).toEqual([]);
    expect(await to.find(configMap('odd', names[0] ?? ''))).toMatchObject({ data: { text: oddText } });
    const proto = await to.connection.request({ path: '/api/v1/namespaces/odd/configmaps/proto', doing: 'get' });
    expect(proto.body.toString()).toContain('"data":{"__proto__":"p","constructor":"c"}');
  });

  it('objects on their way out stay out, and so do namespaces with all that is in them', async () => {
    const finalizers = { finalizers: ['example.com/wait'] };
    await from.site.api.apply([namespace('leaving'), configMap('leaving', 'going', {}, finalizers), configMap('leaving', 'staying', {}, finalizers), namespace('gone'), configMap('gone', 'in-it', {}, finalizers)]);
    await from.site.api.delete('/api/v1/namespaces/leaving/configmaps/going');
    await from.site.api.delete('/api/v1/namespaces/gone');
    const source = await from.cut({ namespaces: ['leaving', 'gone'] });
    const report = await restoreInto(to, source);
    expect(troubles(report)).toEqual([]);
    expect(report.dropped).toMatchObject({ 'being-deleted': 2, 'namespace-being-deleted': 1 });
    expect(await to.find(configMap('leaving', 'going'))).toBeUndefined();
    expect(await to.find(configMap('leaving', 'staying'))).toMatchObject({ metadata: finalizers });
    expect(await to.find(namespace('gone'))).toBeUndefined();
  });

  it('what was refused for its contents is told without the contents of a Secret', async () => {
    const broken = { ...object('v1', 'Secret', 'odd', 'tls', { type: 'kubernetes.io/tls', data: { 'tls.crt': 'aHVudGVyMg==', 'tls.key': 'aHVudGVyMg==' } }), immutable: true };
    await from.site.api.apply([namespace('odd'), broken]);
    const source = await from.cut({ namespaces: ['odd'], types: ['Secret'] });
    await to.site.api.apply([namespace('odd'), { ...broken, data: { 'tls.crt': 'eA==', 'tls.key': 'eA==' } }]);
    const report = await restoreInto(to, source, { existing: 'update', objects: ['Secret/odd/tls'] });
    expect(report.failures).toEqual([{ object: 'Secret odd/tls', outcome: 'failed', reason: '422 Invalid: data (FieldValueForbidden)' }]);
    expect(JSON.stringify(report)).not.toMatch(/aHVudGVyMg|hunter2/);
  });
});
