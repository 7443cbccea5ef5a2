import { objectsAt, removeAt, textAt } from './json.ts';
import type { JsonObject } from './json.ts';

/** One entry of `metadata.ownerReferences`. */
export interface OwnerReference {
  readonly uid: string;
  readonly group: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly controller: boolean;
  readonly blockOwnerDeletion: boolean;
}

/** The object's owner references, in their order. */
export function ownersOf(object: JsonObject): OwnerReference[] {
  return objectsAt(object, 'metadata', 'ownerReferences').map((reference) => {
    const apiVersion = textAt(reference, 'apiVersion');
    return {
      uid: textAt(reference, 'uid'),
      group: apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '',
      apiVersion,
      kind: textAt(reference, 'kind'),
      name: textAt(reference, 'name'),
      controller: reference['controller'] === true,
      blockOwnerDeletion: reference['blockOwnerDeletion'] === true,
    };
  });
}

/** The owner that controls the object, if there is one. */
export function controllerOf(object: JsonObject): OwnerReference | undefined {
  return ownersOf(object).find((owner) => owner.controller);
}

/** Takes the owner references out of an object and gives them back. */
export function takeOwners(object: JsonObject): OwnerReference[] {
  const owners = ownersOf(object);
  removeAt(object, 'metadata', 'ownerReferences');
  return owners;
}

/** An owner as it is compared between two sites: without the UID, and whatever version it was named in. */
export function ownerIdentity(owner: OwnerReference): string {
  const kind = owner.group === '' ? owner.kind : `${owner.kind}.${owner.group}`;
  return `${kind}/${owner.name}${owner.controller ? ' (controller)' : ''}`;
}

/** An owner reference for an object in the target, where the owner has `uid`. */
export function ownerReference(owner: OwnerReference, uid: string): JsonObject {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.name,
    uid,
    ...(owner.controller ? { controller: true } : {}),
    ...(owner.blockOwnerDeletion ? { blockOwnerDeletion: true } : {}),
  };
}
