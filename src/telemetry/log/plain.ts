import { LifeboatError } from '../../core/errors.ts';
import type { Redactor } from '../../core/redact.ts';

/** What JSON can hold, as it is written to a log. */
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [name: string]: Plain };

/** Deeper, longer and more than this is left out: a line is for reading, and a library may hand over its whole state. */
const DEEPEST = 6;
const MOST_MEMBERS = 100;
const LONGEST = 8_000;

/**
 * Anything as plain JSON without secrets: errors with their stacks and causes, nested objects, names of members, and what objects say of
 * themselves. Never throws.
 */
export function plain(value: unknown, redactor: Redactor): Plain {
  return new Plainer(redactor).of(value, 0);
}

class Plainer {
  readonly #redactor: Redactor;
  /** Those that the value now looked at is in. */
  readonly #around = new Set<object>();

  constructor(redactor: Redactor) {
    this.#redactor = redactor;
  }

  of(value: unknown, depth: number): Plain {
    try {
      switch (typeof value) {
        case 'string':
          return this.#text(value);
        case 'number':
          // A secret may be of digits alone.
          return Number.isFinite(value) && this.#text(String(value)) === String(value) ? value : this.#text(String(value));
        case 'boolean':
          return value;
        case 'bigint':
        case 'symbol':
          return this.#text(value.toString());
        case 'undefined':
          return null;
        case 'function':
          return '[function]';
        case 'object':
          return value === null ? null : this.#object(value, depth);
        default:
          return '[unknown]';
      }
    } catch {
      return '[unreadable]';
    }
  }

  #object(value: object, depth: number): Plain {
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
    if (value instanceof URL) return this.#text(value.href);
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return `[${value.byteLength} bytes]`;
    if (this.#around.has(value)) return '[circular]';
    if (depth >= DEEPEST) return '[deeper]';
    this.#around.add(value);
    try {
      if (value instanceof Error) return this.#error(value, depth);
      if (value instanceof Map) return this.#members([...(value as Map<unknown, unknown>)].map(([name, one]) => [String(name), one]), depth);
      if (Array.isArray(value) || value instanceof Set) return this.#list([...(value as Iterable<unknown>)], depth);
      return this.#members(Object.entries(value), depth);
    } finally {
      this.#around.delete(value);
    }
  }

  #error(error: Error, depth: number): Plain {
    const { name, message, stack, cause, ...rest } = error;
    const more = error instanceof AggregateError ? { errors: error.errors as unknown[] } : {};
    const ours = error instanceof LifeboatError ? { code: error.code, where: error.where, hint: error.hint } : rest;
    const told = { type: name, message, ...ours, ...more, stack, cause };
    return this.#members(Object.entries(told).filter(([, one]) => one !== undefined), depth);
  }

  #list(values: readonly unknown[], depth: number): Plain {
    const kept = values.slice(0, MOST_MEMBERS).map((one) => this.of(one, depth + 1));
    return values.length > MOST_MEMBERS ? [...kept, `[${values.length - MOST_MEMBERS} more]`] : kept;
  }

  #members(entries: readonly (readonly [string, unknown])[], depth: number): Plain {
    const kept = entries.slice(0, MOST_MEMBERS).filter(([, one]) => one !== undefined);
    // Not assigned one by one: `__proto__` is a name as any other here.
    return Object.fromEntries(kept.map(([name, one]) => [this.#text(name), this.of(one, depth + 1)]));
  }

  /** Cut only when it holds no secret any more, of which a part would be left. */
  #text(text: string): string {
    const safe = this.#redactor.redact(text);
    return safe.length > LONGEST ? `${safe.slice(0, LONGEST)} … ${safe.length - LONGEST} more` : safe;
  }
}
