import { createHash } from 'node:crypto';
import { LifeboatError } from '../core/errors.ts';
import type { RecordWriter, StreamRef } from './api.ts';
import { CHUNK_ID_BYTES } from './chunk-id.ts';
import { cutAfter, MAX_CHUNK } from './chunker.ts';
import { encodeExtents } from './extents.ts';
import type { Extent } from './extents.ts';

/** Where a chunk is: the place of its pack in the point's table, its block, its index in the block. */
export interface ChunkPlace {
  readonly pack: number;
  readonly block: number;
  readonly index: number;
}

/** What a stream needs of its session. */
export interface ChunkSink {
  /** Names a chunk: the first `CHUNK_ID_BYTES` are its id. */
  name(parts: readonly Uint8Array[]): Uint8Array;
  /** Stores the chunk unless it is stored already, copying what it keeps. `stream` says which chunks belong together. */
  store(id: Uint8Array, parts: readonly Uint8Array[], stream: object): ChunkPlace;
  /** A promise, while the session can take no more: resolves when it can, rejects when it has failed. */
  ready(): Promise<void> | void;
  /** The stream will store nothing more. */
  ended(stream: object, records: number, bytes: number): void;
  /** What a stream that has ended holds does not count. */
  uncount(records: number, bytes: number): void;
}

/** Encoded extent lists longer than this are stored as a stream themselves. */
const MAX_INLINE_EXTENTS = 64 * 1024;
/** Chunk ids gathered before they go into a stream's digest. */
const IDS_AT_ONCE = 256;
/** Bytes of the length before each record. */
const LENGTH_BYTES = 4;
/** A record's length has 4 bytes in the format; what is this long is not an object of a cluster. */
const MAX_RECORD = 256 * 1024 * 1024;

/** Turns records into chunks: one each, or several for a record longer than `MAX_CHUNK`. */
export class ChunkedRecordWriter implements RecordWriter {
  readonly #sink: ChunkSink;
  readonly #prefix = Buffer.allocUnsafe(LENGTH_BYTES);
  #list: ExtentBuilder;
  #records = 0;
  #bytes = 0;
  #ended = false;
  #void = false;

  constructor(sink: ChunkSink) {
    this.#sink = sink;
    this.#list = new ExtentBuilder();
  }

  write(record: Uint8Array): Promise<void> | void {
    if (this.#ended) throw new LifeboatError('LB_INTERNAL', 'A record was written to a stream that has ended');
    if (record.length > MAX_RECORD)
      throw new LifeboatError('LB_INTERNAL', `A record has ${record.length} bytes: too many`);
    this.#records++;
    this.#bytes += record.length;
    this.#prefix.writeUInt32LE(record.length);
    const framed = [this.#prefix, record];
    if (LENGTH_BYTES + record.length <= MAX_CHUNK) this.#put(framed);
    else this.#cut(Buffer.concat(framed));
    return this.#sink.ready();
  }

  async end(): Promise<StreamRef> {
    if (this.#ended) throw new LifeboatError('LB_INTERNAL', 'A stream was ended twice');
    this.#ended = true;
    let encoded = this.#list.encode(false);
    while (encoded.length > MAX_INLINE_EXTENTS) {
      this.#list = new ExtentBuilder();
      this.#cut(encoded);
      encoded = this.#list.encode(true);
      await this.#sink.ready();
    }
    this.#sink.ended(this, this.#records, this.#bytes);
    return { records: this.#records, bytes: this.#bytes, extents: encoded.toString('base64') };
  }

  discard(): void {
    if (this.#void) return;
    this.#void = true;
    if (this.#ended) return this.#sink.uncount(this.#records, this.#bytes);
    this.#ended = true;
    this.#sink.ended(this, 0, 0);
  }

  #cut(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length;) {
      const to = cutAfter(bytes, from);
      this.#put([bytes.subarray(from, to)]);
      from = to;
    }
  }

  #put(parts: readonly Uint8Array[]): void {
    const id = this.#sink.name(parts);
    this.#list.add(id, this.#sink.store(id, parts, this));
  }
}

/** Gathers neighbouring chunks into extents, and the ids of all into a digest. */
class ExtentBuilder {
  readonly #extents: Extent[] = [];
  readonly #digest = createHash('sha256');
  /** Ids not in the digest yet: one `update` for many costs the time of one. */
  readonly #ids = Buffer.allocUnsafe(IDS_AT_ONCE * CHUNK_ID_BYTES);
  #idBytes = 0;
  #pack = -1;
  #block = 0;
  #first = 0;
  #count = 0;

  add(id: Uint8Array, place: ChunkPlace): void {
    this.#digestId(id);
    if (place.pack === this.#pack && place.block === this.#block && place.index === this.#first + this.#count) {
      this.#count++;
      return;
    }
    this.#flush();
    this.#pack = place.pack;
    this.#block = place.block;
    this.#first = place.index;
    this.#count = 1;
  }

  encode(nested: boolean): Buffer {
    this.#flush();
    this.#count = 0;
    this.#digest.update(this.#ids.subarray(0, this.#idBytes));
    return encodeExtents({ extents: this.#extents, digest: this.#digest.digest(), nested });
  }

  #digestId(id: Uint8Array): void {
    this.#ids.set(id.subarray(0, CHUNK_ID_BYTES), this.#idBytes);
    this.#idBytes += CHUNK_ID_BYTES;
    if (this.#idBytes < this.#ids.length) return;
    this.#digest.update(this.#ids);
    this.#idBytes = 0;
  }

  #flush(): void {
    if (this.#count === 0) return;
    this.#extents.push({ pack: this.#pack, block: this.#block, first: this.#first, count: this.#count });
  }
}
