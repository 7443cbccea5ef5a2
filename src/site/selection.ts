import { LifeboatError } from '../core/errors.ts';
import { parseLabelSelector } from '../core/label-selector.ts';
import type { LabelSelector } from '../core/label-selector.ts';
import type { ResourceType, Selection } from './types.ts';
import { typeName } from './types.ts';

/** A selection made ready to be asked. */
export interface CompiledSelection {
  readonly labels: LabelSelector | undefined;
  /** The selected namespaces when all of them are given by exact name; `undefined` when any may match. */
  readonly exactNamespaces: readonly string[] | undefined;
  /** True when objects must be looked at to know whether their namespace is selected. */
  readonly filtersNamespaces: boolean;
  /** Whether any object of this type may be selected. */
  hasType(type: ResourceType): boolean;
  /** Whether an API group whose types are not known might hold selected objects. */
  mayHaveGroup(group: string): boolean;
  hasNamespace(name: string): boolean;
  /** Patterns of `types` that match none of these types. */
  unmatched(types: readonly ResourceType[]): readonly string[];
}

/**
 * Checks a selection and makes it ready. Throws `LB_USAGE` for a label selector that is malformed or a namespace
 * that no namespace can be called.
 *
 * Namespace objects are special: one that is selected by name is included even if cluster-scoped objects are not,
 * because nothing in it can be restored without it.
 */
export function compileSelection(selection: Selection): CompiledSelection {
  const { namespaces = [], excludeNamespaces = [], types = [], excludeTypes = [] } = selection;
  for (const pattern of [...namespaces, ...excludeNamespaces]) checkNamespacePattern(pattern);
  const labels = selection.labels ? parseLabelSelector(selection.labels) : undefined;
  const clusterScoped = selection.clusterScoped ?? (namespaces.length === 0 && labels === undefined);
  const included = namespaces.map(glob);
  const excluded = excludeNamespaces.map(glob);
  const hasNamespace = (name: string): boolean =>
    (included.length === 0 || included.some((pattern) => pattern.test(name))) && !excluded.some((pattern) => pattern.test(name));
  const exact = namespaces.length > 0 && !namespaces.some((pattern) => pattern.includes('*'));
  return {
    labels,
    exactNamespaces: exact ? [...new Set(namespaces)].filter(hasNamespace).toSorted() : undefined,
    filtersNamespaces: namespaces.length > 0 || excludeNamespaces.length > 0,
    hasNamespace,
    hasType(type) {
      if (!type.namespaced && !clusterScoped && !(namespaces.length > 0 && typeName(type) === 'namespaces')) return false;
      return (types.length === 0 || matchesAny(types, type)) && !matchesAny(excludeTypes, type);
    },
    mayHaveGroup(group) {
      const all = `*.${group}`;
      const touches = (pattern: string): boolean => pattern.endsWith(`.${group}`) || glob(pattern).test(all);
      return (types.length === 0 || types.some(touches)) && !excludeTypes.some((pattern) => glob(pattern).test(all));
    },
    unmatched: (served) => types.filter((pattern) => !served.some((type) => matchesAny([pattern], type))),
  };
}

/** `deployments.apps`, `deployments` (of any group), `Deployment`, each also with `*`. */
function matchesAny(patterns: readonly string[], type: ResourceType): boolean {
  return patterns.some((text) => {
    const pattern = glob(text);
    return pattern.test(typeName(type)) || pattern.test(type.kind) || (!text.includes('.') && pattern.test(type.resource));
  });
}

function glob(pattern: string): RegExp {
  return new RegExp(`^${pattern.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll('*', '.*')}$`);
}

function checkNamespacePattern(pattern: string): void {
  // A DNS label (RFC 1123), as Kubernetes requires of namespaces, or a pattern for some.
  if (/^[a-z0-9*](?:[a-z0-9*-]{0,61}[a-z0-9*])?$/.test(pattern)) return;
  throw new LifeboatError('LB_USAGE', `"${pattern}" cannot be the name of a namespace`, {
    hint: 'Names consist of lower-case letters, digits and "-"; "*" stands for any part of one.',
  });
}
