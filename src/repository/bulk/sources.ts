import { LifeboatError } from '../../core/errors.ts';
import { copyShared } from '../../core/shared-memory.ts';
import { abortable, raceAbort } from '../../vault/streams.ts';
import type { ReadAt } from '../api.ts';
import type { Segments } from './segments.ts';
import type { Shared } from './thread-work.ts';

/** Bytes of a processor's word. */
const WORD = 8;
/** Bytes of the chunks of a block image. */
export const IMAGE_CHUNK = 1024 * 1024;
/** Bytes of an image that are read at once. Fewer than a segment holds, because what is in the processor's cache is quicker. */
const IMAGE_PART = 4 * IMAGE_CHUNK;

/** A part of a stream in shared memory, cut into chunks from 0 on. */
export interface Part {
  readonly segment: Shared;
  readonly ends: Uint32Array;
}

/** Finds where chunks end in the first `to` bytes; what is after the last end is given again with what follows, unless it is the `last`. */
export type Cut = (segment: Shared, to: number, last: boolean) => Promise<Uint32Array>;

/** Reads a stream into segments and has it cut. Every part must be given back to `segments`, which it is `busy` of. */
export async function* streamParts(
  source: AsyncIterable<Uint8Array>,
  segments: Segments,
  cut: Cut,
  signal: AbortSignal,
): AsyncGenerator<Part, void, undefined> {
  const parts = abortable(source, signal);
  /** What the source gave and no segment has room for yet. */
  let rest: Uint8Array = new Uint8Array();
  /** What belongs to a chunk that has not ended. */
  let carried: Uint8Array = new Uint8Array();
  let ended = false;
  try {
    while (!ended) {
      const segment = alignedAfter(carried.length, rest, await segments.take(signal));
      let to = carried.length;
      copyShared(carried, segment);
      while (to < segment.length) {
        if (rest.length === 0) {
          const step = await parts.next();
          ended = step.done === true;
          if (step.done === true) break;
          rest = step.value;
        }
        const taken = rest.subarray(0, segment.length - to);
        copyShared(taken, segment, to);
        rest = rest.subarray(taken.length);
        to += taken.length;
      }
      const ends = await cut(segment, to, ended);
      // Copied, not kept in the segment: nobody may wait for a segment while holding one.
      carried = segment.slice(ends.at(-1) ?? 0, to);
      segments.busy();
      yield { segment, ends };
    }
  } finally {
    await parts.return();
  }
}

/** The segment from where on what follows the first bytes lies within words as `rest` does, so that it is copied in words. */
function alignedAfter(first: number, rest: Uint8Array, segment: Shared): Shared {
  const skipped = (rest.byteOffset - first) % WORD;
  return segment.subarray(skipped < 0 ? skipped + WORD : skipped);
}

/** Reads a block image into segments, in chunks of `IMAGE_CHUNK`. */
export async function* imageParts(
  read: ReadAt,
  size: number,
  segments: Segments,
  signal: AbortSignal,
): AsyncGenerator<Part, void, undefined> {
  for (let at = 0; at < size; at += IMAGE_PART) {
    const segment = await segments.take(signal);
    const length = Math.min(IMAGE_PART, size - at);
    for (let got = 0; got < length;) {
      const more = await raceAbort(read(segment.subarray(got, length), at + got), signal);
      if (more <= 0)
        throw new LifeboatError('LB_INTERNAL', `An image of ${size} bytes was announced and ended after ${at + got}`);
      got += more;
    }
    const chunks = Math.ceil(length / IMAGE_CHUNK);
    segments.busy();
    yield { segment, ends: Uint32Array.from({ length: chunks }, (_, i) => Math.min(length, (i + 1) * IMAGE_CHUNK)) };
  }
}
