/** Who an object is, as far as its JSON says. */
export interface Identity {
  readonly name: string;
  /** `''` for cluster-scoped objects. */
  readonly namespace: string;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const COMMA = 0x2c;
// `[` and `{`, and `]` and `}`, differ in this bit only.
const BRACKET_BIT = 0x20;

/**
 * Reads `metadata.name` and `metadata.namespace` of an object's JSON without parsing the rest of it.
 * The JSON must be well-formed, as every API server's is; a field that is not there reads as `''`.
 */
export function peekIdentity(raw: Uint8Array): Identity {
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  let name = '';
  let namespace = '';
  let missing = 2;
  eachField(bytes, 0, (key, at) => {
    if (key !== 'metadata' || bytes[at] !== OPEN_OBJECT) return true;
    eachField(bytes, at, (field, value, end) => {
      if (field !== 'name' && field !== 'namespace') return true;
      const text: unknown = JSON.parse(bytes.toString('utf8', value, end));
      if (typeof text !== 'string') return true;
      if (field === 'name') name = text;
      else namespace = text;
      missing -= 1;
      return missing > 0;
    });
    return false;
  });
  return { name, namespace };
}

/** Calls `visit` with each field of the object at `at`, and where its value begins and ends, until it returns false. */
function eachField(bytes: Buffer, at: number, visit: (key: string, value: number, end: number) => boolean): void {
  let next = skipSpace(bytes, skipSpace(bytes, at) + 1);
  while (next < bytes.length && bytes[next] === QUOTE) {
    const keyEnd = endOfValue(bytes, next);
    const key = bytes.toString('utf8', next + 1, keyEnd - 1);
    // Past the colon.
    const value = skipSpace(bytes, skipSpace(bytes, keyEnd) + 1);
    const end = endOfValue(bytes, value);
    if (!visit(key, value, end)) return;
    next = skipSpace(bytes, end);
    if (bytes[next] === COMMA) next = skipSpace(bytes, next + 1);
  }
}

function skipSpace(bytes: Buffer, start: number): number {
  let at = start;
  while (at < bytes.length && (bytes[at] as number) <= 0x20) at += 1;
  return at;
}

/** Where the value that begins at `start` ends (one past its last byte). */
function endOfValue(bytes: Buffer, start: number): number {
  let at = start;
  let depth = 0;
  while (at < bytes.length) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) {
      at = endOfString(bytes, at);
      if (depth === 0) return at;
      continue;
    }
    if ((byte | BRACKET_BIT) === OPEN_OBJECT) {
      depth += 1;
    } else if ((byte | BRACKET_BIT) === CLOSE_OBJECT) {
      // The bracket that closes what a number or literal stands in.
      if (depth === 0) return at;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (byte === COMMA || byte <= 0x20)) {
      return at;
    }
    at += 1;
  }
  return at;
}

function endOfString(bytes: Buffer, start: number): number {
  let at = start + 1;
  while (at < bytes.length) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) return at + 1;
    at += byte === BACKSLASH ? 2 : 1;
  }
  return at;
}
