import { hash, randomBytes } from 'node:crypto';

/** JSON that is only read. Fields that are `undefined` count as absent. */
export type ReadonlyJson = null | boolean | number | string | readonly ReadonlyJson[] | { readonly [key: string]: ReadonlyJson | undefined };

/** JSON text that is equal for equal values: object keys in an order of their own, no spaces. */
export function canonicalJson(value: ReadonlyJson): string {
  return JSON.stringify(ordered(value));
}

/**
 * The value with its keys in order; parts that are in order already (most of what API servers send) are not copied.
 * One native `stringify` of the whole then costs half of what putting the text together piece by piece does.
 */
function ordered(value: ReadonlyJson): ReadonlyJson {
  if (value === null || typeof value !== 'object' || JSON.isRawJSON(value)) return value;
  if (isList(value)) return value.some((item) => ordered(item) !== item) ? value.map(ordered) : value;
  const keys = Object.keys(value);
  if (keys.every((key, n) => n === 0 || (keys[n - 1] as string) < key) && keys.every((key) => ordered(value[key] ?? null) === (value[key] ?? null))) return value;
  return Object.fromEntries(keys.sort().map((key) => [key, value[key] === undefined ? undefined : ordered(value[key])]));
}

function isList(value: ReadonlyJson): value is readonly ReadonlyJson[] {
  return Array.isArray(value);
}

/**
 * This process makes it and forgets it. Plans show digests of Secrets: without it, anyone with a plan could test guesses
 * against them.
 */
const DIGEST_KEY = randomBytes(32).toString('hex');

/**
 * The first 16 bytes of the SHA-256 of this process's random key and the canonical JSON, in base64url: tells values apart
 * within this process, is small to keep, and says nothing about the value to anyone else.
 */
export function digestOf(value: ReadonlyJson): string {
  // Not a slice of a longer text: that would keep the longer one in memory.
  return hash('sha256', DIGEST_KEY + canonicalJson(value), 'buffer').toString('base64url', 0, 16);
}

/** True if both values are the same JSON. */
export function equalJson(a: ReadonlyJson | undefined, b: ReadonlyJson | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  return canonicalJson(a) === canonicalJson(b);
}
