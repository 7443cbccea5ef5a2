import { isObject, objectAt, objectsAt, removeAt, removeKeys, textAt } from '../json.ts';
import type { JsonObject } from '../json.ts';
import type { DrillRule } from '../rule.ts';
import { preferredVersion } from '../versions.ts';

/** No object has this label, no scheduler, class or volume this name: what selects it selects nothing. */
const NEVER = 'lifeboat-drill-none';
/** The label of what a drill created in a spare site; its value says which drill. */
export const DRILL_LABEL = 'lifeboat-drill';

/** Annotations by which controllers are told to do something outside the cluster: names, and beginnings that end with `/`. */
const OUTWARD = [
  'external-dns.alpha.kubernetes.io/',
  'dns.alpha.kubernetes.io/',
  'cert-manager.io/',
  'acme.cert-manager.io/',
  'kubernetes.io/tls-acme',
  'kubernetes.io/ingress.class',
  'service.beta.kubernetes.io/',
  'service.kubernetes.io/',
  'alb.ingress.kubernetes.io/',
  'appgw.ingress.kubernetes.io/',
  'networking.gke.io/',
  'cloud.google.com/',
  'kubernetes.digitalocean.com/',
  'load-balancer.hetzner.cloud/',
  'metallb.universe.tf/',
  'metallb.io/',
] as const;

const WEBHOOKS = ['validatingwebhookconfigurations.admissionregistration.k8s.io', 'mutatingwebhookconfigurations.admissionregistration.k8s.io'];
const POLICY_BINDINGS = ['validatingadmissionpolicybindings.admissionregistration.k8s.io', 'mutatingadmissionpolicybindings.admissionregistration.k8s.io'];
const SNAPSHOT_CONTENTS = ['volumesnapshotcontents.snapshot.storage.k8s.io', 'volumegroupsnapshotcontents.groupsnapshot.storage.k8s.io'];
const DEFAULT_CLASSES = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class', 'ingressclass.kubernetes.io/is-default-class'];

