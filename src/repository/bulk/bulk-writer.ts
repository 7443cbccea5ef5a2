import type { BytesRef, ReadAt } from '../api.ts';
import { CHUNK_ID_BYTES } from '../chunk-id.ts';
import type { ChunkTable } from '../chunk-table.ts';
import { MAX_CHUNK } from '../chunker.ts';
import type { ChunkPlace, ChunkSink } from '../record-writer.ts';
import { MapWriter } from './map-writer.ts';
import { PackLane, Shelf } from './pack-lane.ts';
import type { PackMaking } from './pack-lane.ts';
import { Segments } from './segments.ts';
import { imageParts, streamParts } from './sources.ts';
import type { Part } from './sources.ts';
import { OwnThread, WorkerThread } from './thread.ts';
import type { Thread } from './thread.ts';
import type { NamedChunks, ThreadSetup } from './thread-work.ts';
import { threadCount, WORTH_THREADS } from './threads.ts';

/** Segments that threads work on, for each thread: one at work, one waiting, one being looked up. */
const SEGMENTS_PER_THREAD = 3;

/** What byte streams need of their session, beside what record streams do. */
export interface BulkSink extends ChunkSink {
  /** A new chunk of so many bytes went into a pack that is made elsewhere. */
  added(bytes: number): void;
}

/** What a `BulkWriter` is made of. */
export interface BulkParts {
  readonly sink: BulkSink;
  readonly known: ChunkTable;
  readonly making: PackMaking;
  readonly setup: ThreadSetup;
  readonly signal: AbortSignal;
}

/**
 * Stores byte streams and block images. Threads cut, name, compress and seal; this thread reads, looks up which chunks are known
 * and says where the others go. A chunk that is known costs its name only.
 */
export class BulkWriter {
  readonly #parts: BulkParts;
  readonly #shelf: Shelf;
  readonly #segments: Segments;
  readonly #own: PackLane;
  #lanes: readonly PackLane[];
  /** A stream is cut in one go from its beginning to its end, so cutting must not wait for other work. */
  #cutter: Thread | undefined;
  #bytes = 0;

  constructor(parts: BulkParts) {
    this.#parts = parts;
    const threads = threadCount();
    this.#shelf = new Shelf(threads);
    this.#segments = new Segments(SEGMENTS_PER_THREAD * threads);
    this.#own = this.#lane(new OwnThread(parts.setup));
    this.#lanes = [this.#own];
    parts.signal.addEventListener('abort', () => void this.end(), { once: true });
  }

