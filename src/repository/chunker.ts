import { GEAR } from './gear.ts';

/**
 * Content-defined chunking: FastCDC's normalised scheme (Xia et al., USENIX ATC 2016) over a 32-bit gear hash.
 * Fixed by format 1: other numbers would find other boundaries, and nothing stored before would be found again.
 */
export const MIN_CHUNK = 32 * 1024;
export const TARGET_CHUNK = 128 * 1024;
export const MAX_CHUNK = 256 * 1024;

/** Leading zero bits of the hash that make a cut before and after the target length. */
const EARLY_BITS = 19;
const LATE_BITS = 15;

/**
 * Where the chunk that begins at `start` ends. It depends on nothing but the bytes from `start` on, at most `MAX_CHUNK` of them:
 * give that many unless the data end before, and chunks do not depend on how the data arrived.
 */
export function cutAfter(bytes: Uint8Array, start: number): number {
  const end = Math.min(bytes.length, start + MAX_CHUNK);
  const target = Math.min(end, start + TARGET_CHUNK);
  // The hash covers the last 32 bytes, so starting 32 before the first possible cut gives the same as starting at `start`.
  let at = Math.min(end, start + MIN_CHUNK - 32);
  const firstCut = start + MIN_CHUNK;
  let hash = 0;
  for (; at < Math.min(end, firstCut); at++) hash = ((hash << 1) + (GEAR[bytes[at] as number] as number)) | 0;
  for (; at < target; at++) {
    hash = ((hash << 1) + (GEAR[bytes[at] as number] as number)) | 0;
    if (hash >>> (32 - EARLY_BITS) === 0) return at + 1;
  }
  for (; at < end; at++) {
    hash = ((hash << 1) + (GEAR[bytes[at] as number] as number)) | 0;
    if (hash >>> (32 - LATE_BITS) === 0) return at + 1;
  }
  return end;
}

/** Cuts bytes that arrive in parts of any size into chunks; what it yields is valid until the next step. */
export async function* chunks(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  // Twice the largest chunk, so that moving the rest to the front happens at most once a chunk.
  const buffer = Buffer.allocUnsafe(2 * MAX_CHUNK);
  let from = 0;
  let to = 0;
  for await (const part of source) {
    for (let taken = 0; taken < part.length;) {
      if (to === buffer.length) {
        buffer.copyWithin(0, from, to);
        to -= from;
        from = 0;
      }
      const copied = Math.min(part.length - taken, buffer.length - to);
      buffer.set(part.subarray(taken, taken + copied), to);
      taken += copied;
      to += copied;
      while (to - from >= MAX_CHUNK) {
        const cut = cutAfter(buffer.subarray(0, to), from);
        yield buffer.subarray(from, cut);
        from = cut;
      }
    }
  }
  while (from < to) {
    const cut = cutAfter(buffer.subarray(0, to), from);
    yield buffer.subarray(from, cut);
    from = cut;
  }
}
