import { z } from 'zod';
import { LifeboatError } from '../core/errors.ts';

/** What a List says of itself. Source: `k8s.io/apimachinery/pkg/apis/meta/v1` types.go, `ListMeta`. */
const listMetaSchema = z.object({
  resourceVersion: z.string().default(''),
  continue: z.string().default(''),
  remainingItemCount: z.number().optional(),
});
export type ListMeta = z.infer<typeof listMetaSchema>;

/** Larger than any object etcd takes (1.5 MiB by default), with room for aggregated APIs. */
const LONGEST_ITEM = 16 * 1024 * 1024;
/** A string longer than this is searched for its end natively. Measured: below, the plain loop is quicker. */
const LONG_STRING = 48;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const OPEN_ARRAY = 0x5b;
const CLOSE_OBJECT = 0x7d;
const CLOSE_ARRAY = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;
// `[` and `{`, and `]` and `}`, differ in this bit only.
const BRACKET_BIT = 0x20;

// Where the scanner is between two bytes.
const START = 0;
const BEFORE_KEY = 1;
const BEFORE_COLON = 2;
const BEFORE_VALUE = 3;
const BETWEEN_ITEMS = 4;
const AFTER_VALUE = 5;
const END = 6;

/**
 * Splits the body of a Kubernetes List, as it arrives, into the raw bytes of its items, without parsing them.
 *
 * Takes the top-level fields in any order (typed lists send `metadata` before `items`, lists of custom resources
 * after), any white space, and chunks cut anywhere. What it promises is that every item of a well-formed list comes out
 * byte for byte, and that a list that is cut short is noticed; it does not check the inside of items.
 */
export class ListScanner {
  /** The list's metadata; `undefined` until it has gone by. */
  meta: ListMeta | undefined;
  #state = START;
  /** Open brackets inside the value that is being collected. */
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** True while the value that is being collected is a number, `true`, `false` or `null`. */
  #inScalar = false;
  #inItems = false;
  #sawItems = false;
  #key = '';
  /** The beginning of what is being collected, from earlier chunks. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;

  /**
   * Scans one chunk and returns the items that ended in it. They share the chunk's memory where they can:
   * use or copy them before the next chunk.
   */
  push(chunk: Uint8Array): readonly Uint8Array[] {
    const items: Uint8Array[] = [];
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let at = 0;
    // A value that began in an earlier chunk goes on at byte 0.
    let from = this.#collecting() ? 0 : -1;
    while (at < bytes.length) {
      if (this.#depth > 0 || this.#inString) {
        at = this.#skim(bytes, at);
        if (this.#depth > 0 || this.#inString) break;
        this.#finish(this.#take(bytes, from, at), items);
        from = -1;
      } else if (this.#inScalar) {
        at = endOfScalar(bytes, at);
        if (at === bytes.length) break;
        this.#inScalar = false;
        this.#finish(this.#take(bytes, from, at), items);
        from = -1;
      } else {
        const byte = bytes[at] as number;
        if (this.#begin(byte)) from = at;
        at += this.#inScalar ? 0 : 1;
      }
    }
    if (from >= 0) this.#hold(bytes.subarray(from));
    return items;
  }

  /** Call after the last chunk. Returns the list's metadata; throws `LB_SITE_UNREACHABLE` if the list was cut short. */
  end(): ListMeta {
    if (this.#state !== END) throw new LifeboatError('LB_SITE_UNREACHABLE', 'The answer of the API server ended in the middle of a list');
    if (this.meta === undefined || !this.#sawItems) throw malformed('it has no items or no metadata');
    return this.meta;
  }

  #collecting(): boolean {
    return this.#depth > 0 || this.#inString || this.#inScalar;
  }

  /** Takes one byte outside of keys and values. True when a key or value begins with it. */
  #begin(byte: number): boolean {
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) return false;
    switch (this.#state) {
      case START:
        if (byte !== OPEN_OBJECT) throw malformed('it is not a JSON object');
        this.#state = BEFORE_KEY;
        return false;
      case BEFORE_KEY:
        if (byte === CLOSE_OBJECT) {
          this.#state = END;
          return false;
        }
        if (byte !== QUOTE) throw malformed('a field has no name');
        this.#inString = true;
        return true;
      case BEFORE_COLON:
        if (byte !== COLON) throw malformed('a field has no value');
        this.#state = BEFORE_VALUE;
        return false;
      case BEFORE_VALUE:
        if (byte === OPEN_ARRAY && this.#key === 'items') {
          if (this.#sawItems) throw malformed('it has its items twice');
          this.#inItems = true;
          this.#sawItems = true;
          this.#state = BETWEEN_ITEMS;
          return false;
        }
        return this.#beginValue(byte);
      case BETWEEN_ITEMS:
        if (byte === COMMA) return false;
        if (byte === CLOSE_ARRAY) {
          this.#inItems = false;
          this.#state = AFTER_VALUE;
          return false;
        }
        if (byte !== OPEN_OBJECT) throw malformed('an item is not an object');
        return this.#beginValue(byte);
      case AFTER_VALUE:
        if (byte === COMMA) this.#state = BEFORE_KEY;
        else if (byte === CLOSE_OBJECT) this.#state = END;
        else throw malformed('its fields are not separated');
        return false;
      default:
        throw malformed('something follows it');
    }
  }

  #beginValue(byte: number): true {
    if ((byte | BRACKET_BIT) === OPEN_OBJECT) this.#depth = 1;
    else if (byte === QUOTE) this.#inString = true;
    else this.#inScalar = true;
    return true;
  }

  /** Goes on to the end of the value, or of the chunk. The inner loop every byte of a backup passes through. */
  #skim(bytes: Buffer, start: number): number {
    const length = bytes.length;
    let at = start;
    let depth = this.#depth;
    let inString = this.#inString;
    if (this.#escaped) {
      at += 1;
      this.#escaped = false;
    }
    while (at < length) {
      if (inString) {
        const soon = Math.min(at + LONG_STRING, length);
        let byte = 0;
        while (at < soon) {
          byte = bytes[at] as number;
          at += 1;
          if (byte === QUOTE || byte === BACKSLASH) break;
        }
        if (byte === QUOTE) {
          inString = false;
          if (depth === 0) break;
        } else if (byte === BACKSLASH) {
          at += 1;
        } else if (at === soon) {
          at = nextQuoteOrBackslash(bytes, at);
        }
      } else {
        const byte = bytes[at] as number;
        at += 1;
        if (byte === QUOTE) {
          inString = true;
        } else if ((byte | BRACKET_BIT) === OPEN_OBJECT) {
          depth += 1;
        } else if ((byte | BRACKET_BIT) === CLOSE_OBJECT) {
          depth -= 1;
          if (depth === 0) break;
        }
      }
    }
    if (at > length) {
      // The chunk ended between a backslash and what it escapes.
      this.#escaped = true;
      at = length;
    }
    this.#depth = depth;
    this.#inString = inString;
    return at;
  }

