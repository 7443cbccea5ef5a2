import type { ResourceType } from '../../src/site/types.ts';

/** Types by the names tests use. */
export function kind(name: string, version = 'v1'): ResourceType {
  const found = KINDS[name];
  if (found === undefined) throw new Error(`tests know no type ${name}`);
  const [kindName, namespaced] = found;
  const dot = name.indexOf('.');
  return {
    group: dot < 0 ? '' : name.slice(dot + 1),
    version,
    resource: dot < 0 ? name : name.slice(0, dot),
    kind: kindName,
    namespaced,
  };
}

const KINDS: Readonly<Record<string, readonly [string, boolean]>> = {
  'apiservices.apiregistration.k8s.io': ['APIService', false],
  'boats.example.com': ['Boat', true],
  'certificatesigningrequests.certificates.k8s.io': ['CertificateSigningRequest', false],
  'ciliumendpoints.cilium.io': ['CiliumEndpoint', true],
  'clusterrolebindings.rbac.authorization.k8s.io': ['ClusterRoleBinding', false],
  'clusterroles.rbac.authorization.k8s.io': ['ClusterRole', false],
  'clustertrustbundles.certificates.k8s.io': ['ClusterTrustBundle', false],
  componentstatuses: ['ComponentStatus', false],
  configmaps: ['ConfigMap', true],
  'cronjobs.batch': ['CronJob', true],
  'customresourcedefinitions.apiextensions.k8s.io': ['CustomResourceDefinition', false],
  'deployments.apps': ['Deployment', true],
  endpoints: ['Endpoints', true],
  'endpointslices.discovery.k8s.io': ['EndpointSlice', true],
  events: ['Event', true],
  'flowschemas.flowcontrol.apiserver.k8s.io': ['FlowSchema', false],
  'gateways.gateway.networking.k8s.io': ['Gateway', true],
  'httproutes.gateway.networking.k8s.io': ['HTTPRoute', true],
  'ingresses.networking.k8s.io': ['Ingress', true],
  'ipaddresses.networking.k8s.io': ['IPAddress', false],
  'ipamblocks.crd.projectcalico.org': ['IPAMBlock', false],
  'jobs.batch': ['Job', true],
  'leases.coordination.k8s.io': ['Lease', true],
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': ['MutatingWebhookConfiguration', false],
  namespaces: ['Namespace', false],
  'networkpolicies.networking.k8s.io': ['NetworkPolicy', true],
  nodes: ['Node', false],
  persistentvolumeclaims: ['PersistentVolumeClaim', true],
  persistentvolumes: ['PersistentVolume', false],
  pods: ['Pod', true],
  'priorityclasses.scheduling.k8s.io': ['PriorityClass', false],
  'replicasets.apps': ['ReplicaSet', true],
  resourcequotas: ['ResourceQuota', true],
  'rolebindings.rbac.authorization.k8s.io': ['RoleBinding', true],
  secrets: ['Secret', true],
  serviceaccounts: ['ServiceAccount', true],
  'servicecidrs.networking.k8s.io': ['ServiceCIDR', false],
  services: ['Service', true],
  'sites.skupper.io': ['Site', true],
  'statefulsets.apps': ['StatefulSet', true],
  'storageclasses.storage.k8s.io': ['StorageClass', false],
  'storageversions.internal.apiserver.k8s.io': ['StorageVersion', false],
  'submariners.submariner.io': ['Submariner', true],
  'validatingadmissionpolicybindings.admissionregistration.k8s.io': ['ValidatingAdmissionPolicyBinding', false],
  'validatingwebhookconfigurations.admissionregistration.k8s.io': ['ValidatingWebhookConfiguration', false],
  'volumesnapshotcontents.snapshot.storage.k8s.io': ['VolumeSnapshotContent', false],
  'volumesnapshots.snapshot.storage.k8s.io': ['VolumeSnapshot', true],
};
