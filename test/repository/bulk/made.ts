import { createCipheriv, createHash } from 'node:crypto';
import * as fc from 'fast-check';
import type { ReadAt } from '../../../src/repository/api.ts';

/** A piece of made-up data. */
export interface Piece {
  readonly kind: 'noise' | 'text' | 'zero';
  readonly length: number;
  /** Equal pieces of equal seeds are equal. */
  readonly seed: number;
}

/** The bytes of some pieces, one after the other. */
export function bytesOf(pieces: readonly Piece[]): Buffer {
  return Buffer.concat(pieces.map(bytesOfPiece));
}

function bytesOfPiece({ kind, length, seed }: Piece): Buffer {
  if (kind === 'zero') return Buffer.alloc(length);
  if (kind === 'noise') return noise(length, seed);
  return Buffer.alloc(length, `${seed} of a text that repeats itself, and has a number: ${seed * 7919};\n`);
}

/** Incompressible, and the same for the same seed. */
export function noise(length: number, seed: number | string): Buffer {
  const key = createHash('sha256').update(`noise ${seed}`).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** Data of a few megabytes at most, of all kinds, with equal parts among them. */
export const anyPieces: fc.Arbitrary<Piece[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('noise', 'text', 'zero'),
    length: fc.oneof(fc.nat(300), fc.nat(700_000), fc.nat(2_500_000), fc.constantFrom(4096, 1_048_576, 4_194_304)),
    seed: fc.nat(3),
  }),
  { maxLength: 5 },
);

/** The bytes in parts that end at these places. */
export async function* inParts(bytes: Uint8Array, ends: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const end of [...ends.map((end) => end % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    yield bytes.subarray(at, end);
    at = end;
  }
}

/** An image in memory. */
export function imageOf(bytes: Uint8Array): ReadAt {
  return (into, offset) => {
    const part = bytes.subarray(offset, offset + into.length);
    into.set(part);
    return Promise.resolve(part.length);
  };
}
