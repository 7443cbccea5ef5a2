import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Plain bytes in a block. Large enough that similar objects compress together, small enough to hold a few in the clear. */
const BLOCK_BYTES = 256 * 1024;
const LENGTH_BYTES = 4;

/** Keeps many small records in little memory: compressed, in blocks. Kubernetes objects shrink to a fifth or less. */
export class RecordBlocks {
  readonly #blocks: Buffer[] = [];
  #open: Buffer[] = [];
  #openBytes = 0;

  /** Keeps a copy of the record. Returns a promise when it must be waited for. */
  add(record: Uint8Array): Promise<void> | void {
    const kept = Buffer.allocUnsafe(LENGTH_BYTES + record.length);
    kept.writeUInt32LE(record.length);
    kept.set(record, LENGTH_BYTES);
    this.#open.push(kept);
    this.#openBytes += kept.length;
    return this.#openBytes >= BLOCK_BYTES ? this.#close() : undefined;
  }

  /** Call after the last record. */
  async end(): Promise<void> {
    if (this.#openBytes > 0) await this.#close();
  }

  /** All records in the order they were added, valid until the next is asked for. Any number of times. */
  async *records(signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    for (const block of this.#blocks) {
      signal?.throwIfAborted();
      const plain = await decompress(block);
      for (let at = 0; at < plain.length; ) {
        const start = at + LENGTH_BYTES;
        at = start + plain.readUInt32LE(at);
        yield plain.subarray(start, at);
      }
    }
  }

  async #close(): Promise<void> {
    const plain = Buffer.concat(this.#open);
    this.#open = [];
    this.#openBytes = 0;
    this.#blocks.push(await compress(plain, { params: { [constants.ZSTD_c_compressionLevel]: 1 } }));
  }
}
