import { hash } from 'node:crypto';

/** JSON that is only read. Fields that are `undefined` count as absent. */
export type ReadonlyJson = null | boolean | number | string | readonly ReadonlyJson[] | { readonly [key: string]: ReadonlyJson | undefined };

/** JSON text that is equal for equal values: object keys sorted by UTF-16 code units, no spaces. */
export function canonicalJson(value: ReadonlyJson): string {
  if (value === null || typeof value !== 'object' || JSON.isRawJSON(value)) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  let text = '{';
  for (const key of Object.keys(value).sort()) {
    const item = value[key];
    if (item === undefined) continue;
    text += `${text === '{' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(item)}`;
  }
  return `${text}}`;
}

function isList(value: ReadonlyJson): value is readonly ReadonlyJson[] {
  return Array.isArray(value);
}

/** The first 16 bytes of the SHA-256 of the canonical JSON, in base64url: tells values apart, and is small to keep. */
export function digestOf(value: ReadonlyJson): string {
  // Not a slice of a longer text: that would keep the longer one in memory.
  return hash('sha256', canonicalJson(value), 'buffer').toString('base64url', 0, 16);
}

/** True if both values are the same JSON. */
export function equalJson(a: ReadonlyJson | undefined, b: ReadonlyJson | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  return canonicalJson(a) === canonicalJson(b);
}
