import { canonicalJson } from './canonical.ts';
import { isObject } from './json.ts';
import type { JsonObject, JsonValue } from './json.ts';

/** One place where two objects differ. */
export interface Difference {
  /** `spec.replicas`, `metadata.labels[app.kubernetes.io/name]`, `spec.ports[0].nodePort`. */
  readonly path: string;
  /** The value on the first side; absent if there is none. */
  readonly a?: JsonValue;
  /** The value on the second side; absent if there is none. */
  readonly b?: JsonValue;
}

/** Where `a` and `b` differ, in the order of the keys. Lists are compared item by item at the same place. */
export function differences(a: JsonValue | undefined, b: JsonValue | undefined): Difference[] {
  const found: Difference[] = [];
  compare(a, b, '', found);
  return found;
}

function compare(a: JsonValue | undefined, b: JsonValue | undefined, path: string, found: Difference[]): void {
  if (isObject(a) && isObject(b)) {
    for (const key of [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()) {
      compare(own(a, key), own(b, key), pathTo(path, key), found);
    }
  } else if (Array.isArray(a) && Array.isArray(b)) {
    for (let index = 0; index < Math.max(a.length, b.length); index += 1) compare(a[index], b[index], `${path}[${index}]`, found);
  } else if (a === undefined || b === undefined || canonicalJson(a) !== canonicalJson(b)) {
    if (a !== b) found.push({ path, ...(a === undefined ? {} : { a }), ...(b === undefined ? {} : { b }) });
  }
}

function own(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** `spec.replicas`, but `labels[app.kubernetes.io/name]` for keys that are not plain words. */
function pathTo(path: string, key: string): string {
  if (!/^[A-Za-z_$][\w$-]*$/.test(key)) return `${path}[${key}]`;
  return path === '' ? key : `${path}.${key}`;
}
