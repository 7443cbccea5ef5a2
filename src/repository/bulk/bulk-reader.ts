import { alongside, sharedPages } from '../../core/direct-io.ts';
import { copyShared } from '../../core/shared-memory.ts';
import type { Vault } from '../../vault/vault.ts';
import type { ByteRange, BytesRef, BytesTarget } from '../api.ts';
import { FirstIntact, PartDamaged } from '../first-intact.ts';
import { packKey } from '../layout.ts';
import type { PackOpening, PackReader } from '../pack-reader.ts';
import type { ReadContext } from '../pack-store.ts';
import type { PackRef } from '../pack-table.ts';
import { forEachParallel, inOrder } from '../parallel.ts';
import { batchesOf } from './batches.ts';
import type { Batch, WantedChunk } from './batches.ts';
import { runsOf } from './map-reader.ts';
import { PackTables } from './pack-tables.ts';
import { Segments, SEGMENT_BYTES } from './segments.ts';
import { OwnThread, WorkerThread } from './thread.ts';
import type { Thread } from './thread.ts';
import type { SealedBlock, Shared, ThreadSetup } from './thread-work.ts';
import { threadCount, WORTH_THREADS } from './threads.ts';

/** Batches under way at once: for each thread one at work and one waiting, and some being read or written. */
const BATCHES_PER_THREAD = 3;

/** What byte streams are read with. */
export interface BulkReading {
  readonly vaults: readonly Vault[];
  readonly opening: PackOpening;
  readonly setup: ThreadSetup;
  /** Ends all reading. */
  readonly signal: AbortSignal;
}

/** Chunks of neighbouring blocks of a pack, as one vault has it. */
interface PartOfPack {
  readonly vault: Vault;
  readonly ref: PackRef;
  readonly reader: PackReader;
  readonly chunks: readonly WantedChunk[];
}

/** Opened bytes, and where they belong; or zeros. */
type Piece = { readonly offset: number } & ({ readonly bytes: Uint8Array } | { readonly hole: number });

/** What zeros are yielded as. */
const ZEROS = new Uint8Array(1024 * 1024);

/** Reads byte streams: this thread fetches sealed blocks, threads open and check them. */
export class BulkReader {
  readonly #reading: BulkReading;
  readonly #intact: FirstIntact;
  readonly #tables: PackTables;
  readonly #segments: Segments;
  readonly #opened: Segments;
  readonly #own: Thread;
  #threads: readonly Thread[];

  constructor(reading: BulkReading) {
    this.#reading = reading;
    this.#intact = new FirstIntact(reading.vaults, reading.signal);
    this.#tables = new PackTables(reading.opening, reading.signal);
    // Sealed bytes lie in it as in their pack, and opened ones as in the file that is restored: no copy is made on the way from or to a disk.
    const pages = (): Shared => sharedPages(SEGMENT_BYTES);
    this.#segments = new Segments(BATCHES_PER_THREAD * threadCount(), pages);
    this.#opened = new Segments(BATCHES_PER_THREAD * threadCount(), pages);
    this.#own = new OwnThread(reading.setup);
    this.#threads = [this.#own];
    reading.signal.addEventListener('abort', () => this.#end(), { once: true });
  }

  async *read(
    ref: BytesRef,
    packs: readonly PackRef[],
    { offset = 0, length = Infinity }: ByteRange,
    context: ReadContext,
  ): AsyncGenerator<Uint8Array> {
    const to = Math.min(ref.bytes, offset + length);
    const batches = batchesOf(this.runs(ref, packs, context), packs, offset, to);
    if (to - offset > WORTH_THREADS) this.#startThreads();
    for await (const pieces of inOrder(batches, this.#ahead(), (batch) => this.#open(batch, context))) {
      for (const piece of pieces) {
        if ('bytes' in piece) yield piece.bytes;
        else for (let left = piece.hole; left > 0; left -= ZEROS.length) yield ZEROS.slice(0, left);
      }
    }
  }

  async restore(
    ref: BytesRef,
    packs: readonly PackRef[],
    target: BytesTarget,
    context: ReadContext,
  ): Promise<void> {
    if (ref.bytes > WORTH_THREADS) this.#startThreads();
    const batches = batchesOf(this.runs(ref, packs, context), packs);
    await forEachParallel(batches, this.#ahead(), async (batch) => {
      const into = 'hole' in batch ? undefined : alongside(await this.#opened.take(this.#reading.signal), placeOf(batch.chunks[0]));
      try {
        for (const piece of joined(await this.#open(batch, context, into))) {
          context.signal?.throwIfAborted();
          if ('bytes' in piece) await target.write(piece.bytes, piece.offset);
          else await target.zero(piece.offset, piece.hole);
        }
      } finally {
        if (into !== undefined) this.#opened.unused(into);
      }
    });
  }

  /** Where the bytes of a stream are. */
  runs(ref: BytesRef, packs: readonly PackRef[], context: ReadContext): ReturnType<typeof runsOf> {
    return runsOf(ref, (runs) => this.#plain(batchesOf(runs, packs), context));
  }

  async *#plain(batches: AsyncIterable<Batch>, context: ReadContext): AsyncGenerator<Uint8Array> {
    for await (const pieces of inOrder(batches, 2, (batch) => this.#open(batch, context))) {
      for (const piece of pieces) yield 'bytes' in piece ? piece.bytes : new Uint8Array(piece.hole);
    }
  }

  /** `into`: where opened bytes go; without it, into memory of their own. */
  async #open(batch: Batch, context: ReadContext, into?: Shared): Promise<readonly Piece[]> {
    context.signal?.throwIfAborted();
    if ('hole' in batch) return [batch];
    return this.#intact.find(batch.pack, context, async (vault) => {
      const reader = await this.#tables.of(batch.pack, vault);
      const pieces: Piece[] = [];
      let used = 0;
      for (const chunks of fitting(batch.chunks, reader)) {
        const room = into?.subarray(used);
        pieces.push(...(await this.#openIn({ vault, ref: batch.pack, reader, chunks }, room, context.signal)));
        used += chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      }
      return pieces;
    });
  }

  /** Opens chunks of neighbouring blocks, as one vault has them. */
  async #openIn(
    { vault, ref, reader, chunks }: PartOfPack,
    into: Shared | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Piece[]> {
    const blocks = sealedBlocks(chunks, reader);
    const offset = reader.placeOf(chunks[0]?.block ?? 0).offset;
    const length = blocks.at(-1)?.to ?? 0;
    const segment = alongside(await this.#segments.take(this.#reading.signal), offset);
    this.#segments.busy();
    await fetch(vault, ref, { offset, length }, segment, signal ?? this.#reading.signal).catch((error: unknown) => {
      this.#segments.lost();
      throw error;
    });
    try {
      const { version, key, commitment } = reader;
      const opened = await this.#leastBusy().run('open', {
        bytes: segment,
        version,
        key,
        commitment,
        blocks,
        ...(into && { into }),
      });
      let at = 0;
      return opened.map((one, i) => {
        if ('problem' in one) throw new PartDamaged(one.problem);
        const { from, to, offset: place, length: whole } = chunks[i] as WantedChunk;
        const bytes = into?.subarray(at, at + whole) ?? one.chunk;
        at += whole;
        return { offset: place, bytes: bytes.subarray(from, to) };
      });
    } finally {
      this.#segments.done(segment);
    }
  }

  #ahead(): number {
    return BATCHES_PER_THREAD * this.#threads.length;
  }

