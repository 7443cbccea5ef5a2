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