  /** A key or value is whole. */
  #finish(raw: Uint8Array, items: Uint8Array[]): void {
    if (this.#inItems) {
      items.push(raw);
      return;
    }
    if (this.#state === BEFORE_KEY) {
      this.#key = z.string().parse(parse(raw));
      this.#state = BEFORE_COLON;
      return;
    }
    if (this.#key === 'metadata') {
      const meta = listMetaSchema.safeParse(parse(raw));
      if (!meta.success) throw malformed('its metadata is not that of a list');
      this.meta = meta.data;
    }
    // Lists without items are sent as `null` by some aggregated APIs.
    if (this.#key === 'items' && parse(raw) === null) this.#sawItems = true;
    this.#state = AFTER_VALUE;
  }

  #hold(piece: Uint8Array): void {
    this.#heldBytes += piece.length;
    if (this.#heldBytes > LONGEST_ITEM) throw malformed(`an object is larger than ${LONGEST_ITEM} bytes`);
    this.#held.push(piece);
  }

  #take(bytes: Buffer, from: number, to: number): Uint8Array {
    if (this.#held.length === 0) return bytes.subarray(from, to);
    const whole = Buffer.concat([...this.#held, bytes.subarray(from, to)]);
    this.#held = [];
    this.#heldBytes = 0;
    return whole;
  }
}

/** First quote or backslash at or after `at`; the end of the chunk if there is none. */
function nextQuoteOrBackslash(bytes: Buffer, at: number): number {
  const quote = bytes.indexOf(QUOTE, at);
  const end = quote === -1 ? bytes.length : quote;
  const backslash = bytes.subarray(at, end).indexOf(BACKSLASH);
  return backslash === -1 ? end : at + backslash;
}

function endOfScalar(bytes: Buffer, start: number): number {
  let at = start;
  while (at < bytes.length) {
    const byte = bytes[at] as number;
    if (byte === COMMA || byte === CLOSE_OBJECT || byte <= 0x20) break;
    at += 1;
  }
  return at;
}

function parse(raw: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('utf8'));
  } catch {
    throw malformed('it is not JSON');
  }
}

function malformed(what: string): LifeboatError {
  return new LifeboatError('LB_SITE_REFUSED', `The answer of the API server is not a list that can be read: ${what}`);
}
