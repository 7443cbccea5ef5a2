import { typeName } from '../../site/types.ts';
import type { ResourceType } from '../../site/types.ts';

/**
 * The order of a restore: a wave begins when the one before it is done. Each line says what the objects of a wave need of
 * the waves before it, or what they would do to those after it.
 */
export const WAVES = [
  { name: 'definitions', why: 'custom resources need their definitions' },
  { name: 'namespaces', why: 'everything else in a namespace needs it' },
  { name: 'classes', why: 'claims and pods name them, and are refused or changed without' },
  { name: 'identities', why: 'token Secrets and pods need their ServiceAccounts; rights are there before anyone uses them' },
  { name: 'configuration', why: 'pods mount Secrets and ConfigMaps' },
  { name: 'volumes', why: 'pods mount claims; volumes are there before claims look for one' },
  { name: 'network', why: 'pods get the addresses of Services as environment variables; policies protect them from the first moment' },
  { name: 'pods', why: 'bare pods were admitted once: limits that were set later do not judge them again' },
  { name: 'limits', why: 'from here on controllers make pods, and those must be held to the limits' },
  { name: 'custom resources', why: 'operators find them when they start' },
  { name: 'histories', why: 'controllers adopt the ReplicaSets and revisions they find, and make new ones otherwise' },
  { name: 'workloads', why: 'everything they use is there' },
  { name: 'other', why: 'types not named here, and what points at workloads' },
  { name: 'aggregated APIs', why: 'they are served by workloads' },
  { name: 'budgets', why: 'disruption budgets, and quotas that were exceeded already: they would refuse what had been there before them' },
  { name: 'admission policies', why: 'they judge what comes after them, not what was there' },
  { name: 'admission webhooks', why: 'until the workloads behind them are ready they refuse everything they watch' },
] as const;

export type WaveName = (typeof WAVES)[number]['name'];

const MEMBERS: Readonly<Partial<Record<WaveName, readonly string[]>>> = {
  definitions: ['customresourcedefinitions.apiextensions.k8s.io'],
  namespaces: ['namespaces'],
  classes: [
    'priorityclasses.scheduling.k8s.io',
    'storageclasses.storage.k8s.io',
    'volumeattributesclasses.storage.k8s.io',
    'csidrivers.storage.k8s.io',
    'runtimeclasses.node.k8s.io',
    'ingressclasses.networking.k8s.io',
    'deviceclasses.resource.k8s.io',
    'servicecidrs.networking.k8s.io',
    'clustertrustbundles.certificates.k8s.io',
    'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io',
    'flowschemas.flowcontrol.apiserver.k8s.io',
  ],
  identities: [
    'serviceaccounts',
    'roles.rbac.authorization.k8s.io',
    'clusterroles.rbac.authorization.k8s.io',
    'rolebindings.rbac.authorization.k8s.io',
    'clusterrolebindings.rbac.authorization.k8s.io',
  ],
  configuration: ['secrets', 'configmaps'],
  volumes: ['persistentvolumes', 'persistentvolumeclaims', 'resourceclaims.resource.k8s.io', 'resourceclaimtemplates.resource.k8s.io'],
  network: ['services', 'endpoints', 'endpointslices.discovery.k8s.io', 'networkpolicies.networking.k8s.io'],
  pods: ['pods'],
  limits: ['limitranges', 'resourcequotas'],
  histories: ['replicasets.apps', 'controllerrevisions.apps'],
  workloads: ['deployments.apps', 'statefulsets.apps', 'daemonsets.apps', 'replicationcontrollers', 'jobs.batch', 'cronjobs.batch'],
  'aggregated APIs': ['apiservices.apiregistration.k8s.io'],
  budgets: ['poddisruptionbudgets.policy'],
  'admission policies': [
    'validatingadmissionpolicies.admissionregistration.k8s.io',
    'validatingadmissionpolicybindings.admissionregistration.k8s.io',
    'mutatingadmissionpolicies.admissionregistration.k8s.io',
    'mutatingadmissionpolicybindings.admissionregistration.k8s.io',
  ],
  'admission webhooks': [
    'validatingwebhookconfigurations.admissionregistration.k8s.io',
    'mutatingwebhookconfigurations.admissionregistration.k8s.io',
  ],
};

const waveByType = new Map<string, number>(
  WAVES.flatMap(({ name }, number) => (MEMBERS[name] ?? []).map((type): [string, number] => [type, number])),
);

/** The number of a wave. */
export function waveNumber(name: WaveName): number {
  return WAVES.findIndex((wave) => wave.name === name);
}

/** The wave an object goes in. `custom`: its type comes from a definition. `exceeded`: it is a quota that was exceeded in the source. */
export function waveOf(type: Pick<ResourceType, 'group' | 'resource'>, custom: boolean, exceeded: boolean): number {
  if (exceeded) return waveNumber('budgets');
  return waveByType.get(typeName(type)) ?? waveNumber(custom ? 'custom resources' : 'other');
}
