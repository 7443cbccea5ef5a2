import type { ResourceType } from './types.ts';

/** Where a type's objects are: all of them, or one namespace's. Parts are encoded for URLs. */
export function collectionPath(type: Pick<ResourceType, 'group' | 'version' | 'resource'>, namespace = ''): string {
  const api = type.group === '' ? `/api/${encode(type.version)}` : `/apis/${encode(type.group)}/${encode(type.version)}`;
  return `${api}${namespace === '' ? '' : `/namespaces/${encode(namespace)}`}/${encode(type.resource)}`;
}

/** Where one object is. RBAC objects have names with `:` and worse, so every part is encoded. */
export function objectPath(type: Pick<ResourceType, 'group' | 'version' | 'resource'>, name: string, namespace = ''): string {
  return `${collectionPath(type, namespace)}/${encode(name)}`;
}

function encode(part: string): string {
  return encodeURIComponent(part);
}