  #leastBusy(): Thread {
    return this.#threads.reduce((best, thread) => (thread.pending < best.pending ? thread : best));
  }

  #startThreads(): void {
    if (this.#threads[0] !== this.#own) return;
    this.#threads = Array.from({ length: threadCount() }, () => new WorkerThread(this.#reading.setup));
  }

  #end(): void {
    for (const thread of this.#threads) void thread.end();
    this.#segments.wake();
  }
}

/** Where the first byte of a chunk is in the stream, wanted or not. */
function placeOf(chunk: WantedChunk | undefined): number {
  return chunk === undefined ? 0 : chunk.offset - chunk.from;
}

/** The same with pieces put together that follow each other in memory and in the stream: a target writes few long ones faster. */
function joined(pieces: readonly Piece[]): readonly Piece[] {
  const longer: Piece[] = [];
  for (const piece of pieces) {
    const last = longer.at(-1);
    if (last !== undefined && 'bytes' in last && 'bytes' in piece && follows(last.bytes, piece.bytes) && last.offset + last.bytes.length === piece.offset) {
      const { buffer, byteOffset, length } = last.bytes;
      longer[longer.length - 1] = { offset: last.offset, bytes: new Uint8Array(buffer, byteOffset, length + piece.bytes.length) };
    } else longer.push(piece);
  }
  return longer;
}

function follows(one: Uint8Array, other: Uint8Array): boolean {
  return one.buffer === other.buffer && one.byteOffset + one.length === other.byteOffset;
}

/** Chunks in groups whose sealed blocks fit into one segment. */
function* fitting(chunks: readonly WantedChunk[], reader: PackReader): Generator<WantedChunk[]> {
  let group: WantedChunk[] = [];
  let bytes = 0;
  for (const chunk of chunks) {
    const { entry } = reader.placeOf(chunk.block);
    if (bytes + entry.sealedBytes > SEGMENT_BYTES && group.length > 0) {
      yield group;
      group = [];
      bytes = 0;
    }
    if (entry.sealedBytes > SEGMENT_BYTES) throw new PartDamaged('A block is longer than blocks are');
    group.push(chunk);
    bytes += entry.sealedBytes;
  }
  yield group;
}

/** What a thread needs to open chunks of neighbouring blocks. Throws `PartDamaged` when the pack holds no such chunks. */
function sealedBlocks(chunks: readonly WantedChunk[], reader: PackReader): SealedBlock[] {
  let at = 0;
  return chunks.map(({ block, index, id, length }) => {
    const { entry } = reader.placeOf(block);
    const from = at;
    at += entry.sealedBytes;
    const start = entry.chunkLengths.slice(0, index).reduce((sum, one) => sum + one, 0);
    if (entry.chunkLengths[index] !== length) throw new PartDamaged('A chunk is not where it should be');
    const contents = entry.chunkLengths.reduce((sum, one) => sum + one, 0);
    const where = { from, to: at, number: block, compressed: entry.compressed };
    return { ...where, length: contents, start, end: start + length, id };
  });
}

async function fetch(
  vault: Vault,
  ref: PackRef,
  range: { readonly offset: number; readonly length: number },
  into: Shared,
  signal: AbortSignal,
): Promise<void> {
  const { body, length } = await vault.get(packKey(ref.id), { ...range, signal, into });
  if (length !== range.length) throw new PartDamaged('The pack is shorter than it should be');
  let at = 0;
  for await (const part of body) {
    const there = part.buffer === into.buffer && part.byteOffset === into.byteOffset + at;
    if (!there) copyShared(part, into, at);
    at += part.length;
  }
}
