import type { ByteReader, ByteWriter } from '../bytes.ts';
import { CHUNK_ID_BYTES } from '../chunk-id.ts';
import { MAX_LARGE_CHUNK } from './large-chunker.ts';

/** Where the chunks of a byte stream are, and where it has holes: docs/format.md, "Byte maps". */

/** Bytes that are zero and stored nowhere. */
export interface HoleRun {
  readonly hole: number;
}

/** Chunks in neighbouring blocks of a pack: the one numbered `i` is in block `block + i`, at place `index` of that block. */
export interface ChunkRun {
  /** Place of the pack in the point's pack table. */
  readonly pack: number;
  readonly block: number;
  readonly index: number;
  /** Bytes of each chunk. */
  readonly lengths: Uint32Array;
  /** Ids of the chunks, one after the other. */
  readonly ids: Uint8Array;
}

export type Run = HoleRun | ChunkRun;

export function isHole(run: Run): run is HoleRun {
  return 'hole' in run;
}

/** A run has at most this many chunks, so that a map can be read in parts. */
export const MAX_RUN = 1024;
/** No encoded run is longer: five numbers, then each chunk's length and id. */
export const MAX_RUN_BYTES = 5 * 8 + MAX_RUN * (4 + CHUNK_ID_BYTES);

/** The first byte of a map. In a nested one, the stream it describes is another, encoded map, which is the one that is meant. */
export const DIRECT = 0;
export const NESTED = 1;

/** Writes runs, each relative to the one before. */
export class RunEncoder {
  #pack = 0;
  #block = 0;

  encode(run: Run, out: ByteWriter): void {
    if (isHole(run)) {
      out.varint(2 * run.hole);
      return;
    }
    const { pack, block, index, lengths, ids } = run;
    const [common] = lengths;
    const same = lengths.every((length) => length === common);
    out.varint(2 * lengths.length + 1);
    out.zigzag(pack - this.#pack);
    out.zigzag(block - (pack === this.#pack ? this.#block : 0));
    out.varint(index);
    out.varint(same ? (common ?? 0) : 0);
    if (!same) for (const length of lengths) out.varint(length);
    out.bytes(ids);
    this.#pack = pack;
    this.#block = block + lengths.length;
  }
}

/** Reads what `RunEncoder` wrote. */
export class RunDecoder {
  #pack = 0;
  #block = 0;

  /** The next run. Throws `LB_REPO_DAMAGED` when there is none, or one that no writer makes. */
  decode(reader: ByteReader): Run {
    const head = reader.varint();
    const count = Math.floor(head / 2);
    if (count === 0) throw reader.damaged('has an empty run');
    if (head % 2 === 0) return { hole: count };
    if (count > MAX_RUN) throw reader.damaged('has a run that is too long');
    const pack = this.#pack + reader.zigzag();
    const block = (pack === this.#pack ? this.#block : 0) + reader.zigzag();
    const index = reader.varint();
    if (pack < 0 || block < 0) throw reader.damaged('points before a beginning');
    const common = reader.varint();
    const lengths = new Uint32Array(count).fill(checked(common, reader));
    if (common === 0) for (let i = 0; i < count; i++) lengths[i] = checked(reader.varint(), reader, 1);
    const ids = reader.bytes(count * CHUNK_ID_BYTES);
    this.#pack = pack;
    this.#block = block + count;
    return { pack, block, index, lengths, ids };
  }
}

function checked(length: number, reader: ByteReader, least = 0): number {
  if (length < least || length > MAX_LARGE_CHUNK) throw reader.damaged('has a chunk of an impossible length');
  return length;
}
