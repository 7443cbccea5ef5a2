import { LifeboatError } from '../core/errors.ts';

/** A JSON value that may be changed in place. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;
/** A JSON object that may be changed in place. Keys are data: look up only keys that are written in the code. */
export interface JsonObject {
  [key: string]: JsonValue;
}

declare global {
  // ECMAScript's "JSON.parse source text access": in Node since 21, not yet in TypeScript's library.
  interface JSON {
    rawJSON(text: string): JsonObject;
    isRawJSON(value: unknown): boolean;
    parse(text: string, reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown;
  }
}

/**
 * Numbers JavaScript may not give back as they were written: 16 digits or more, exponents, trailing zeros.
 * Matches inside strings do no harm: they only choose the slower way.
 */
const FRAGILE_NUMBER = /[:[,]\s*-?(?:\d{16}|\d+(?:\.\d+)?[eE]|\d+\.\d*0(?!\d)|\d+\.\d{15})/;

/**
 * Parses one object as an API server sent it. Numbers that JavaScript cannot hold exactly (int64 beyond 2^53,
 * `1.0`) keep their text and are written back unchanged. Throws `LB_REPO_DAMAGED` if the bytes are no JSON object.
 */
export function parseObject(bytes: Uint8Array): JsonObject {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  let value: unknown;
  try {
    value = FRAGILE_NUMBER.test(text) ? JSON.parse(text, keepNumber) : JSON.parse(text);
  } catch (error) {
    // The parser's own message quotes the text, which may be a Secret.
    throw new LifeboatError('LB_REPO_DAMAGED', 'An object is not valid JSON', { cause: error instanceof Error ? error.name : undefined });
  }
  if (!isObject(value)) throw new LifeboatError('LB_REPO_DAMAGED', 'An object is not a JSON object');
  return value;
}

function keepNumber(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || context.source === undefined || String(value) === context.source) return value;
  return JSON.rawJSON(context.source);
}

/** True for a JSON object (not an array, not a number kept as text). */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);
}

/** The object at `path`, or `undefined` if there is none. */
export function objectAt(object: JsonObject, ...path: readonly string[]): JsonObject | undefined {
  return walk(object, path, path.length);
}

/** The string at `path`, or `''`. */
export function textAt(object: JsonObject, ...path: readonly string[]): string {
  const value = valueAt(object, path);
  return typeof value === 'string' ? value : '';
}

/** The objects in the list at `path`; empty if there is no list. */
export function objectsAt(object: JsonObject, ...path: readonly string[]): JsonObject[] {
  const value = valueAt(object, path);
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** Removes what is at `path`. True if something was there. */
export function removeAt(object: JsonObject, ...path: readonly string[]): boolean {
  const parent = walk(object, path, path.length - 1);
  const key = path[path.length - 1] ?? '';
  return parent !== undefined && Object.hasOwn(parent, key) && delete parent[key];
}

function valueAt(object: JsonObject, path: readonly string[]): JsonValue | undefined {
  return walk(object, path, path.length - 1)?.[path[path.length - 1] ?? ''];
}

function walk(object: JsonObject, path: readonly string[], steps: number): JsonObject | undefined {
  let at: JsonObject = object;
  for (let step = 0; step < steps; step += 1) {
    const next = at[path[step] ?? ''];
    if (!isObject(next)) return undefined;
    at = next;
  }
  return at;
}

/** Removes keys of the map at `path`, and the map with them when it ends empty. True if something was removed. */
export function removeKeys(object: JsonObject, path: readonly string[], keys: readonly string[]): boolean {
  const map = objectAt(object, ...path);
  if (map === undefined) return false;
  let removed = false;
  for (const key of keys) if (Object.hasOwn(map, key)) removed = delete map[key];
  if (removed && Object.keys(map).length === 0) removeAt(object, ...path);
  return removed;
}

/** An entry of `metadata.labels` or `metadata.annotations`; `''` if there is none. */
export function metaEntry(object: JsonObject, map: 'labels' | 'annotations', key: string): string {
  const entries = objectAt(object, 'metadata', map);
  const value = entries !== undefined && Object.hasOwn(entries, key) ? entries[key] : undefined;
  return typeof value === 'string' ? value : '';
}

/** `metadata.name`. */
export function nameOf(object: JsonObject): string {
  return textAt(object, 'metadata', 'name');
}

/** `metadata.namespace`; `''` for cluster-scoped objects. */
export function namespaceOf(object: JsonObject): string {
  return textAt(object, 'metadata', 'namespace');
}

/** `namespace/name`, or `name`. */
export function keyOf(object: JsonObject): string {
  return objectKey(namespaceOf(object), nameOf(object));
}

/** `namespace/name`, or `name` when `namespace` is `''`. */
export function objectKey(namespace: string, name: string): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

/** A copy that shares nothing with `object`; numbers keep their text. */
export function cloneObject(object: JsonObject): JsonObject {
  return parseObject(Buffer.from(JSON.stringify(object)));
}

/** What Go's encoder escapes and JavaScript's does not. Source: Go's encoding/json, `Encoder.SetEscapeHTML`. */
const GO_ESCAPES: Readonly<Record<string, string>> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026', '\u2028': '\\u2028', '\u2029': '\\u2029' };

/**
 * The JSON to send for an object, with the escapes Go uses. API servers keep some parts of objects byte for byte (the
 * data of a ControllerRevision), and refuse to have them changed: written in another way, nobody could patch the object later.
 */
export function writeObject(object: JsonObject): string {
  return JSON.stringify(object).replaceAll(/[<>&\u2028\u2029]/g, (char) => GO_ESCAPES[char] ?? char);
}
