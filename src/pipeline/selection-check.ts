import { LifeboatError } from '../core/errors.ts';
import { nearest } from '../core/suggest.ts';
import { nameOf, namespaceOf } from '../adapt/json.ts';
import type { JsonObject } from '../adapt/json.ts';
import { compileSelection } from '../site/selection.ts';
import { typeName } from '../site/types.ts';
import type { CutType, ResourceType, Selection } from '../site/types.ts';

/**
 * Remembers which namespaces there are and whether anything was selected, while objects are read anyway: a name that
 * nothing has is a slip of the pen, and must not pass for success with nothing done.
 */
export class SelectionCheck {
  readonly namespaces = new Set<string>();
  #selected = 0;

  /** Notes an object that was looked at, and passes on whether it is selected. */
  note(type: ResourceType, object: JsonObject, selected: boolean): boolean {
    const namespace = type.namespaced ? namespaceOf(object) : typeName(type) === 'namespaces' ? nameOf(object) : '';
    if (namespace !== '') this.namespaces.add(namespace);
    if (selected) this.#selected += 1;
    return selected;
  }

  get selected(): number {
    return this.#selected;
  }

  /** The namespaces of a selection, given by exact name, that have not been seen. */
  unseen(selection: Selection): string[] {
    return exact(selection.namespaces).filter((name) => !this.namespaces.has(name));
  }

  /** Throws `LB_USAGE` that says these namespaces are not there, if there are any. `where`: `point 2026…`. */
  refuseNamespaces(names: readonly string[], where: string): void {
    if (names.length > 0) throw notThere('namespace', names, [...this.namespaces], where);
  }
}

/** Throws `LB_USAGE` for types of a selection, given by exact name, that are none of `types`. */
export function refuseUnknownTypes(selection: Selection, types: readonly CutType[], where: string): void {
  const unknown = exact(compileSelection(selection).unmatched(types));
  if (unknown.length === 0) return;
  throw notThere('type', unknown, types.flatMap((type) => [type.kind, type.resource, typeName(type)]), where);
}

/** `LB_USAGE` for a selection that no object matches. */
export function nothingSelected(where: string, unread: readonly CutType[]): LifeboatError {
  const types = unread.map((type) => `${typeName(type)} (${type.reason ?? 'no reason is known'})`).join(', ');
  return new LifeboatError('LB_USAGE', `No object of ${where} matches the selection`, {
    hint: unread.length === 0 ? 'List what a point has with `lifeboat show --objects`.' : `This could not be read when the backup was made: ${types}.`,
  });
}

function exact(patterns: readonly string[] = []): string[] {
  return patterns.filter((pattern) => !pattern.includes('*'));
}

function notThere(what: 'namespace' | 'type', names: readonly string[], known: readonly string[], where: string): LifeboatError {
  const meant = names.map((name) => nearest(name, known)).filter((name) => name !== undefined);
  return new LifeboatError('LB_USAGE', `There is no ${what} ${names.join(', ')} in ${where}`, {
    hint: meant.length > 0 ? `Did you mean ${meant.join(', ')}?` : 'List what a point has with `lifeboat show`.',
  });
}
