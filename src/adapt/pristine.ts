import { isObject, objectAt } from './json.ts';
import type { JsonObject } from './json.ts';

/** The namespaces every cluster has. Source: kubernetes/pkg/controlplane/controller/systemnamespaces, and the API's own `default`. */
const SYSTEM_NAMESPACES = new Set(['default', 'kube-system', 'kube-public', 'kube-node-lease']);

/**
 * True for the portable form of what a cluster makes by itself, with nothing added: its own namespaces, and the
 * ServiceAccount `default` of every namespace. A restore may complete them, whatever it is told about existing objects.
 */
export function isPristine(object: JsonObject, resource: string): boolean {
  const metadata = objectAt(object, 'metadata');
  if (metadata === undefined) return false;
  const { name, namespace, labels, ...rest } = metadata;
  if (Object.keys(rest).length > 0) return false;
  if (resource === 'serviceaccounts') {
    return name === 'default' && labels === undefined && onlyHasMetadata(object);
  }
  const own = isObject(labels) ? Object.keys(labels).filter((label) => label !== 'kubernetes.io/metadata.name') : [];
  return resource === 'namespaces' && namespace === undefined && typeof name === 'string' && SYSTEM_NAMESPACES.has(name) && own.length === 0 && onlyHasMetadata(object);
}

function onlyHasMetadata(object: JsonObject): boolean {
  return Object.keys(object).every((key) => key === 'apiVersion' || key === 'kind' || key === 'metadata');
}
