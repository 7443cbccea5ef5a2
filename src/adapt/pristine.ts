import { isObject, objectAt } from './json.ts';
import type { JsonObject } from './json.ts';

/** True for the ServiceAccount and namespaces every cluster makes, as it makes them: a restore may complete them. */
export function isPristine(object: JsonObject, resource: string): boolean {
  const metadata = objectAt(object, 'metadata');
  if (metadata === undefined) return false;
  const { name, namespace, labels, ...rest } = metadata;
  if (Object.keys(rest).length > 0) return false;
  if (resource === 'serviceaccounts') {
    return name === 'default' && labels === undefined && onlyHasMetadata(object);
  }
  const own = isObject(labels) ? Object.keys(labels).filter((label) => label !== 'kubernetes.io/metadata.name') : [];
  return resource === 'namespaces' && namespace === undefined && own.length === 0 && onlyHasMetadata(object);
}

function onlyHasMetadata(object: JsonObject): boolean {
  return Object.keys(object).every((key) => key === 'apiVersion' || key === 'kind' || key === 'metadata');
}