  stream(source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<BytesRef> {
    return this.#store(
      streamParts(source, this.#segments, (bytes, to, last) => this.#cut().run('cut', { bytes, to, last }), signal),
    );
  }

  image(read: ReadAt, size: number, signal: AbortSignal): Promise<BytesRef> {
    if (size > WORTH_THREADS) this.#startThreads();
    return this.#store(imageParts(read, size, this.#segments, signal));
  }

  /** Has all packs made whole that are open. */
  finish(): void {
    for (const lane of [this.#own, ...this.#lanes]) lane.close();
  }

  /** Lets those that wait for room look whether the session has failed. */
  failed(): void {
    this.#segments.wake();
    this.#shelf.wake();
  }

  /** Ends the threads. What is asked of them fails from now on; resolves when there are none any more, and never rejects. */
  async end(): Promise<void> {
    const threads = this.#lanes.map(({ thread }) => thread);
    const ended = [...threads, ...(this.#cutter === undefined ? [] : [this.#cutter])].map((thread) => thread.end());
    this.failed();
    await Promise.all(ended);
  }

  async #store(parts: AsyncIterable<Part>): Promise<BytesRef> {
    const { sink } = this.#parts;
    const stream = {};
    const map = new MapWriter(sink, stream);
    let bytes = 0;
    let failure: { readonly error: unknown } | undefined;
    /** Parts are named at once, and placed in their order. */
    let placed: Promise<void> = Promise.resolve();
    try {
      for await (const { segment, ends } of parts) {
        const length = ends.at(-1) ?? 0;
        bytes += length;
        if ((this.#bytes += length) > WORTH_THREADS) this.#startThreads();
        const named = this.#leastBusy().thread.run('name', { bytes: segment, ends });
        placed = Promise.allSettled([placed, named])
          .then(async ([, names]) => {
            if (names.status === 'rejected') {
              this.#segments.lost();
              throw names.reason;
            }
            if (failure === undefined) await this.#place({ segment, ends }, names.value, map, stream);
            else this.#segments.done(segment);
          })
          .catch((error: unknown) => {
            failure = { error };
          });
        if (failure !== undefined) break;
        await sink.ready();
      }
      await placed;
      if (failure !== undefined) throw failure.error;
      const encoded = map.finish();
      await sink.ready();
      return { bytes, map: encoded.toString('base64') };
    } catch (error) {
      // Threads that were ended fail as well: that is not what happened.
      this.#parts.signal.throwIfAborted();
      throw error;
    } finally {
      await placed;
      sink.ended(stream, 0, bytes);
    }
  }

  /** Looks up the chunks of a part, and sends those that are new into a pack. */
  async #place(part: Part, named: NamedChunks, map: MapWriter, stream: object): Promise<void> {
    const { sink, known, making } = this.#parts;
    const lane = this.#leastBusy();
    const fresh: number[] = [];
    let freshBytes = 0;
    try {
      const { chunks, bytes } = this.#wanted(part, named);
      if (chunks > 0) while (!lane.hasRoom(chunks, bytes)) await lane.makeRoom();
      for (const { start, end, id, zero } of chunksOf(part, named)) {
        const length = end - start;
        if (zero) {
          map.hole(length);
          continue;
        }
        const entry = known.find(id);
        let place: ChunkPlace;
        if (entry >= 0) {
          const pack = making.registry.placeOf(known.packOf(entry));
          place = { pack, block: known.blockOf(entry), index: known.indexOf(entry) };
        } else if (length <= MAX_CHUNK) {
          // Small enough to share a block with others.
          place = sink.store(id, [part.segment.subarray(start, end)], stream);
        } else {
          const { pack, block } = lane.place(id);
          known.add(id, 0, pack, block, 0);
          place = { pack: making.registry.placeOf(pack), block, index: 0 };
          fresh.push(start, end);
          freshBytes += length;
          sink.added(length);
        }
        map.chunk(length, id, place);
      }
    } finally {
      if (fresh.length === 0) this.#segments.done(part.segment);
    }
    if (fresh.length === 0) return;
    making.background(async () => {
      try {
        await lane.fill(part.segment, fresh, freshBytes);
      } finally {
        this.#segments.done(part.segment);
      }
    });
  }

  /** How much of a part will go into a pack. */
  #wanted(part: Part, named: NamedChunks): { readonly chunks: number; readonly bytes: number } {
    let chunks = 0;
    let bytes = 0;
    for (const { start, end, id, zero } of chunksOf(part, named)) {
      if (zero || end - start <= MAX_CHUNK || this.#parts.known.find(id) >= 0) continue;
      chunks++;
      bytes += end - start;
    }
    return { chunks, bytes };
  }

  #leastBusy(): PackLane {
    return this.#lanes.reduce((best, lane) => (lane.thread.pending < best.thread.pending ? lane : best));
  }

  #startThreads(): void {
    if (this.#lanes[0] !== this.#own) return;
    const { setup } = this.#parts;
    this.#lanes = Array.from({ length: threadCount() }, () => this.#lane(new WorkerThread(setup)));
  }

  /** Where streams are cut: a thread of its own, as soon as there are any. */
  #cut(): Thread {
    if (this.#lanes[0] === this.#own) return this.#own.thread;
    return (this.#cutter ??= new WorkerThread(this.#parts.setup));
  }

  #lane(thread: Thread): PackLane {
    return new PackLane(thread, this.#parts.making, this.#shelf);
  }
}

function* chunksOf(
  { ends }: Part,
  { ids, zero }: NamedChunks,
): Generator<{ readonly start: number; readonly end: number; readonly id: Uint8Array; readonly zero: boolean }> {
  for (const [i, end] of ends.entries()) {
    const id = ids.subarray(i * CHUNK_ID_BYTES, (i + 1) * CHUNK_ID_BYTES);
    yield { start: ends[i - 1] ?? 0, end, id, zero: zero[i] === 1 };
  }
}
