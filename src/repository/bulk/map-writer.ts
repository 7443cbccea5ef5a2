import { ByteWriter } from '../bytes.ts';
import { CHUNK_ID_BYTES } from '../chunk-id.ts';
import { cutAfter, MAX_CHUNK } from '../chunker.ts';
import type { ChunkPlace, ChunkSink } from '../record-writer.ts';
import { DIRECT, MAX_RUN, NESTED, RunEncoder } from './byte-map.ts';

/** Maps longer than this are stored as a stream themselves. */
const MAX_INLINE = 64 * 1024;

/**
 * Makes the map of one stream as its chunks come. A long one goes into chunks of its own on the way, so that memory does not
 * grow with the stream.
 */
export class MapWriter {
  readonly #sink: ChunkSink;
  readonly #stream: object;
  readonly #runs = new RunEncoder();
  readonly #out = new ByteWriter();
  /** The map of what was stored of this one so far. */
  #outer: MapWriter | undefined;
  #hole = 0;
  #pack = 0;
  #block = 0;
  #index = 0;
  readonly #lengths = new Uint32Array(MAX_RUN);
  readonly #ids = Buffer.alloc(MAX_RUN * CHUNK_ID_BYTES);
  #count = 0;

  /** `stream`: what the sink knows the stream by. */
  constructor(sink: ChunkSink, stream: object, kind: typeof DIRECT | typeof NESTED = DIRECT) {
    this.#sink = sink;
    this.#stream = stream;
    this.#out.byte(kind);
  }

  hole(bytes: number): void {
    this.#endRun();
    this.#hole += bytes;
  }

  /** `id` may be longer than an id; only its beginning counts. */
  chunk(length: number, id: Uint8Array, { pack, block, index }: ChunkPlace): void {
    this.#endHole();
    const next = this.#block + this.#count;
    const follows = this.#count > 0 && pack === this.#pack && block === next && index === this.#index;
    if (!follows || this.#count === MAX_RUN) this.#endRun();
    if (this.#count === 0) [this.#pack, this.#block, this.#index] = [pack, block, index];
    this.#lengths[this.#count] = length;
    this.#ids.set(id.subarray(0, CHUNK_ID_BYTES), this.#count * CHUNK_ID_BYTES);
    this.#count++;
  }

  /** The encoded map, once all is told. */
  finish(): Buffer {
    this.#endHole();
    this.#endRun();
    if (this.#outer === undefined && this.#out.length <= MAX_INLINE) return this.#out.finish();
    this.#store(0);
    return (this.#outer ?? this).finish();
  }

  #endHole(): void {
    if (this.#hole === 0) return;
    this.#runs.encode({ hole: this.#hole }, this.#out);
    this.#hole = 0;
  }

  #endRun(): void {
    if (this.#count === 0) return;
    const lengths = this.#lengths.subarray(0, this.#count);
    const ids = this.#ids.subarray(0, this.#count * CHUNK_ID_BYTES);
    this.#runs.encode({ pack: this.#pack, block: this.#block, index: this.#index, lengths, ids }, this.#out);
    this.#count = 0;
    if (this.#out.length >= 2 * MAX_CHUNK) this.#store(MAX_CHUNK);
  }

  /** Stores what is encoded, up to the last chunk that ends with at least `keep` bytes after it. */
  #store(keep: number): void {
    this.#outer ??= new MapWriter(this.#sink, this.#stream, NESTED);
    const bytes = this.#out.finish();
    let from = 0;
    while (from < bytes.length && bytes.length - from >= keep) {
      const to = cutAfter(bytes, from);
      const parts = [bytes.subarray(from, to)];
      const id = this.#sink.name(parts);
      this.#outer.chunk(to - from, id, this.#sink.store(id, parts, this.#stream));
      from = to;
    }
    this.#out.restart(bytes.subarray(from));
  }
}
