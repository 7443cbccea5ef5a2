import { describe, expect, it } from 'vitest';
import { parseObject } from '../../src/adapt/json.ts';
import { renameNamespaces } from '../../src/adapt/rename.ts';
import { kind } from './kinds.ts';

const map = new Map([['shop', 'shop-copy']]);

function renamed(type: string, object: object): { object: object; mentions: readonly string[] } {
  const parsed = parseObject(Buffer.from(JSON.stringify(object)));
  const mentions = renameNamespaces(parsed, kind(type), map);
  return { object: parsed, mentions };
}

const byName = (name: string): object => ({ matchLabels: { 'kubernetes.io/metadata.name': name } });
const byNames = (...names: string[]): object => ({ matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: names }] });
const template = (namespace: string): object => ({
  spec: { containers: [], affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone', namespaces: [namespace, 'other'], namespaceSelector: byName(namespace) }] } } },
});

/** Type, and an object with `NS` where the namespace stands. */
const PLACES: readonly (readonly [string, (ns: string) => object])[] = [
  ['configmaps', (ns) => ({ metadata: { name: 'x', namespace: ns } })],
  ['namespaces', (ns) => ({ metadata: { name: ns, labels: { 'kubernetes.io/metadata.name': ns, team: 'shop' } } })],
  [
    'rolebindings.rbac.authorization.k8s.io',
    (ns) => ({
      metadata: { name: 'x', namespace: ns },
      subjects: [
        { kind: 'ServiceAccount', name: 'runner', namespace: ns },
        { kind: 'ServiceAccount', name: 'runner', namespace: 'other' },
        { kind: 'User', name: `system:serviceaccount:${ns}:runner` },
        { kind: 'Group', name: `system:serviceaccounts:${ns}` },
        { kind: 'User', name: 'shop' },
      ],
    }),
  ],
  ['clusterrolebindings.rbac.authorization.k8s.io', (ns) => ({ metadata: { name: 'x' }, subjects: [{ kind: 'ServiceAccount', name: 'runner', namespace: ns }] })],
  ['flowschemas.flowcontrol.apiserver.k8s.io', (ns) => ({ metadata: { name: 'x' }, spec: { rules: [{ subjects: [{ kind: 'ServiceAccount', serviceAccount: { name: 'x', namespace: ns } }, { kind: 'Group', group: { name: `system:serviceaccounts:${ns}` } }] }] } })],
  ['validatingwebhookconfigurations.admissionregistration.k8s.io', (ns) => ({ metadata: { name: 'x' }, webhooks: [{ clientConfig: { service: { name: 'hook', namespace: ns } }, namespaceSelector: byNames(ns, 'other') }] })],
  ['validatingadmissionpolicybindings.admissionregistration.k8s.io', (ns) => ({ metadata: { name: 'x' }, spec: { paramRef: { name: 'p', namespace: ns }, matchResources: { namespaceSelector: byName(ns) } } })],
  ['apiservices.apiregistration.k8s.io', (ns) => ({ metadata: { name: 'x' }, spec: { service: { name: 'api', namespace: ns } } })],
  ['customresourcedefinitions.apiextensions.k8s.io', (ns) => ({ metadata: { name: 'x' }, spec: { conversion: { webhook: { clientConfig: { service: { name: 'hook', namespace: ns } } } } } })],
  ['persistentvolumes', (ns) => ({ metadata: { name: 'x' }, spec: { claimRef: { namespace: ns, name: 'data' }, csi: { nodeStageSecretRef: { name: 's', namespace: ns } } } })],
  ['storageclasses.storage.k8s.io', (ns) => ({ metadata: { name: 'x' }, parameters: { 'csi.storage.k8s.io/provisioner-secret-namespace': ns, pool: 'shop' } })],
  ['persistentvolumeclaims', (ns) => ({ metadata: { name: 'x', namespace: ns }, spec: { dataSourceRef: { kind: 'VolumeSnapshot', name: 's', namespace: ns } } })],
  ['volumesnapshotcontents.snapshot.storage.k8s.io', (ns) => ({ metadata: { name: 'x' }, spec: { volumeSnapshotRef: { name: 's', namespace: ns } } })],
  ['networkpolicies.networking.k8s.io', (ns) => ({ metadata: { name: 'x', namespace: ns }, spec: { ingress: [{ from: [{ namespaceSelector: byName(ns) }] }], egress: [{ to: [{ namespaceSelector: byNames(ns) }] }] } })],
  ['endpoints', (ns) => ({ metadata: { name: 'x', namespace: ns }, subsets: [{ addresses: [{ targetRef: { kind: 'Pod', name: 'p', namespace: ns } }] }] })],
  ['deployments.apps', (ns) => ({ metadata: { name: 'x', namespace: ns }, spec: { template: template(ns) } })],
  ['cronjobs.batch', (ns) => ({ metadata: { name: 'x', namespace: ns }, spec: { jobTemplate: { spec: { template: template(ns) } } } })],
  ['pods', (ns) => ({ metadata: { name: 'x', namespace: ns }, ...template(ns) })],
  ['httproutes.gateway.networking.k8s.io', (ns) => ({ metadata: { name: 'x', namespace: ns }, spec: { parentRefs: [{ name: 'g', namespace: ns }], rules: [{ backendRefs: [{ name: 'b', namespace: ns }] }] } })],
];

describe('renaming a namespace', () => {
  it.each(PLACES)('changes every place in %s that holds one', (type, at) => {
    expect(renamed(type, at('shop'))).toEqual({ object: at('shop-copy'), mentions: [] });
    expect(renamed(type, at('other'))).toEqual({ object: at('other'), mentions: [] });
  });

  it('leaves other text alone, and says where it seems to mean the namespace', () => {
    const object = {
      metadata: { name: 'x', namespace: 'other', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"metadata":{"namespace":"shop"}}' } },
      data: { url: 'http://db.shop.svc.cluster.local:5432', user: 'system:serviceaccount:shop:runner', colour: 'shop' },
    };
    expect(renamed('configmaps', object)).toEqual({ object, mentions: ['data.url', 'data.user'] });
    const boat = { metadata: { name: 'b', namespace: 'other' }, spec: { targetNamespace: 'shop', name: 'shop', watchNamespaces: ['a', 'shop'] } };
    expect(renamed('boats.example.com', boat)).toEqual({ object: boat, mentions: ['spec.targetNamespace', 'spec.watchNamespaces[1]'] });
  });
});
