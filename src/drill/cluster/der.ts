/**
 * The little of ASN.1's distinguished encoding (ITU-T X.690) that certificates need.
 * Every function gives one complete element: tag, length, content.
 */

/** One element with a tag and content. */
export function element(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), length(body.length), body]);
}

function length(size: number): Buffer {
  if (size < 0x80) return Buffer.from([size]);
  const bytes: number[] = [];
  for (let rest = size; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 + bytes.length, ...bytes]);
}

/** SEQUENCE of complete elements. */
export const sequence = (...elements: readonly Uint8Array[]): Buffer => element(0x30, ...elements);

/** SET of one complete element; more would have to be sorted. */
export const setOf = (only: Uint8Array): Buffer => element(0x31, only);

/** INTEGER that is not negative, from its bytes, most significant first. */
export function unsigned(bytes: Uint8Array): Buffer {
  // A leading bit of 1 would make it negative.
  return (bytes[0] ?? 0) >= 0x80 ? element(0x02, Buffer.from([0]), bytes) : element(0x02, bytes);
}

export const boolean = (value: boolean): Buffer => element(0x01, Buffer.from([value ? 0xff : 0]));
export const octets = (bytes: Uint8Array): Buffer => element(0x04, bytes);
export const utf8 = (text: string): Buffer => element(0x0c, Buffer.from(text));

/** BIT STRING; `unused` bits at its end do not count. */
export const bits = (bytes: Uint8Array, unused = 0): Buffer => element(0x03, Buffer.from([unused]), bytes);

/** `[n] EXPLICIT`: a complete element within a context-specific tag. */
export const explicit = (n: number, inner: Uint8Array): Buffer => element(0xa0 + n, inner);

/** `[n] IMPLICIT` of a type that is not constructed: its content alone. */
export const implicit = (n: number, content: Uint8Array): Buffer => element(0x80 + n, content);

/** OBJECT IDENTIFIER from its dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift(128 + (rest % 128));
  return bytes;
}

/** UTCTime, to the second. Only for dates before 2050 (RFC 5280, 4.1.2.5). */
export function utcTime(date: Date): Buffer {
  const digits = date.toISOString().replace(/\D/g, '').slice(2, 14);
  return element(0x17, Buffer.from(`${digits}Z`));
}
