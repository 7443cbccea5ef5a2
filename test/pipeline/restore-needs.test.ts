/** Objects that need, block or judge each other: what the order of a restore is for. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StateSource } from '../../src/site/types.ts';
import { configMap, differencesTo, namespace, object, openPlace, restoreInto, text, troubles } from './scene.ts';
import type { Place } from './scene.ts';

let from: Place;
let to: Place;

beforeAll(async () => {
  [from, to] = await Promise.all([openPlace({ name: 'from', controllers: false }), openPlace({ name: 'to', controllers: true })]);
});
afterAll(async () => {
  await Promise.all([from, to].map((place) => place[Symbol.asyncDispose]()));
});

async function restoredEqual(source: StateSource): Promise<void> {
  const report = await restoreInto(to, source);
  expect(troubles(report)).toEqual([]);
  expect(await differencesTo(source, to)).toEqual([]);
}

const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
function definition(plural: string, kind: string, scope: string, versions: readonly object[], conversion?: object): ReturnType<typeof object> {
  const spec = { group: 'needs.example', scope, names: { kind, plural, singular: kind.toLowerCase() }, versions, ...(conversion ? { conversion } : {}) };
  return object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', '', `${plural}.needs.example`, { spec });
}
const version = (name: string, rest: object = {}): object => ({ name, served: true, storage: true, schema, ...rest });

describe('custom resources', () => {
  it('come back with their definitions: cluster-scoped, of two versions, with and without a status of their own', async () => {
    await from.site.api.apply([
      namespace('custom'),
      definition('lakes', 'Lake', 'Cluster', [version('v1', { subresources: { status: {} } })]),
      definition('rivers', 'River', 'Namespaced', [version('v1beta1', { storage: false }), version('v1')]),
      object('needs.example/v1', 'Lake', '', 'deep', { spec: { depth: 1.5, id: 12345 } }),
      object('needs.example/v1beta1', 'River', 'custom', 'long', { spec: { km: 600 }, status: { flows: true } }, { finalizers: ['needs.example/dam'] }),
    ]);
    // A number JavaScript cannot hold.
    const big = '{"apiVersion":"needs.example/v1","kind":"Lake","metadata":{"name":"big"},"spec":{"id":9007199254740993,"depth":1.5}}';
    const sent = await from.connection.request({ method: 'POST', path: '/apis/needs.example/v1/lakes', body: big, doing: 'create a lake' });
    expect(sent.status).toBe(201);
    await restoredEqual(await from.cut({ types: ['*.needs.example', 'customresourcedefinitions.*', 'namespaces'] }));
    const there = await to.connection.request({ path: '/apis/needs.example/v1/lakes/big', doing: 'get a lake' });
    expect(there.body.toString()).toContain('"id":9007199254740993');
    expect(await to.find(object('needs.example/v1', 'River', 'custom', 'long'))).toMatchObject({ status: { flows: true }, metadata: { finalizers: ['needs.example/dam'] } });
  });

  it('come back although the webhook that converts between their versions is down', async () => {
    const conversion = {
      strategy: 'Webhook',
      webhook: { conversionReviewVersions: ['v1'], clientConfig: { service: { namespace: 'custom', name: 'nobody', port: 443 } } },
    };
    await from.site.api.apply([
      namespace('custom'),
      definition('ponds', 'Pond', 'Namespaced', [version('v2'), version('v1', { storage: false })], conversion),
      object('needs.example/v2', 'Pond', 'custom', 'small'),
    ]);
    await restoredEqual(await from.cut({ types: ['ponds.needs.example', 'customresourcedefinitions.*', 'namespaces'] }));
  });

  it('come back when the version they were stored in is no longer served', async () => {
    await from.site.api.apply([namespace('custom'), definition('seas', 'Sea', 'Namespaced', [version('v1'), version('v2', { storage: false })]), object('needs.example/v1', 'Sea', 'custom', 'north')]);
    await from.site.api.apply([definition('seas', 'Sea', 'Namespaced', [version('v1', { served: false, storage: false }), version('v2')])]);
    await restoredEqual(await from.cut({ types: ['seas.needs.example', 'customresourcedefinitions.*', 'namespaces'] }));
    expect(await to.find(object('needs.example/v2', 'Sea', 'custom', 'north'))).toBeDefined();
  });

  it('bring the definition they need along, and the namespace, when only they are selected', async () => {
    await from.site.api.apply([namespace('alone', { team: 'x' }), definition('wells', 'Well', 'Namespaced', [version('v1')]), object('needs.example/v1', 'Well', 'alone', 'old')]);
    const source = await from.cut();
    const report = await restoreInto(to, source, { selection: { types: ['wells.needs.example'] } });
    expect(troubles(report)).toEqual([]);
    expect(report.objects).toMatchObject({ created: 3 });
    expect(await to.find(namespace('alone'))).toMatchObject({ metadata: { labels: { team: 'x' } } });
  });
});

describe('guards', () => {
  it('that nobody answers for do not keep out what they watch', async () => {
    const hook = (kind: string, resource: string, group: string): ReturnType<typeof object> =>
      object('admissionregistration.k8s.io/v1', kind, '', 'guards', {
        webhooks: [
          {
            name: 'all.guards.example',
            admissionReviewVersions: ['v1'],
            sideEffects: 'None',
            failurePolicy: 'Fail',
            timeoutSeconds: 1,
            clientConfig: { service: { namespace: 'guards', name: 'nobody' } },
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'guards' } },
            rules: [{ apiGroups: [group], apiVersions: ['*'], operations: ['CREATE', 'UPDATE'], resources: [resource] }],
          },
        ],
      });
    await from.site.api.apply([
      namespace('guards'),
      configMap('guards', 'watched', { a: 'b' }),
      object('v1', 'Service', 'guards', 'nobody', { spec: { ports: [{ port: 443 }] } }),
      object('policy/v1', 'PodDisruptionBudget', 'guards', 'all', { spec: { minAvailable: 1, selector: {} } }),
      object('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicy', '', 'guards-none', {
        spec: { failurePolicy: 'Fail', matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }] }, validations: [{ expression: 'false' }] },
      }),
      object('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicyBinding', '', 'guards-none', {
        spec: { policyName: 'guards-none', validationActions: ['Deny'], matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'guards' } } } },
      }),
      hook('ValidatingWebhookConfiguration', 'configmaps', ''),
      hook('MutatingWebhookConfiguration', 'services', ''),
    ]);
    await restoredEqual(await from.cut({ namespaces: ['guards'], clusterScoped: true, types: ['Namespace', 'ConfigMap', 'Service', 'PodDisruptionBudget', '*.admissionregistration.k8s.io'] }));
    for (const place of [from, to]) {
      for (const plural of ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations', 'validatingadmissionpolicybindings', 'validatingadmissionpolicies']) {
        const name = plural.startsWith('validatingadmission') ? 'guards-none' : 'guards';
        await place.site.api.delete(`/apis/admissionregistration.k8s.io/v1/${plural}/${name}`);
      }
    }
  });

  it('that are in the target already are waited for: the object goes in when they let it', async () => {
    await from.site.api.apply([namespace('late'), configMap('late', 'a', { x: 'y' })]);
    const source = await from.cut({ namespaces: ['late'] });
    await to.site.api.apply([
      object('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', '', 'late', {
        webhooks: [
          {
            name: 'late.example.com',
            admissionReviewVersions: ['v1'],
            sideEffects: 'None',
            failurePolicy: 'Fail',
            timeoutSeconds: 1,
            clientConfig: { url: 'https://127.0.0.1:9/' },
            rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'late' } },
          },
        ],
      }),
    ]);
    const restoring = restoreInto(to, source, { patienceMs: 60_000 });
    const lifted = new Promise((resolve) => setTimeout(resolve, 2_000)).then(() => to.site.api.delete('/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/late'));
    const [report] = await Promise.all([restoring, lifted]);
    expect(troubles(report)).toEqual([]);
    expect(report.ok).toBe(true);
  });

  it('refuse what they always will, and the report says why', async () => {
    await from.site.api.apply([namespace('never'), configMap('never', 'a')]);
    const source = await from.cut({ namespaces: ['never'] });
    await to.site.api.apply([namespace('never'), object('v1', 'ResourceQuota', 'never', 'none', { spec: { hard: { 'count/configmaps': '0' } } })]);
    await expect.poll(async () => (await to.find(object('v1', 'ResourceQuota', 'never', 'none')))?.['status'], { timeout: 60_000 }).toMatchObject({ hard: {} });
    const report = await restoreInto(to, source, { patienceMs: 500 });
    expect(report).toMatchObject({ ok: false, objects: { failed: 1 } });
    expect(report.failures).toEqual([{ object: 'ConfigMap never/a', outcome: 'failed', reason: text(/^403 Forbidden: .*exceeded quota: none/) }]);
  });
});

describe('limits', () => {
  const pod = (name: string, cpu: string): ReturnType<typeof object> =>
    object('v1', 'Pod', 'limits', name, { spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'x', resources: { requests: { cpu }, limits: { cpu } } }] } });

  it('do not judge the pods that were there before them, nor do quotas that are exceeded', async () => {
    await from.site.api.apply([
      namespace('limits'),
      object('v1', 'ServiceAccount', 'limits', 'default'),
      pod('large', '4'),
      pod('small', '10m'),
      object('v1', 'LimitRange', 'limits', 'range', { spec: { limits: [{ type: 'Container', max: { cpu: '1' }, min: { cpu: '20m' } }] } }),
      object('v1', 'ResourceQuota', 'limits', 'kept', { spec: { hard: { 'count/configmaps': '5' } } }),
      object('v1', 'ResourceQuota', 'limits', 'exceeded', { spec: { hard: { 'count/deployments.apps': '1' } } }),
      ...['one', 'two'].map((name) =>
        object('apps/v1', 'Deployment', 'limits', name, { spec: { replicas: 0, selector: { matchLabels: { name } }, template: { metadata: { labels: { name } }, spec: { containers: [{ name: 'c', image: 'x' }] } } } }),
      ),
    ]);
    const status = { hard: { 'count/deployments.apps': '1' }, used: { 'count/deployments.apps': '2' } };
    await from.site.api.patch('/api/v1/namespaces/limits/resourcequotas/exceeded/status', { status });
    await restoredEqual(await from.cut({ namespaces: ['limits'] }));
  });
});
