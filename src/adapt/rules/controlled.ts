import { keyOf, metaEntry, objectsAt, removeAt, removeKeys, textAt } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { controllerOf } from '../owners.ts';
import type { Rule } from '../rule.ts';

const JOB_IDENTITY = ['controller-uid', 'batch.kubernetes.io/controller-uid'];
const ROLLOUT_NOTES = [
  'deployment.kubernetes.io/revision',
  'deployment.kubernetes.io/revision-history',
  'deployment.kubernetes.io/desired-replicas',
  'deployment.kubernetes.io/max-replicas',
];

/** What controllers make of other objects, and what they write into them. */
export const controlledRules: readonly Rule[] = [
  {
    id: 'pod-mirror',
    types: ['pods'],
    effect: 'drop',
    when: 'it has the annotation `kubernetes.io/config.mirror`',
    why: 'It is the image of a static pod that a file on a node of the source asks for.',
    drops: (object) => metaEntry(object, 'annotations', 'kubernetes.io/config.mirror') !== '',
  },
  {
    id: 'pod-controlled',
    types: ['pods'],
    effect: 'drop',
    when: 'an owner reference names its controller',
    why: 'The controller (a ReplicaSet, StatefulSet, DaemonSet, Job or an operator) makes its pods again.',
    drops: (object) => controllerOf(object) !== undefined,
  },
  {
    id: 'pod-finished',
    types: ['pods'],
    effect: 'drop',
    when: '`status.phase` is `Succeeded` or `Failed`',
    why: 'Its containers have run to their end; restored, they would run again.',
    drops: (object) => ['Succeeded', 'Failed'].includes(textAt(object, 'status', 'phase')),
  },
  {
    id: 'job-finished',
    types: ['jobs.batch'],
    effect: 'drop',
    when: 'it has the condition `Complete` or `Failed`',
    why: 'It has run to its end; restored, it would run again.',
    drops: (object) =>
      objectsAt(object, 'status', 'conditions').some(
        (condition) => (condition['type'] === 'Complete' || condition['type'] === 'Failed') && condition['status'] === 'True',
      ),
  },
  {
    id: 'job-identity',
    types: ['jobs.batch'],
    effect: 'change',
    fields: [
      'spec.selector',
      ...JOB_IDENTITY.flatMap((label) => [`metadata.labels[${label}]`, `spec.template.metadata.labels[${label}]`]),
      'nothing where spec.manualSelector is true',
    ],
    why: 'The API server makes a Job’s selector from the new Job’s UID.',
    change: (object) => {
      if (objectBoolean(object, 'manualSelector')) return false;
      const removed = [
        removeAt(object, 'spec', 'selector'),
        removeKeys(object, ['metadata', 'labels'], JOB_IDENTITY),
        removeKeys(object, ['spec', 'template', 'metadata', 'labels'], JOB_IDENTITY),
      ];
      return removed.includes(true);
    },
  },
  {
    id: 'endpoints-controlled',
    types: ['endpoints'],
    effect: 'drop',
    when: 'a Service of its name has a selector, or it has the label `endpoints.kubernetes.io/managed-by`',
    why: 'The endpoints controller makes it from the Service and its pods. Those of Services without a selector are kept.',
    drops: (object, facts) =>
      facts.selectorServices.has(keyOf(object)) || metaEntry(object, 'labels', 'endpoints.kubernetes.io/managed-by') !== '',
  },
  {
    id: 'endpointslice-controlled',
    types: ['endpointslices.discovery.k8s.io'],
    effect: 'drop',
    when: 'the label `endpointslice.kubernetes.io/managed-by` names one of Kubernetes’ own controllers',
    why: 'The controller makes it from the Service and its pods, or from the Endpoints. Slices made by others are kept.',
    drops: (object) => metaEntry(object, 'labels', 'endpointslice.kubernetes.io/managed-by').endsWith('-controller.k8s.io'),
  },
  {
    id: 'endpoint-target-identity',
    types: ['endpoints', 'endpointslices.discovery.k8s.io'],
    effect: 'change',
    fields: ['uid and resourceVersion of every targetRef'],
    why: 'They name one incarnation of an object, which the target does not have.',
    change: (object) => {
      const addresses = [
        ...objectsAt(object, 'endpoints'),
        ...objectsAt(object, 'subsets').flatMap((subset) => [...objectsAt(subset, 'addresses'), ...objectsAt(subset, 'notReadyAddresses')]),
      ];
      return addresses.map((address) => removeKeys(address, ['targetRef'], ['uid', 'resourceVersion'])).includes(true);
    },
  },
  {
    id: 'rollout-notes',
    types: ['deployments.apps', 'replicasets.apps'],
    effect: 'aside',
    fields: ROLLOUT_NOTES.map((name) => `metadata.annotations[${name}]`),
    why: 'The Deployment controller numbers rollouts and notes sizes there, and counts on in the target.',
    remove: (object) => {
      removeKeys(object, ['metadata', 'annotations'], ROLLOUT_NOTES);
    },
  },
  {
    id: 'rollout-size',
    types: ['replicasets.apps'],
    effect: 'aside',
    fields: ['spec.replicas, where a Deployment controls the ReplicaSet'],
    why: 'The Deployment decides how many pods each of its ReplicaSets has at a moment.',
    remove: (object) => {
      // The name Kubernetes gives them carries the template’s hash; its label says so without the owner, which is compared on its own.
      if (metaEntry(object, 'labels', 'pod-template-hash') !== '') removeAt(object, 'spec', 'replicas');
    },
  },
];

function objectBoolean(object: JsonObject, field: string): boolean {
  const spec = object['spec'];
  return typeof spec === 'object' && spec !== null && !Array.isArray(spec) && spec[field] === true;
}
