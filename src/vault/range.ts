import type { GetOptions } from './vault.ts';

/** A part of an object: `start` inclusive, `end` exclusive, both within the object. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The bytes that `offset` and `length` mean for an object of `size` bytes, by the rules of `GetOptions`:
 * a negative offset counts from the end, and what lies outside the object is cut off.
 */
export function resolveRange(size: number, options: Pick<GetOptions, 'offset' | 'length'>): ByteRange {
  const { offset = 0, length = Number.POSITIVE_INFINITY } = options;
  if (!Number.isInteger(offset)) throw new RangeError('the offset of a range must be a whole number');
  if (length < 0 || !(Number.isInteger(length) || length === Number.POSITIVE_INFINITY)) {
    throw new RangeError('the length of a range must be a whole number, not negative');
  }
  const start = offset < 0 ? Math.max(0, size + offset) : Math.min(offset, size);
  return { start, end: Math.min(size, start + length) };
}

/**
 * The Range header (RFC 9110, section 14.2) that asks for what is wanted, `undefined` for all of the object, or `nothing` when
 * no request is needed. `size` is asked for the object's size only where a header has no way to say it.
 */
export async function rangeHeader(
  options: Pick<GetOptions, 'offset' | 'length'>,
  size: () => Promise<number>,
): Promise<string | undefined> {
  const { offset = 0, length } = options;
  resolveRange(0, options);
  if (length === undefined) {
    if (offset === 0) return undefined;
    return offset > 0 ? `bytes=${offset}-` : `bytes=${offset}`;
  }
  if (length > 0 && offset >= 0) return `bytes=${offset}-${offset + length - 1}`;
  if (length > 0 && length >= -offset) return `bytes=${offset}`;
  const { start, end } = resolveRange(await size(), options);
  return start === end ? 'nothing' : `bytes=${start}-${end - 1}`;
}

/**
 * False when a range was asked for and something else came, as of a server that knows no ranges. `asked` is the Range header,
 * `range` the Content-Range of the answer. An empty object has no range, and servers differ in how they say so.
 */
export function isAnswerTo(
  asked: string | undefined,
  { length, range }: { readonly length: number; readonly range: string | undefined },
): boolean {
  if (asked === undefined || length === 0) return true;
  const given = /^bytes ([0-9]+)-/.exec(range ?? '');
  if (given === null) return false;
  const wanted = /^bytes=([0-9]+)-/.exec(asked);
  return wanted === null || wanted[1] === given[1];
}
