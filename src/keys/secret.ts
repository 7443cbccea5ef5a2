import { inspect } from 'node:util';

/**
 * Bytes that must not be shown. Whatever prints, serialises or inspects a `Secret` gets `[secret]`;
 * only `expose` gives the bytes, so that every use can be found by that word.
 */
export class Secret {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The bytes themselves. Not a copy: do not change them. */
  expose(): Uint8Array {
    return this.#bytes;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
