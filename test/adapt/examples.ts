import type { Facts } from '../../src/adapt/facts.ts';

/** An object that meets a rule, and one beside it that does not. */
export interface Example {
  readonly rule: string;
  readonly type: string;
  readonly version?: string;
  readonly facts?: Partial<Facts>;
  /** What the rule is about. */
  readonly object: object;
  /** What is left of `object`; for rules that drop, nothing. */
  readonly becomes?: object;
  /** Objects the rule leaves alone. */
  readonly spares?: readonly object[];
}

const meta = (name: string, rest: object = {}): { metadata: object } => ({ metadata: { name, ...rest } });
const inNamespace = (namespace: string, name: string, rest: object = {}): { metadata: object } => meta(name, { namespace, ...rest });
const controlledBy = (kind: string, name: string): object => ({ ownerReferences: [{ apiVersion: 'apps/v1', kind, name, uid: 'u', controller: true }] });

export const DROPS: readonly Example[] = [
  { rule: 'being-deleted', type: 'configmaps', object: inNamespace('a', 'x', { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['f'] }), spares: [inNamespace('a', 'x', { finalizers: ['f'] })] },
  { rule: 'namespace-being-deleted', type: 'configmaps', facts: { terminatingNamespaces: new Set(['a']) }, object: inNamespace('a', 'x'), spares: [inNamespace('b', 'x')] },
  { rule: 'cluster-root-ca', type: 'configmaps', object: inNamespace('a', 'kube-root-ca.crt'), spares: [inNamespace('a', 'my-root-ca.crt')] },
  { rule: 'cluster-kubernetes-service', type: 'services', object: inNamespace('default', 'kubernetes'), spares: [inNamespace('shop', 'kubernetes'), inNamespace('default', 'web')] },
  {
    rule: 'cluster-bootstrap-rbac',
    type: 'clusterroles.rbac.authorization.k8s.io',
    object: meta('system:node', { labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' }, annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' } }),
    spares: [
      // A copy somebody made of a built-in role keeps its labels.
      meta('my-view', { labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' }, annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' } }),
      meta('view', { labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' }, annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } }),
    ],
  },
  { rule: 'cluster-api-services', type: 'apiservices.apiregistration.k8s.io', object: meta('v1.apps', { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } }), spares: [meta('v1.example.com')] },
  { rule: 'cluster-priority-classes', type: 'priorityclasses.scheduling.k8s.io', object: meta('system-node-critical'), spares: [meta('critical')] },
  { rule: 'cluster-flow-control', type: 'flowschemas.flowcontrol.apiserver.k8s.io', object: meta('probes', { annotations: { 'apf.kubernetes.io/autoupdate-spec': 'true' } }), spares: [meta('mine')] },
  { rule: 'cluster-configuration', type: 'configmaps', object: inNamespace('kube-system', 'extension-apiserver-authentication'), spares: [inNamespace('shop', 'extension-apiserver-authentication'), inNamespace('kube-system', 'coredns')] },
  { rule: 'cluster-trust-bundles', type: 'clustertrustbundles.certificates.k8s.io', object: { ...meta('x'), spec: { signerName: 'kubernetes.io/kube-apiserver-serving' } }, spares: [{ ...meta('x'), spec: { signerName: 'example.com/ours' } }] },
  { rule: 'cluster-service-range', type: 'servicecidrs.networking.k8s.io', object: meta('kubernetes'), spares: [meta('more')] },
  { rule: 'cluster-ip-addresses', type: 'ipaddresses.networking.k8s.io', object: meta('10.0.0.1', { labels: { 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' } }), spares: [meta('10.9.9.9')] },
  {
    rule: 'cluster-controller-accounts',
    type: 'serviceaccounts',
    object: inNamespace('kube-system', 'deployment-controller'),
    spares: [inNamespace('shop', 'deployment-controller'), inNamespace('kube-system', 'deployment-controller', { annotations: { a: 'b' } }), inNamespace('kube-system', 'coredns'), inNamespace('kube-system', 'aws-load-balancer-controller')],
  },
  { rule: 'runtime-nodes', type: 'nodes', object: meta('n1') },
  { rule: 'runtime-events', type: 'events', object: inNamespace('a', 'x.123') },
  { rule: 'runtime-leases', type: 'leases.coordination.k8s.io', object: inNamespace('kube-system', 'kube-scheduler') },
  { rule: 'runtime-storage-versions', type: 'storageversions.internal.apiserver.k8s.io', object: meta('apps.deployments') },
  { rule: 'runtime-certificate-requests', type: 'certificatesigningrequests.certificates.k8s.io', object: meta('csr-1') },
  { rule: 'runtime-measurements', type: 'componentstatuses', object: meta('etcd-0') },
  { rule: 'runtime-cilium', type: 'ciliumendpoints.cilium.io', object: inNamespace('a', 'web-1') },
  { rule: 'runtime-calico', type: 'ipamblocks.crd.projectcalico.org', object: meta('10-0-0-0-26') },
  { rule: 'pod-mirror', type: 'pods', object: inNamespace('kube-system', 'etcd-n1', { annotations: { 'kubernetes.io/config.mirror': 'abc' } }), spares: [inNamespace('kube-system', 'etcd')] },
  { rule: 'pod-controlled', type: 'pods', object: inNamespace('a', 'web-1', controlledBy('ReplicaSet', 'web')), spares: [inNamespace('a', 'web-1', { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'c', uid: 'u' }] })] },
  { rule: 'pod-finished', type: 'pods', object: { ...inNamespace('a', 'once'), status: { phase: 'Succeeded' } }, spares: [{ ...inNamespace('a', 'once'), status: { phase: 'Running' } }] },
  {
    rule: 'job-finished',
    type: 'jobs.batch',
    object: { ...inNamespace('a', 'x'), status: { conditions: [{ type: 'Failed', status: 'True' }] } },
    spares: [{ ...inNamespace('a', 'x'), status: { conditions: [{ type: 'Suspended', status: 'True' }, { type: 'Complete', status: 'False' }] } }],
  },
  { rule: 'endpoints-controlled', type: 'endpoints', facts: { selectorServices: new Set(['a/web']) }, object: inNamespace('a', 'web'), spares: [inNamespace('a', 'outside')] },
  { rule: 'endpointslice-controlled', type: 'endpointslices.discovery.k8s.io', object: inNamespace('a', 'web-x', { labels: { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' } }), spares: [inNamespace('a', 'web-x', { labels: { 'endpointslice.kubernetes.io/managed-by': 'staff' } })] },
  { rule: 'volume-provisioned', type: 'persistentvolumes', object: meta('pvc-1', { annotations: { 'pv.kubernetes.io/provisioned-by': 'disk.example' } }), spares: [meta('nfs-1')] },
  { rule: 'snapshot-taken', type: 'volumesnapshots.snapshot.storage.k8s.io', object: { ...inNamespace('a', 's'), spec: { source: { persistentVolumeClaimName: 'c' } } }, spares: [{ ...inNamespace('a', 's'), spec: { source: { volumeSnapshotContentName: 'x' } } }] },
  { rule: 'snapshot-content-taken', type: 'volumesnapshotcontents.snapshot.storage.k8s.io', object: { ...meta('s'), spec: { source: { volumeHandle: 'v' } } }, spares: [{ ...meta('s'), spec: { source: { snapshotHandle: 'x' } } }] },
  {
    rule: 'token-generated',
    type: 'secrets',
    facts: { listedSecrets: new Set(['a/runner-token-7xk2p']) },
    object: { ...inNamespace('a', 'runner-token-7xk2p', { annotations: { 'kubernetes.io/service-account.name': 'runner' } }), type: 'kubernetes.io/service-account-token' },
    spares: [
      { ...inNamespace('a', 'runner-token', { annotations: { 'kubernetes.io/service-account.name': 'runner' } }), type: 'kubernetes.io/service-account-token' },
      { ...inNamespace('a', 'runner-token-7xk2p'), type: 'Opaque' },
    ],
  },
  { rule: 'bootstrap-token', type: 'secrets', object: { ...inNamespace('kube-system', 'bootstrap-token-abc'), type: 'bootstrap.kubernetes.io/token' }, spares: [{ ...inNamespace('kube-system', 'bootstrap-token-abc'), type: 'Opaque' }] },
];

const claim = { ...inNamespace('a', 'data'), spec: { volumeName: 'pvc-1', resources: {} } };
const job = (manualSelector: boolean): object => ({
  ...inNamespace('a', 'x', { labels: { app: 'x', 'batch.kubernetes.io/controller-uid': 'u' } }),
  spec: { ...(manualSelector ? { manualSelector } : {}), selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u' } }, template: { metadata: { labels: { 'controller-uid': 'u', 'batch.kubernetes.io/controller-uid': 'u', 'job-name': 'x' } } } },
});

export const CHANGES: readonly Example[] = [
  {
    rule: 'metadata-identity',
    type: 'configmaps',
    object: inNamespace('a', 'x', { uid: 'u', resourceVersion: '1', generation: 2, creationTimestamp: 't', selfLink: '/x', managedFields: [{}], labels: { k: 'v' }, finalizers: ['keep/me'] }),
    becomes: inNamespace('a', 'x', { labels: { k: 'v' }, finalizers: ['keep/me'] }),
  },
  {
    rule: 'template-timestamps',
    type: 'cronjobs.batch',
    object: { ...inNamespace('a', 'x'), spec: { jobTemplate: { metadata: { creationTimestamp: null }, spec: { template: { metadata: { creationTimestamp: null, labels: {} } } } } } },
    becomes: { ...inNamespace('a', 'x'), spec: { jobTemplate: { metadata: {}, spec: { template: { metadata: { labels: {} } } } } } },
  },
  { rule: 'namespace-finalizers', type: 'namespaces', object: { ...meta('a'), spec: { finalizers: ['kubernetes'] } }, becomes: meta('a') },
  { rule: 'job-identity', type: 'jobs.batch', object: job(false), becomes: { ...inNamespace('a', 'x', { labels: { app: 'x' } }), spec: { template: { metadata: { labels: { 'job-name': 'x' } } } } }, spares: [job(true)] },
  {
    rule: 'endpoint-target-identity',
    type: 'endpoints',
    object: { ...inNamespace('a', 'x'), subsets: [{ addresses: [{ ip: '1.2.3.4', targetRef: { kind: 'Pod', name: 'p', uid: 'u', resourceVersion: '1' } }] }] },
    becomes: { ...inNamespace('a', 'x'), subsets: [{ addresses: [{ ip: '1.2.3.4', targetRef: { kind: 'Pod', name: 'p' } }] }] },
  },
  {
    rule: 'service-addresses',
    type: 'services',
    object: { ...inNamespace('a', 'x'), spec: { clusterIP: '10.0.0.9', clusterIPs: ['10.0.0.9'], ports: [{ port: 80, nodePort: 30080 }] } },
    becomes: { ...inNamespace('a', 'x'), spec: { ports: [{ port: 80, nodePort: 30080 }] } },
    spares: [{ ...inNamespace('a', 'x'), spec: { clusterIP: 'None', clusterIPs: ['None'] } }, { ...inNamespace('a', 'x'), spec: { type: 'ExternalName', externalName: 'x.example' } }],
  },
  {
    rule: 'snapshot-content-reference',
    type: 'volumesnapshotcontents.snapshot.storage.k8s.io',
    object: { ...meta('s'), spec: { source: { snapshotHandle: 'h' }, volumeSnapshotRef: { name: 'n', uid: 'u', resourceVersion: '1' } } },
    becomes: { ...meta('s'), spec: { source: { snapshotHandle: 'h' }, volumeSnapshotRef: { name: 'n' } } },
  },
  {
    rule: 'claim-snapshot-source',
    type: 'persistentvolumeclaims',
    object: { ...inNamespace('a', 'x', { annotations: { 'pv.kubernetes.io/bind-completed': 'yes' } }), spec: { dataSource: { kind: 'VolumeSnapshot', name: 's' }, dataSourceRef: { kind: 'VolumeSnapshot', name: 's' } } },
    becomes: { ...inNamespace('a', 'x'), spec: {} },
    spares: [{ ...inNamespace('a', 'x'), spec: { dataSource: { kind: 'VolumeSnapshot', name: 's' } } }],
  },
  {
    rule: 'claim-binding',
    type: 'persistentvolumeclaims',
    facts: { staticVolumes: new Set(['nfs-1']) },
    object: { ...claim, metadata: { name: 'data', namespace: 'a', annotations: { 'pv.kubernetes.io/bind-completed': 'yes', 'volume.kubernetes.io/selected-node': 'n1', mine: 'x' } } },
    becomes: { ...inNamespace('a', 'data', { annotations: { mine: 'x' } }), spec: { resources: {} } },
    spares: [{ ...claim, spec: { volumeName: 'nfs-1', resources: {} } }],
  },
  {
    rule: 'volume-claim-identity',
    type: 'persistentvolumes',
    object: { ...meta('nfs-1', { annotations: { 'pv.kubernetes.io/bound-by-controller': 'yes' } }), spec: { claimRef: { namespace: 'a', name: 'data', uid: 'u', resourceVersion: '1' } } },
    becomes: { ...meta('nfs-1'), spec: { claimRef: { namespace: 'a', name: 'data' } } },
  },
  { rule: 'pod-placement', type: 'pods', object: { ...inNamespace('a', 'x'), spec: { nodeName: 'n1', containers: [] } }, becomes: { ...inNamespace('a', 'x'), spec: { containers: [] } } },
  {
    rule: 'pod-priority',
    type: 'pods',
    object: { ...inNamespace('a', 'x'), spec: { priority: 1000, priorityClassName: 'high', runtimeClassName: 'kata', overhead: { cpu: '1' } } },
    becomes: { ...inNamespace('a', 'x'), spec: { priorityClassName: 'high', runtimeClassName: 'kata' } },
  },
  { rule: 'pod-ephemeral-containers', type: 'pods', object: { ...inNamespace('a', 'x'), spec: { ephemeralContainers: [{}] } }, becomes: { ...inNamespace('a', 'x'), spec: {} } },
  {
    rule: 'token-signed-here',
    type: 'secrets',
    object: { ...inNamespace('a', 't', { annotations: { 'kubernetes.io/service-account.name': 'runner', 'kubernetes.io/service-account.uid': 'u' } }), type: 'kubernetes.io/service-account-token', data: { token: 'eA==', 'ca.crt': 'eA==', namespace: 'YQ==', extra: 'eA==' } },
    becomes: { ...inNamespace('a', 't', { annotations: { 'kubernetes.io/service-account.name': 'runner' } }), type: 'kubernetes.io/service-account-token', data: { extra: 'eA==' } },
    spares: [{ ...inNamespace('a', 't'), type: 'Opaque', data: { token: 'eA==' } }],
  },
  {
    rule: 'account-generated-tokens',
    type: 'serviceaccounts',
    object: { ...inNamespace('a', 'runner'), secrets: [{ name: 'runner-token-7xk2p' }, { name: 'runner-login' }] },
    becomes: { ...inNamespace('a', 'runner'), secrets: [{ name: 'runner-login' }] },
    spares: [{ ...inNamespace('a', 'runner'), secrets: [{ name: 'runner-token' }] }],
  },
  {
    rule: 'definition-unknown-fields',
    type: 'customresourcedefinitions.apiextensions.k8s.io',
    object: { ...meta('x.example'), spec: { preserveUnknownFields: true, versions: [{ name: 'v1', schema: { openAPIV3Schema: { type: 'object', properties: {} } } }, { name: 'v2' }] } },
    becomes: {
      ...meta('x.example'),
      spec: {
        preserveUnknownFields: false,
        versions: [
          { name: 'v1', schema: { openAPIV3Schema: { type: 'object', properties: {}, 'x-kubernetes-preserve-unknown-fields': true } } },
          { name: 'v2', schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } },
        ],
      },
    },
    spares: [{ ...meta('x.example'), spec: { preserveUnknownFields: false, versions: [{ name: 'v1', schema: {} }] } }],
  },
  {
    rule: 'webhook-side-effects',
    type: 'validatingwebhookconfigurations.admissionregistration.k8s.io',
    object: { ...meta('x'), webhooks: [{ name: 'a', sideEffects: 'Unknown' }, { name: 'b', sideEffects: 'None' }] },
    becomes: { ...meta('x'), webhooks: [{ name: 'a', sideEffects: 'NoneOnDryRun' }, { name: 'b', sideEffects: 'None' }] },
  },
  { rule: 'status', type: 'deployments.apps', object: { ...inNamespace('a', 'x'), spec: { replicas: 1 }, status: { replicas: 1 } }, becomes: { ...inNamespace('a', 'x'), spec: { replicas: 1 } } },
];

export const ASIDES: readonly Example[] = [
  { rule: 'rollout-notes', type: 'deployments.apps', object: inNamespace('a', 'x', { annotations: { 'deployment.kubernetes.io/revision': '3', mine: 'x' } }), becomes: inNamespace('a', 'x', { annotations: { mine: 'x' } }) },
  { rule: 'rollout-size', type: 'replicasets.apps', object: { ...inNamespace('a', 'x', { labels: { 'pod-template-hash': 'abc' } }), spec: { replicas: 3, selector: {} } }, becomes: { ...inNamespace('a', 'x', { labels: { 'pod-template-hash': 'abc' } }), spec: { selector: {} } }, spares: [{ ...inNamespace('a', 'x'), spec: { replicas: 3 } }] },
  { rule: 'claim-and-volume', type: 'persistentvolumes', object: { ...meta('nfs-1'), spec: { claimRef: { name: 'data' }, nfs: {} } }, becomes: { ...meta('nfs-1'), spec: { nfs: {} } } },
  { rule: 'aggregated-rules', type: 'clusterroles.rbac.authorization.k8s.io', object: { ...meta('x'), aggregationRule: {}, rules: [{}] }, becomes: { ...meta('x'), aggregationRule: {} }, spares: [{ ...meta('x'), rules: [{}] }] },
];

/** `object` on one side and `becomes` on the other are no difference; `spares` are none of each other. */
export const FILLS: readonly Example[] = [
  { rule: 'default-storage-class', type: 'persistentvolumeclaims', object: { ...inNamespace('a', 'x'), spec: {} }, becomes: { ...inNamespace('a', 'x'), spec: { storageClassName: 'fast' } }, spares: [{ ...inNamespace('a', 'x'), spec: { storageClassName: 'slow' } }] },
  { rule: 'default-ingress-class', type: 'ingresses.networking.k8s.io', object: { ...inNamespace('a', 'x'), spec: {} }, becomes: { ...inNamespace('a', 'x'), spec: { ingressClassName: 'a' } }, spares: [{ ...inNamespace('a', 'x'), spec: { ingressClassName: 'b' } }] },
  { rule: 'pod-defaults', type: 'pods', object: { ...inNamespace('a', 'x'), spec: { priorityClassName: 'high' } }, becomes: { ...inNamespace('a', 'x'), spec: { priorityClassName: 'high', imagePullSecrets: [{ name: 's' }] } }, spares: [{ ...inNamespace('a', 'x'), spec: { priorityClassName: 'low', imagePullSecrets: [{ name: 's' }] } }] },
];

export const NOTES: readonly Example[] = [
  { rule: 'service-new-address', type: 'services', object: { ...inNamespace('a', 'x'), spec: { type: 'LoadBalancer' } }, spares: [{ ...inNamespace('a', 'x'), spec: { type: 'ClusterIP' } }] },
  { rule: 'account-cloud-identity', type: 'serviceaccounts', object: inNamespace('a', 'x', { annotations: { 'eks.amazonaws.com/role-arn': 'arn' } }), spares: [inNamespace('a', 'x')] },
  {
    rule: 'short-lived-registry-login',
    type: 'secrets',
    object: { ...inNamespace('a', 'x'), type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': Buffer.from('{"auths":{"1.dkr.ecr.eu-west-1.amazonaws.com":{}}}').toString('base64') } },
    spares: [{ ...inNamespace('a', 'x'), type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': Buffer.from('{"auths":{"registry.example":{}}}').toString('base64') } }],
  },
  { rule: 'mesh-skupper', type: 'sites.skupper.io', object: inNamespace('a', 'x') },
  { rule: 'mesh-submariner', type: 'submariners.submariner.io', object: inNamespace('a', 'x') },
];

const NEVER = 'lifeboat-drill-none';
const IN_SPARE: Partial<Facts> = { drill: { spare: true, mark: 'abc' } };
/** What a drill does to every object of a spare site beside. */
const MARKED = { labels: { 'lifeboat-drill': 'abc' } };

/** In a drill into a control plane of its own, if no facts say otherwise. */
export const DRILLS: readonly Example[] = [
  { rule: 'drill-suspended', type: 'cronjobs.batch', object: { ...inNamespace('a', 'x'), spec: { suspend: false } }, becomes: { ...inNamespace('a', 'x'), spec: { suspend: true } }, spares: [{ ...inNamespace('a', 'x'), spec: { suspend: true } }] },
  {
    rule: 'drill-unscheduled',
    type: 'deployments.apps',
    object: { ...inNamespace('a', 'x'), spec: { replicas: 3, template: { spec: { nodeName: 'n1', schedulerName: 'default-scheduler', containers: [] } } } },
    becomes: { ...inNamespace('a', 'x'), spec: { replicas: 3, template: { spec: { schedulerName: NEVER, containers: [] } } } },
  },
  { rule: 'drill-unscheduled', type: 'pods', object: { ...inNamespace('a', 'x'), spec: { containers: [{}] } }, becomes: { ...inNamespace('a', 'x'), spec: { containers: [{}], schedulerName: NEVER } } },
  {
    rule: 'drill-webhooks',
    type: 'validatingwebhookconfigurations.admissionregistration.k8s.io',
    object: { ...meta('x'), webhooks: [{ name: 'a', failurePolicy: 'Fail', objectSelector: { matchExpressions: [{}], matchLabels: { a: 'b' } } }, { name: 'b' }] },
    becomes: { ...meta('x'), webhooks: [{ name: 'a', failurePolicy: 'Ignore', objectSelector: { matchExpressions: [{}], matchLabels: { a: 'b', [NEVER]: 'true' } } }, { name: 'b', failurePolicy: 'Ignore', objectSelector: { matchLabels: { [NEVER]: 'true' } } }] },
    spares: [meta('none')],
  },
  {
    rule: 'drill-conversion',
    type: 'customresourcedefinitions.apiextensions.k8s.io',
    object: { ...meta('x'), spec: { conversion: { strategy: 'Webhook', webhook: {} }, versions: [{ name: 'v1beta2', served: true, storage: true }, { name: 'v1', served: true, storage: false }, { name: 'v2', served: false, storage: false }, { name: 'v1alpha1', served: true }] } },
    becomes: { ...meta('x'), spec: { conversion: { strategy: 'None' }, versions: [{ name: 'v1beta2', served: true, storage: false }, { name: 'v1', served: true, storage: true }, { name: 'v2', served: false, storage: false }, { name: 'v1alpha1', served: true, storage: false }] } },
    spares: [{ ...meta('x'), spec: { conversion: { strategy: 'None' }, versions: [{ name: 'v1beta1', served: true, storage: true }, { name: 'v1', served: true, storage: false }] } }],
  },
  {
    rule: 'drill-aggregated-apis',
    type: 'apiservices.apiregistration.k8s.io',
    object: { ...meta('v1.x'), spec: { group: 'x', version: 'v1', service: { name: 'a' }, caBundle: 'b', insecureSkipTLSVerify: true } },
    becomes: { ...meta('v1.x'), spec: { group: 'x', version: 'v1' } },
  },
  {
    rule: 'drill-load-balancers',
    type: 'services',
    object: { ...inNamespace('a', 'x'), spec: { type: 'LoadBalancer', loadBalancerClass: 'c', allocateLoadBalancerNodePorts: true, externalTrafficPolicy: 'Local', healthCheckNodePort: 1, ports: [{ port: 80, nodePort: 30000 }], externalIPs: ['192.0.2.1'] } },
    becomes: { ...inNamespace('a', 'x'), spec: { type: 'ClusterIP', ports: [{ port: 80 }] } },
    spares: [{ ...inNamespace('a', 'x'), spec: { type: 'NodePort', externalTrafficPolicy: 'Local', ports: [{ port: 80, nodePort: 30000 }] } }, { ...inNamespace('a', 'x'), spec: { type: 'ExternalName', externalName: 'example.com' } }],
  },
  {
    rule: 'drill-annotations',
    type: 'ingresses.networking.k8s.io',
    object: inNamespace('a', 'x', { annotations: { 'external-dns.alpha.kubernetes.io/hostname': 'a', 'cert-manager.io/cluster-issuer': 'b', 'kubernetes.io/ingress.class': 'c', mine: 'd' } }),
    becomes: inNamespace('a', 'x', { annotations: { mine: 'd' } }),
  },
  { rule: 'drill-volumes', type: 'persistentvolumes', object: { ...meta('nfs-1'), spec: { nfs: {}, persistentVolumeReclaimPolicy: 'Delete' } }, becomes: { ...meta('nfs-1'), spec: { nfs: {}, persistentVolumeReclaimPolicy: 'Retain' } } },
  { rule: 'drill-volumes', type: 'volumesnapshotcontents.snapshot.storage.k8s.io', object: { ...meta('x'), spec: { source: { snapshotHandle: 'h' }, deletionPolicy: 'Delete' } }, becomes: { ...meta('x'), spec: { source: { snapshotHandle: 'h' }, deletionPolicy: 'Retain' } } },
  { rule: 'drill-spare-ingress', type: 'ingresses.networking.k8s.io', facts: IN_SPARE, object: { ...inNamespace('a', 'x'), spec: { ingressClassName: 'public' } }, becomes: { ...inNamespace('a', 'x', MARKED), spec: { ingressClassName: NEVER } } },
  { rule: 'drill-spare-claims', type: 'persistentvolumeclaims', facts: IN_SPARE, object: { ...inNamespace('a', 'x'), spec: { dataSource: {}, storageClassName: 'fast' } }, becomes: { ...inNamespace('a', 'x', MARKED), spec: { storageClassName: 'fast', volumeName: NEVER } } },
  { rule: 'drill-spare-defaults', type: 'priorityclasses.scheduling.k8s.io', facts: IN_SPARE, object: { ...meta('x'), value: 1, globalDefault: true }, becomes: { ...meta('x', MARKED), value: 1 } },
  {
    rule: 'drill-spare-policies',
    type: 'validatingadmissionpolicybindings.admissionregistration.k8s.io',
    facts: IN_SPARE,
    object: { ...meta('x'), spec: { policyName: 'p' } },
    becomes: { ...meta('x', MARKED), spec: { policyName: 'p', matchResources: { objectSelector: { matchLabels: { [NEVER]: 'true' } } } } },
  },
  {
    rule: 'drill-spare-rights',
    type: 'clusterrolebindings.rbac.authorization.k8s.io',
    facts: IN_SPARE,
    object: { ...meta('x'), subjects: [{ kind: 'User', name: 'ada' }, { kind: 'ServiceAccount', name: 's', namespace: 'a' }, { kind: 'Group', name: 'g' }] },
    becomes: { ...meta('x', MARKED), subjects: [{ kind: 'ServiceAccount', name: 's', namespace: 'a' }] },
  },
  { rule: 'drill-spare-finalizers', type: 'configmaps', facts: IN_SPARE, object: inNamespace('a', 'x', { finalizers: ['example.com/f'] }), becomes: inNamespace('a', 'x', MARKED) },
  { rule: 'drill-spare-mark', type: 'configmaps', facts: IN_SPARE, object: inNamespace('a', 'x', { labels: { a: 'b' } }), becomes: inNamespace('a', 'x', { labels: { a: 'b', 'lifeboat-drill': 'abc' } }) },
];
