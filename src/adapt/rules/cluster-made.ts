import { metaEntry, nameOf, namespaceOf, objectAt, textAt } from '../json.ts';
import type { JsonObject } from '../json.ts';
import type { DropRule, Rule } from '../rule.ts';

const madeByCluster = (rule: Omit<DropRule, 'effect' | 'madeByCluster'>): DropRule => ({ ...rule, effect: 'drop', madeByCluster: true });

/** Names of the roles and bindings Kubernetes makes that do not begin with `system:`. Source: kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy. */
const BOOTSTRAP_ROLES = new Set(['cluster-admin', 'admin', 'edit', 'view']);

/** ConfigMaps that describe the cluster they are in. Sources: kube-apiserver's clusterauthenticationtrust and legacytokentracking controllers; kubeadm's constants. */
const CLUSTER_CONFIG = new Set([
  'kube-system/extension-apiserver-authentication',
  'kube-system/kube-apiserver-legacy-service-account-token-tracking',
  'kube-system/kubeadm-config',
  'kube-system/kubelet-config',
  'kube-public/cluster-info',
]);

/**
 * ServiceAccounts kube-controller-manager makes for its own controllers, without their ending `-controller`.
 * Source: `--use-service-account-credentials` and the ClusterRoles `system:controller:*` of bootstrappolicy. Named one by one,
 * because others call their accounts so too.
 */
const CONTROLLERS: ReadonlySet<string> = new Set([
  'attachdetach',
  'certificate',
  'clusterrole-aggregation',
  'cronjob',
  'daemon-set',
  'deployment',
  'device-taint-eviction',
  'disruption',
  'endpoint',
  'endpointslice',
  'endpointslicemirroring',
  'ephemeral-volume',
  'expand',
  'job',
  'kube-apiserver-serving-clustertrustbundle-publisher',
  'namespace',
  'node',
  'node-ipam',
  'podcertificaterequest-cleaner',
  'pv-protection',
  'pvc-protection',
  'replicaset',
  'replication',
  'resource-claim',
  'resourcequota',
  'route',
  'selinux-warning',
  'service',
  'service-account',
  'service-cidrs',
  'statefulset',
  'storage-version-migrator',
  'storageversion-garbage-collector',
  'taint-eviction',
  'ttl',
  'ttl-after-finished',
  'validatingadmissionpolicy-status',
  'volumeattributesclass-protection',
  'vac-protection',
]);
const OTHER_CONTROLLER_ACCOUNTS = new Set([
  'bootstrap-signer',
  'generic-garbage-collector',
  'horizontal-pod-autoscaler',
  'legacy-service-account-token-cleaner',
  'persistent-volume-binder',
  'pod-garbage-collector',
  'root-ca-cert-publisher',
  'token-cleaner',
]);

function isControllerAccount(name: string): boolean {
  return OTHER_CONTROLLER_ACCOUNTS.has(name) || (name.endsWith('-controller') && CONTROLLERS.has(name.slice(0, -'-controller'.length)));
}