/** What a drill does to objects so that none of them touches anything outside its cluster. They come after all other rules. */
export const drillRules: readonly DrillRule[] = [
  {
    id: 'drill-suspended',
    types: ['cronjobs.batch', 'jobs.batch'],
    effect: 'drill',
    fields: ['spec.suspend: true'],
    why: 'A job of a drill would send the mails, bills and backups of the site a second time.',
    change: (object) => put(object, ['spec'], 'suspend', true),
  },
  {
    id: 'drill-unscheduled',
    types: ['pods', 'podtemplates', 'replicationcontrollers', 'deployments.apps', 'statefulsets.apps', 'daemonsets.apps', 'replicasets.apps', 'jobs.batch', 'cronjobs.batch'],
    effect: 'drill',
    fields: [`schedulerName: ${NEVER} of pods and of their templates`, 'nodeName of templates'],
    why: 'Pods are made, and judged by quotas and admission, but no scheduler gives them a node: no container runs.',
    change: (object) => podSpecs(object).map(unschedule).includes(true),
  },
  {
    id: 'drill-webhooks',
    types: WEBHOOKS,
    effect: 'drill',
    fields: [`webhooks[*].objectSelector: also a label ${NEVER} that no object has`, 'webhooks[*].failurePolicy: Ignore'],
    why: 'The webhook may be anywhere on the internet, and the workload behind it does not run: it is there, and never called.',
    change: (object) => {
      const webhooks = objectsAt(object, 'webhooks');
      for (const webhook of webhooks) {
        neverSelect(webhook, 'objectSelector');
        webhook['failurePolicy'] = 'Ignore';
      }
      return webhooks.length > 0;
    },
  },
  {
    id: 'drill-conversion',
    types: ['customresourcedefinitions.apiextensions.k8s.io'],
    effect: 'drill',
    fields: ['spec.conversion: the strategy `None` in place of `Webhook`', 'spec.versions[*].storage: the preferred version'],
    why: 'The converter may be anywhere, and its workload does not run. Objects are kept in the version they were read in, which needs no conversion.',
    change: (object) => {
      if (textAt(object, 'spec', 'conversion', 'strategy') !== 'Webhook') return false;
      const spec = objectAt(object, 'spec');
      if (spec !== undefined) spec['conversion'] = { strategy: 'None' };
      const versions = objectsAt(object, 'spec', 'versions');
      const preferred = preferredVersion(versions.filter((version) => version['served'] === true).map((version) => textAt(version, 'name')));
      if (preferred !== undefined) for (const version of versions) version['storage'] = version['name'] === preferred;
      return true;
    },
  },
  {
    id: 'drill-aggregated-apis',
    types: ['apiservices.apiregistration.k8s.io'],
    effect: 'drill',
    fields: ['spec.service, spec.caBundle, spec.insecureSkipTLSVerify'],
    why: 'The workload that serves it does not run, and its Service may lead out of the cluster: it is registered, and serves nothing.',
    change: (object) => {
      const removed = removeAt(object, 'spec', 'service');
      if (removed) for (const field of ['caBundle', 'insecureSkipTLSVerify']) removeAt(object, 'spec', field);
      return removed;
    },
  },
  {
    id: 'drill-load-balancers',
    types: ['services'],
    effect: 'drill',
    fields: ['spec.type: ClusterIP, where it was `LoadBalancer`', 'spec.loadBalancer…, spec.externalTrafficPolicy, spec.externalIPs, node ports'],
    why: 'A load balancer costs money, and would draw the traffic of those who know its name.',
    change: (object) => {
      const external = removeAt(object, 'spec', 'externalIPs');
      if (textAt(object, 'spec', 'type') !== 'LoadBalancer') return external;
      for (const field of ['loadBalancerIP', 'loadBalancerClass', 'loadBalancerSourceRanges', 'allocateLoadBalancerNodePorts', 'externalTrafficPolicy', 'healthCheckNodePort']) removeAt(object, 'spec', field);
      for (const port of objectsAt(object, 'spec', 'ports')) removeAt(port, 'nodePort');
      return put(object, ['spec'], 'type', 'ClusterIP');
    },
  },
  {
    id: 'drill-annotations',
    types: ['services', 'ingresses.networking.k8s.io', '*.gateway.networking.k8s.io'],
    effect: 'drill',
    fields: OUTWARD.map((name) => `metadata.annotations[${name}${name.endsWith('/') ? '…' : ''}]`),
    why: 'They tell controllers to make DNS records, certificates and load balancers.',
    change: (object) => {
      const names = Object.keys(objectAt(object, 'metadata', 'annotations') ?? {});
      return removeKeys(object, ['metadata', 'annotations'], names.filter((name) => OUTWARD.some((one) => (one.endsWith('/') ? name.startsWith(one) : name === one))));
    },
  },
  {
    id: 'drill-volumes',
    types: ['persistentvolumes', ...SNAPSHOT_CONTENTS],
    effect: 'drill',
    fields: ['spec.persistentVolumeReclaimPolicy: Retain', 'spec.deletionPolicy: Retain'],
    why: 'When the drill is cleared away, the volumes and snapshots of the site must not be deleted with it.',
    change: (object) => put(object, ['spec'], textAt(object, 'spec', 'deletionPolicy') === '' ? 'persistentVolumeReclaimPolicy' : 'deletionPolicy', 'Retain'),
  },
  {
    id: 'drill-spare-ingress',
    types: ['ingresses.networking.k8s.io'],
    effect: 'drill',
    spareOnly: true,
    fields: [`spec.ingressClassName: ${NEVER}`],
    why: 'No ingress controller of the spare site is to serve it.',
    change: (object) => put(object, ['spec'], 'ingressClassName', NEVER),
  },
  {
    id: 'drill-spare-claims',
    types: ['persistentvolumeclaims'],
    effect: 'drill',
    spareOnly: true,
    fields: [`spec.volumeName: ${NEVER}`, 'spec.dataSource, spec.dataSourceRef'],
    why: 'A claim that asks for a volume that does not exist gets none: the spare site makes no volumes that cost money.',
    change: (object) => {
      for (const field of ['dataSource', 'dataSourceRef']) removeAt(object, 'spec', field);
      return put(object, ['spec'], 'volumeName', NEVER);
    },
  },
  {
    id: 'drill-spare-defaults',
    types: ['storageclasses.storage.k8s.io', 'ingressclasses.networking.k8s.io', 'priorityclasses.scheduling.k8s.io'],
    effect: 'drill',
    spareOnly: true,
    fields: [...DEFAULT_CLASSES.map((name) => `metadata.annotations[${name}]`), 'globalDefault'],
    why: 'What others make in the spare site meanwhile is not to get classes of the drill.',
    change: (object) => [removeKeys(object, ['metadata', 'annotations'], DEFAULT_CLASSES), removeAt(object, 'globalDefault')].includes(true),
  },
  {
    id: 'drill-spare-policies',
    types: POLICY_BINDINGS,
    effect: 'drill',
    spareOnly: true,
    fields: [`spec.matchResources.objectSelector: also a label ${NEVER} that no object has`],
    why: 'What others make in the spare site meanwhile is not to be judged by policies of the drill.',
    change: (object) => {
      const spec = objectAt(object, 'spec');
      if (spec === undefined) return false;
      const resources = isObject(spec['matchResources']) ? spec['matchResources'] : {};
      spec['matchResources'] = resources;
      neverSelect(resources, 'objectSelector');
      return true;
    },
  },
  {
    id: 'drill-spare-rights',
    types: ['rolebindings.rbac.authorization.k8s.io', 'clusterrolebindings.rbac.authorization.k8s.io'],
    effect: 'drill',
    spareOnly: true,
    fields: ['subjects of the kinds `User` and `Group`'],
    why: 'People and groups of the site get no rights in the spare one.',
    change: (object) => {
      const subjects = objectsAt(object, 'subjects');
      const accounts = subjects.filter((subject) => subject['kind'] === 'ServiceAccount');
      if (accounts.length === subjects.length) return false;
      object['subjects'] = accounts;
      return true;
    },
  },
  {
    id: 'drill-spare-finalizers',
    types: ['*'],
    effect: 'drill',
    spareOnly: true,
    fields: ['metadata.finalizers'],
    why: 'The controllers that would take them off do not run: the object could not be removed after the drill.',
    change: (object) => removeAt(object, 'metadata', 'finalizers'),
  },
  {
    id: 'drill-spare-mark',
    types: ['*'],
    effect: 'drill',
    spareOnly: true,
    fields: [`metadata.labels[${DRILL_LABEL}]`],
    why: 'What the drill created, and nothing else, is removed after it, by the next drill if this one is killed.',
    change: (object, { mark }) => put(object, ['metadata', 'labels'], DRILL_LABEL, mark),
  },
];

