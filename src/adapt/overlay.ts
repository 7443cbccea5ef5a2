import { canonicalJson } from './canonical.ts';
import { isObject } from './json.ts';
import type { JsonObject, JsonValue } from './json.ts';

/**
 * What to write over an existing object so that its portable form becomes `wanted`, and all that rules set aside
 * (addresses, bindings, UIDs, status) stays as the target made it. `portable` is the portable form of `existing`.
 */
export function overlay(existing: JsonObject, portable: JsonObject, wanted: JsonObject): JsonObject {
  const keys = new Set([...Object.keys(existing), ...Object.keys(wanted)]);
  const entries: [string, JsonValue][] = [];
  for (const key of keys) {
    const now = get(existing, key);
    const before = get(portable, key);
    const then = get(wanted, key);
    const value = merged(now, before, then);
    if (value !== undefined) entries.push([key, value]);
  }
  // Keys are data: `__proto__` is a legal one, which an assignment would not set.
  return Object.fromEntries(entries);
}

function merged(now: JsonValue | undefined, before: JsonValue | undefined, then: JsonValue | undefined): JsonValue | undefined {
  if (isObject(now) && isObject(then)) return overlay(now, isObject(before) ? before : {}, then);
  // A whole map whose entries a rule took out: what the rule took out stays.
  if (isObject(now) && then === undefined) {
    const rest = overlay(now, isObject(before) ? before : {}, {});
    return Object.keys(rest).length === 0 && before !== undefined ? undefined : rest;
  }
  if (then === undefined) return before === undefined ? now : undefined;
  if (Array.isArray(now) && before !== undefined && canonicalJson(before) === canonicalJson(then)) return now;
  return then;
}

function get(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
