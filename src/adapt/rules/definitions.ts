import { isObject, objectAt, objectsAt } from '../json.ts';
import type { JsonObject } from '../json.ts';
import type { Rule } from '../rule.ts';

/** What older API servers accepted, and kept, and newer ones refuse to create. */
export const definitionRules: readonly Rule[] = [
  {
    id: 'definition-unknown-fields',
    types: ['customresourcedefinitions.apiextensions.k8s.io'],
    effect: 'change',
    fields: ['spec.preserveUnknownFields', 'spec.versions[*].schema.openAPIV3Schema.x-kubernetes-preserve-unknown-fields'],
    why: 'Definitions from before `apiextensions.k8s.io/v1` may keep fields their schema does not know; today the schema itself has to say so.',
    change: (object) => {
      const spec = objectAt(object, 'spec');
      if (spec === undefined || spec['preserveUnknownFields'] !== true) return false;
      spec['preserveUnknownFields'] = false;
      for (const version of objectsAt(spec, 'versions')) keepUnknown(version);
      return true;
    },
  },
  {
    id: 'webhook-side-effects',
    types: ['validatingwebhookconfigurations.admissionregistration.k8s.io', 'mutatingwebhookconfigurations.admissionregistration.k8s.io'],
    effect: 'change',
    fields: ['webhooks[*].sideEffects, where it is `Unknown` or `Some`'],
    why: 'Webhooks from before `admissionregistration.k8s.io/v1` may say so; today only `None` and `NoneOnDryRun` are accepted.',
    change: (object) => {
      const old = objectsAt(object, 'webhooks').filter((webhook) => webhook['sideEffects'] === 'Unknown' || webhook['sideEffects'] === 'Some');
      for (const webhook of old) webhook['sideEffects'] = 'NoneOnDryRun';
      return old.length > 0;
    },
  },
];

function keepUnknown(version: JsonObject): void {
  const schema = objectAt(version, 'schema', 'openAPIV3Schema') ?? { type: 'object' };
  schema['x-kubernetes-preserve-unknown-fields'] = true;
  if (isObject(version['schema'])) version['schema']['openAPIV3Schema'] = schema;
  else version['schema'] = { openAPIV3Schema: schema };
}