/** The pod specs in an object: its own, that of its template, that of its template's template. */
function podSpecs(object: JsonObject): { readonly spec: JsonObject; readonly template: boolean }[] {
  const template = objectAt(object, 'spec', 'template', 'spec') ?? objectAt(object, 'spec', 'jobTemplate', 'spec', 'template', 'spec') ?? objectAt(object, 'template', 'spec');
  if (template !== undefined) return [{ spec: template, template: true }];
  const spec = objectAt(object, 'spec');
  return spec !== undefined && Array.isArray(spec['containers']) ? [{ spec, template: false }] : [];
}

function unschedule({ spec, template }: { readonly spec: JsonObject; readonly template: boolean }): boolean {
  const removed = template && removeAt(spec, 'nodeName');
  const same = spec['schedulerName'] === NEVER;
  spec['schedulerName'] = NEVER;
  return removed || !same;
}

/** Adds to a label selector that the label is needed which no object has; what it selects already stays. */
function neverSelect(holder: JsonObject, field: string): void {
  const selector = isObject(holder[field]) ? holder[field] : {};
  holder[field] = selector;
  const labels = isObject(selector['matchLabels']) ? selector['matchLabels'] : {};
  selector['matchLabels'] = labels;
  labels[NEVER] = 'true';
}

/** Sets a field below `path`, making what is missing on the way. True if it was not so before. */
function put(object: JsonObject, path: readonly string[], key: string, value: string | boolean): boolean {
  let holder = object;
  for (const step of path) {
    const next = isObject(holder[step]) ? holder[step] : {};
    holder[step] = next;
    holder = next;
  }
  if (holder[key] === value) return false;
  holder[key] = value;
  return true;
}
