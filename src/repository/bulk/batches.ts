import { LifeboatError } from '../../core/errors.ts';
import { CHUNK_ID_BYTES } from '../chunk-id.ts';
import type { PackRef } from '../pack-table.ts';
import { isHole } from './byte-map.ts';
import type { Run } from './byte-map.ts';
import { bytesOf } from './map-reader.ts';

/** Plaintext bytes that are read, opened and handed on together. */
const BATCH_BYTES = 4 * 1024 * 1024;

/** A part of a stream that is read in one go: some neighbouring chunks of a pack, or a hole. */
export type Batch =
  | { readonly offset: number; readonly hole: number }
  | { readonly pack: PackRef; readonly chunks: readonly WantedChunk[] };

export interface WantedChunk {
  readonly block: number;
  readonly index: number;
  readonly id: Uint8Array;
  /** Bytes of the whole chunk. */
  readonly length: number;
  /** Where its first wanted byte is in the stream. */
  readonly offset: number;
  /** What is wanted of it. */
  readonly from: number;
  readonly to: number;
}

/** What of the runs of a stream lies in [`from`, `to`), in order. Throws `LB_REPO_DAMAGED` for a pack that the point does not have. */
export async function* batchesOf(
  runs: AsyncIterable<Run>,
  packs: readonly PackRef[],
  from = 0,
  to = Infinity,
): AsyncGenerator<Batch> {
  let at = 0;
  for await (const run of runs) {
    if (at >= to) return;
    const start = at;
    at += bytesOf(run);
    if (at <= from) continue;
    if (isHole(run)) {
      const offset = Math.max(start, from);
      yield { offset, hole: Math.min(at, to) - offset };
      continue;
    }
    const pack = packs[run.pack];
    if (pack === undefined) throw new LifeboatError('LB_REPO_DAMAGED', 'A stream names a pack that the point does not have');
    let chunks: WantedChunk[] = [];
    let bytes = 0;
    let begin = start;
    for (const [i, length] of run.lengths.entries()) {
      const wanted = { from: Math.max(0, from - begin), to: Math.min(length, to - begin) };
      const offset = begin + wanted.from;
      begin += length;
      if (wanted.from >= wanted.to) continue;
      if (bytes + length > BATCH_BYTES && chunks.length > 0) {
        yield { pack, chunks };
        chunks = [];
        bytes = 0;
      }
      const id = run.ids.subarray(i * CHUNK_ID_BYTES, (i + 1) * CHUNK_ID_BYTES);
      chunks.push({ block: run.block + i, index: run.index, id, length, offset, ...wanted });
      bytes += length;
    }
    if (chunks.length > 0) yield { pack, chunks };
  }
}
