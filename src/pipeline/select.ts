import { LifeboatError } from '../core/errors.ts';
import { compileSelection } from '../site/selection.ts';
import { typeName } from '../site/types.ts';
import type { ResourceType, Selection } from '../site/types.ts';
import { nameOf, namespaceOf, objectAt } from '../adapt/json.ts';
import type { JsonObject } from '../adapt/json.ts';

/** Says which objects of the source are restored. */
export interface ObjectFilter {
  /** False when nothing restricts: every object is restored. */
  readonly restricts: boolean;
  hasType(type: ResourceType): boolean;
  has(type: ResourceType, object: JsonObject): boolean;
  /** Single objects that were named. */
  readonly wanted: readonly ObjectName[];
}

/** One object as a person names it. */
export interface ObjectName {
  /** As it was written. */
  readonly text: string;
  /** `Secret`, `secrets`, `deployments.apps`. */
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Reads `Kind/namespace/name` or `Kind/name`. Throws `LB_USAGE`. */
export function parseObjectName(text: string): ObjectName {
  const parts = text.split('/');
  const [kind = '', second = '', third] = parts;
  if (parts.length > 3 || kind === '' || second === '' || third === '') {
    throw new LifeboatError('LB_USAGE', `"${text}" does not name an object`, {
      hint: 'Write Kind/namespace/name, or Kind/name for an object that is in no namespace: Secret/shop/db, ClusterRole/reader.',
    });
  }
  return { text, kind, namespace: third === undefined ? '' : second, name: third ?? second };
}

/** True if a type is what `kind` names: `Secret`, `secrets`, `secret`, `deployments.apps`. */
export function namesType(kind: string, type: ResourceType): boolean {
  const wanted = kind.toLowerCase();
  return [type.kind.toLowerCase(), type.resource, typeName(type)].includes(wanted);
}

/**
 * Makes the filter that the options ask for. Throws `LB_USAGE` for a name or selector that is malformed, and when single
 * objects and a selection are both given: one of them would be ignored.
 */
export function objectFilter(options: { readonly selection: Selection; readonly objects: readonly string[] }): ObjectFilter {
  const wanted = options.objects.map(parseObjectName);
  const restricted = Object.values(options.selection).some((value: unknown) => (Array.isArray(value) ? value.length > 0 : value !== undefined));
  if (wanted.length > 0) {
    if (restricted) {
      throw new LifeboatError('LB_USAGE', 'Objects are named one by one, and a selection by namespace, type or label is given as well', {
        hint: 'Name each object in full (Kind/namespace/name) and leave the selection out, or the other way round.',
      });
    }
    return {
      restricts: true,
      wanted,
      hasType: (type) => wanted.some((one) => namesType(one.kind, type) && (one.namespace !== '') === type.namespaced),
      has: (type, object) =>
        wanted.some((one) => one.name === nameOf(object) && one.namespace === namespaceOf(object) && namesType(one.kind, type)),
    };
  }
  const selection = compileSelection(options.selection);
  return {
    restricts: restricted,
    wanted,
    hasType: (type) => selection.hasType(type),
    has: (type, object) => {
      const namespace = type.namespaced ? namespaceOf(object) : isNamespaces(type) ? nameOf(object) : undefined;
      if (namespace !== undefined && !selection.hasNamespace(namespace)) return false;
      return selection.labels === undefined || selection.labels.matches(labelsOf(object));
    },
  };
}

function isNamespaces(type: ResourceType): boolean {
  return typeName(type) === 'namespaces';
}

function labelsOf(object: JsonObject): Record<string, string> {
  const labels = objectAt(object, 'metadata', 'labels') ?? {};
  return Object.fromEntries(Object.entries(labels).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}
