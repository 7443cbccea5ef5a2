import { metaEntry, objectAt, objectsAt, textAt } from '../../adapt/json.ts';
import type { JsonObject } from '../../adapt/json.ts';
import type { ReferenceCheck, Subject } from './check.ts';
import { demand } from './demand.ts';
import { ownPodSpecOf, POD_TYPES } from './pods.ts';

const TYPES = {
  StorageClass: 'storageclasses.storage.k8s.io',
  IngressClass: 'ingressclasses.networking.k8s.io',
  PriorityClass: 'priorityclasses.scheduling.k8s.io',
  RuntimeClass: 'runtimeclasses.node.k8s.io',
} as const;

type ClassKind = keyof typeof TYPES;

export const classesCheck: ReferenceCheck = {
  id: 'classes',
  title: 'The storage, ingress, priority and runtime classes that objects name are there',
  types: [...POD_TYPES, 'persistentvolumeclaims', 'ingresses.networking.k8s.io'],
  needs: Object.values(TYPES),
  look(subject, inventory, found) {
    for (const { kind, name } of classesOf(subject)) {
      if (name === '') continue;
      demand(inventory, found, { type: TYPES[kind], namespace: '', name }, subject.label, `it names the ${kind} ${name}, which is not there`);
    }
  },
};

function classesOf({ type, object }: Subject): { readonly kind: ClassKind; readonly name: string }[] {
  if (type.resource === 'persistentvolumeclaims') return storageClassOf(object);
  if (type.resource === 'ingresses') return [{ kind: 'IngressClass', name: textAt(object, 'spec', 'ingressClassName') }];
  const spec = ownPodSpecOf(object);
  if (spec === undefined) return [];
  const templates = [...objectsAt(object, 'spec', 'volumeClaimTemplates'), ...objectsAt(spec, 'volumes').map((volume) => objectAt(volume, 'ephemeral', 'volumeClaimTemplate') ?? {})];
  return [
    { kind: 'PriorityClass', name: textAt(spec, 'priorityClassName') },
    { kind: 'RuntimeClass', name: textAt(spec, 'runtimeClassName') },
    ...templates.map((template) => ({ kind: 'StorageClass' as const, name: textAt(template, 'spec', 'storageClassName') })),
  ];
}

/** A claim that has had a volume of a person's making needs no class: the name only matches the two. */
function storageClassOf(claim: JsonObject): { readonly kind: ClassKind; readonly name: string }[] {
  const made = metaEntry(claim, 'annotations', 'volume.kubernetes.io/storage-provisioner') !== '' || metaEntry(claim, 'annotations', 'volume.beta.kubernetes.io/storage-provisioner') !== '';
  if (textAt(claim, 'spec', 'volumeName') !== '' && !made) return [];
  return [{ kind: 'StorageClass', name: textAt(claim, 'spec', 'storageClassName') }];
}