/** What every cluster makes for itself. Whatever else these objects say, it is about the cluster that made them. */
export const clusterMadeRules: readonly Rule[] = [
  madeByCluster({
    id: 'cluster-root-ca',
    types: ['configmaps'],
    when: 'it is named `kube-root-ca.crt`',
    why: 'Each namespace gets one from the target, with the target’s own certificate authority.',
    drops: (object) => nameOf(object) === 'kube-root-ca.crt',
  }),
  madeByCluster({
    id: 'cluster-kubernetes-service',
    types: ['services', 'endpoints', 'endpointslices.discovery.k8s.io'],
    when: 'it is `default/kubernetes`',
    why: 'It leads to the API server of the cluster it is in.',
    drops: (object) => namespaceOf(object) === 'default' && nameOf(object) === 'kubernetes',
  }),
  madeByCluster({
    id: 'cluster-bootstrap-rbac',
    types: ['*.rbac.authorization.k8s.io'],
    when: 'it has the label `kubernetes.io/bootstrapping: rbac-defaults`, the annotation `rbac.authorization.kubernetes.io/autoupdate: "true"`, and a name Kubernetes reserves',
    why: 'The API server makes and repairs these itself, as its version needs them.',
    drops: (object) =>
      metaEntry(object, 'labels', 'kubernetes.io/bootstrapping') === 'rbac-defaults' &&
      metaEntry(object, 'annotations', 'rbac.authorization.kubernetes.io/autoupdate') === 'true' &&
      (nameOf(object).startsWith('system:') || BOOTSTRAP_ROLES.has(nameOf(object))),
  }),
  madeByCluster({
    id: 'cluster-api-services',
    types: ['apiservices.apiregistration.k8s.io'],
    when: 'it has the label `kube-aggregator.kubernetes.io/automanaged`',
    why: 'The API server registers its own groups, and those of definitions, by itself.',
    drops: (object) => metaEntry(object, 'labels', 'kube-aggregator.kubernetes.io/automanaged') !== '',
  }),
  madeByCluster({
    id: 'cluster-priority-classes',
    types: ['priorityclasses.scheduling.k8s.io'],
    when: 'its name begins with `system-`',
    why: 'Names with this prefix are reserved for classes every cluster has.',
    drops: (object) => nameOf(object).startsWith('system-'),
  }),
  madeByCluster({
    id: 'cluster-flow-control',
    types: ['flowschemas.flowcontrol.apiserver.k8s.io', 'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io'],
    when: 'it has the annotation `apf.kubernetes.io/autoupdate-spec: "true"`',
    why: 'The API server makes and updates its suggested configuration itself.',
    drops: (object) => metaEntry(object, 'annotations', 'apf.kubernetes.io/autoupdate-spec') === 'true',
  }),
  madeByCluster({
    id: 'cluster-configuration',
    types: ['configmaps'],
    when: `it is one of ${[...CLUSTER_CONFIG].map((key) => `\`${key}\``).join(', ')}`,
    why: 'It holds the certificates and settings of the cluster it is in.',
    drops: (object) => CLUSTER_CONFIG.has(`${namespaceOf(object)}/${nameOf(object)}`),
  }),
  madeByCluster({
    id: 'cluster-trust-bundles',
    types: ['clustertrustbundles.certificates.k8s.io'],
    when: 'its signer is one of Kubernetes’ own (`kubernetes.io/…`)',
    why: 'The target publishes the certificates of its own signers.',
    drops: (object) => textAt(object, 'spec', 'signerName').startsWith('kubernetes.io/'),
  }),
  madeByCluster({
    id: 'cluster-service-range',
    types: ['servicecidrs.networking.k8s.io'],
    when: 'it is named `kubernetes`',
    why: 'It is the address range the API server was started with.',
    drops: (object) => nameOf(object) === 'kubernetes',
  }),
  madeByCluster({
    id: 'cluster-ip-addresses',
    types: ['ipaddresses.networking.k8s.io'],
    when: 'it has the label `ipaddress.kubernetes.io/managed-by: ipallocator.k8s.io`',
    why: 'The target records the addresses it gives to Services itself.',
    drops: (object) => metaEntry(object, 'labels', 'ipaddress.kubernetes.io/managed-by') === 'ipallocator.k8s.io',
  }),
  madeByCluster({
    id: 'cluster-controller-accounts',
    types: ['serviceaccounts'],
    when: 'it is in `kube-system`, named as one of kube-controller-manager’s controllers, and has nothing added to it',
    why: 'kube-controller-manager makes the accounts its controllers use.',
    drops: (object) => namespaceOf(object) === 'kube-system' && isControllerAccount(nameOf(object)) && isBare(object),
  }),
];

function isBare(object: JsonObject): boolean {
  const metadata = objectAt(object, 'metadata');
  return metadata !== undefined && metadata['labels'] === undefined && metadata['annotations'] === undefined && object['imagePullSecrets'] === undefined;
}
