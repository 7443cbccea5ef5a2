import { createHash } from 'node:crypto';
import { LifeboatError } from '../core/errors.ts';
import { raceAbort } from '../vault/streams.ts';
import type { StreamRef } from './api.ts';
import { CHUNK_ID_BYTES } from './chunk-id.ts';
import type { ChunkNamer } from './chunk-id.ts';
import { decodeExtents } from './extents.ts';
import type { Extent, ExtentList } from './extents.ts';
import type { Block } from './pack-reader.ts';
import type { PackStore, ReadContext } from './pack-store.ts';
import type { PackRef } from './pack-table.ts';

/** Extents whose blocks are opened before they are needed. */
const AHEAD = 4;
const LENGTH_BYTES = 4;
/** Extent lists are nested no deeper than any real stream needs. */
const MAX_NESTING = 4;

/** What streams of a point are read with. */
export interface StreamSource {
  readonly packs: readonly PackRef[];
  readonly store: PackStore;
  readonly namer: ChunkNamer;
}

/**
 * The records of a stream. Every chunk was authenticated when its block was opened; that they are the right chunks in
 * the right order is checked again by the stream's digest at its end. Throws `LB_REPO_DAMAGED`.
 */
export async function* readRecords(
  stream: StreamRef,
  source: StreamSource,
  context: ReadContext,
): AsyncGenerator<Uint8Array> {
  const list = await resolveExtents(stream.extents, source, context);
  let records = 0;
  let bytes = 0;
  let parts: Uint8Array[] = [];
  let missing = 0;
  for await (const chunk of readChunks(list, source, context)) {
    if (missing === 0) {
      if (chunk.length < LENGTH_BYTES) throw damaged('A record begins without its length');
      const length = lengthOf(chunk);
      missing = length - (chunk.length - LENGTH_BYTES);
      parts = [chunk.subarray(LENGTH_BYTES)];
    } else {
      missing -= chunk.length;
      parts.push(chunk);
    }
    if (missing < 0) throw damaged('A record is longer than it says');
    if (missing > 0) continue;
    const record = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
    records++;
    bytes += record.length;
    yield record;
  }
  if (missing > 0 || records !== stream.records || bytes !== stream.bytes)
    throw damaged('A stream does not hold what it should');
}

/** The extent list of a stream, however deeply it was stored. Throws `LB_REPO_DAMAGED`. */
export async function resolveExtents(encoded: string, source: StreamSource, context: ReadContext): Promise<ExtentList> {
  let list = decodeExtents(Buffer.from(encoded, 'base64'));
  for (let depth = 0; list.nested; depth++) {
    if (depth === MAX_NESTING) throw damaged('An extent list is nested too deeply');
    const parts: Uint8Array[] = [];
    for await (const chunk of readChunks(list, source, context)) parts.push(chunk);
    list = decodeExtents(Buffer.concat(parts));
  }
  return list;
}

async function* readChunks(list: ExtentList, source: StreamSource, context: ReadContext): AsyncGenerator<Uint8Array> {
  const { extents } = list;
  const digest = createHash('sha256');
  const blocks = new BlockQueue(extents, source, context);
  for (const extent of extents) {
    const block = await blocks.next();
    context.signal?.throwIfAborted();
    for (let index = extent.first; index < extent.first + extent.count; index++) {
      const chunk = block.chunk(index);
      digest.update(source.namer.name(chunk).subarray(0, CHUNK_ID_BYTES));
      yield chunk;
    }
  }
  if (!digest.digest().equals(list.digest)) throw damaged('A stream has other chunks than were written');
}

/** Gives the blocks of extents in order, and begins to read what comes next before it is asked for. */
class BlockQueue {
  readonly #extents: readonly Extent[];
  readonly #source: StreamSource;
  readonly #context: ReadContext;
  readonly #ahead: Promise<Block>[] = [];
  /** The first extent in another pack than the one being read. */
  #nextPackAt = 0;
  #begun = 0;

  constructor(extents: readonly Extent[], source: StreamSource, context: ReadContext) {
    this.#extents = extents;
    this.#source = source;
    this.#context = context;
  }

  async next(): Promise<Block> {
    while (this.#ahead.length < AHEAD && this.#begun < this.#extents.length) this.#begin();
    const block = this.#ahead.shift();
    if (block === undefined) throw new Error('more blocks were asked for than there are extents');
    return raceAbort(block, this.#context.signal);
  }

  #begin(): void {
    const extent = this.#extents[this.#begun] as Extent;
    if (this.#begun >= this.#nextPackAt) this.#prefetchNextPack(extent.pack);
    this.#begun++;
    const block = this.#source.store.block(this.#pack(extent.pack), extent.block, this.#context.onWarning);
    // It is awaited when its turn comes; failing before that is not unhandled.
    block.catch(() => {});
    this.#ahead.push(block);
  }

  #prefetchNextPack(current: number): void {
    let at = this.#begun;
    while (at < this.#extents.length && this.#extents[at]?.pack === current) at++;
    this.#nextPackAt = at;
    const next = this.#extents[at]?.pack;
    if (next === undefined) return;
    let blocks = 0;
    while (this.#extents[at + blocks]?.pack === next) blocks++;
    this.#source.store.prefetch(this.#pack(next), blocks, this.#context.onWarning);
  }

  #pack(place: number): PackRef {
    const pack = this.#source.packs[place];
    if (pack === undefined) throw damaged('A stream names a pack that the point does not have');
    return pack;
  }
}

function lengthOf(chunk: Uint8Array): number {
  return new DataView(chunk.buffer, chunk.byteOffset, LENGTH_BYTES).getUint32(0, true);
}

function damaged(message: string): LifeboatError {
  return new LifeboatError('LB_REPO_DAMAGED', message);
}
