import { isObject, namespaceOf, objectAt, objectsAt, removeAt, textAt } from '../json.ts';
import type { JsonObject } from '../json.ts';
import type { Rule } from '../rule.ts';

const IDENTITY = [
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'selfLink',
  'managedFields',
];

/** What the API server itself writes into every object's metadata, and objects on their way out. */
export const metadataRules: readonly Rule[] = [
  {
    id: 'being-deleted',
    types: ['*'],
    effect: 'drop',
    when: '`metadata.deletionTimestamp` is set',
    why: 'Its deletion had been asked for and only waited for finalizers; restoring it would undo that.',
    drops: (object) => textAt(object, 'metadata', 'deletionTimestamp') !== '',
  },
  {
    id: 'namespace-being-deleted',
    types: ['*'],
    effect: 'drop',
    when: 'its namespace was being deleted',
    why: 'The namespace is not restored, and everything in it was about to go.',
    drops: (object, facts) => facts.terminatingNamespaces.has(namespaceOf(object)),
  },
  {
    id: 'metadata-identity',
    types: ['*'],
    effect: 'change',
    routine: true,
    fields: IDENTITY.map((field) => `metadata.${field}`),
    why: 'The API server gives every object it creates an identity, a version and times of its own, and records who wrote which field.',
    change: (object) => {
      const metadata = objectAt(object, 'metadata');
      let changed = false;
      if (metadata !== undefined) for (const field of IDENTITY) changed = removeAt(metadata, field) || changed;
      return changed;
    },
  },
  {
    id: 'template-timestamps',
    types: ['*.apps', 'podtemplates', 'replicationcontrollers', 'jobs.batch', 'cronjobs.batch'],
    effect: 'change',
    routine: true,
    fields: ['metadata.creationTimestamp of embedded templates (`null`)'],
    why: 'Older API servers write an empty time into templates, newer ones do not.',
    change: (object) => {
      const spec = objectAt(object, 'spec');
      const templates = [
        objectAt(object, 'template'),
        objectAt(object, 'spec', 'template'),
        objectAt(object, 'spec', 'jobTemplate'),
        objectAt(object, 'spec', 'jobTemplate', 'spec', 'template'),
        ...(spec === undefined ? [] : objectsAt(spec, 'volumeClaimTemplates')),
      ];
      let changed = false;
      for (const template of templates) {
        const metadata = template === undefined ? undefined : objectAt(template, 'metadata');
        if (metadata !== undefined && metadata['creationTimestamp'] === null) changed = removeAt(metadata, 'creationTimestamp') || changed;
      }
      return changed;
    },
  },
  {
    id: 'namespace-finalizers',
    types: ['namespaces'],
    effect: 'change',
    routine: true,
    fields: ['spec.finalizers'],
    why: 'Kubernetes sets its own finalizer on every namespace it creates.',
    change: (object) => removeAt(object, 'spec', 'finalizers') && dropEmptySpec(object),
  },
];

function dropEmptySpec(object: JsonObject): boolean {
  if (isObject(object['spec']) && Object.keys(object['spec']).length === 0) delete object['spec'];
  return true;
}
