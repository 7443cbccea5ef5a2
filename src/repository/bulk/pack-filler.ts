import { createHash } from 'node:crypto';
import { seal, sealInto, TAG_BYTES } from '../aead.ts';
import { release } from '../bytes.ts';
import { compressWhole } from '../compression.ts';
import {
  blockContext,
  blockTableBytes,
  encodePackFooter,
  encodePackHeader,
  PACK_FOOTER_BYTES,
  PACK_HEADER_BYTES,
  PACK_TARGET,
  packKeys,
} from '../pack-format.ts';
import type { BlockEntry, PackKeys } from '../pack-format.ts';

/** No pack holds more sealed bytes. What a thread has not come to yet counts as if it did not shrink. */
export const LARGE_PACK_CAPACITY = PACK_TARGET + 8 * 1024 * 1024;
/** Bound on the blocks of one pack: what is very compressible must not make a table that is hard to hold. */
export const LARGE_PACK_BLOCKS = 4096;
/** Memory to make one in: more than header, table and footer take beside the blocks. */
export const LARGE_PACK_BUFFER = LARGE_PACK_CAPACITY + PACK_HEADER_BYTES + 16 * LARGE_PACK_BLOCKS + PACK_FOOTER_BYTES;

const VERSION = 2;

/** A whole pack. */
export interface FilledPack {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the bytes, lower-case hex. */
  readonly id: string;
  readonly commitment: string;
}

/** One pack of version 2 while it is made, in one buffer. Each block holds one chunk. */
export class PackFiller {
  readonly #repositoryId: Uint8Array;
  readonly #keys: PackKeys;
  readonly #bytes: Buffer<ArrayBuffer>;
  readonly #blocks: BlockEntry[] = [];
  /** Fed as bytes are made, while they are in the processor's cache: measured, that is half as fast again as hashing the whole pack. */
  readonly #hash = createHash('sha256');
  #length = 0;

  /** `sealedContentKey`: the content key, sealed to the repository. `memory`: `LARGE_PACK_BUFFER` bytes. */
  constructor(contentKey: Uint8Array, sealedContentKey: Uint8Array, repositoryId: Uint8Array, memory: ArrayBuffer) {
    this.#bytes = Buffer.from(memory);
    this.#repositoryId = repositoryId;
    this.#keys = packKeys(contentKey, repositoryId, VERSION);
    this.#append(encodePackHeader(sealedContentKey, this.#keys.commitment, VERSION));
  }

  /** Compresses and seals a chunk as the next block. Gives the bytes it takes in the pack. */
  add(chunk: Uint8Array): number {
    const frame = seemsCompressible(chunk) ? compressWhole(chunk) : undefined;
    const compressed = frame !== undefined && frame.length < chunk.length;
    const contents = compressed ? frame : chunk;
    const sealedBytes = contents.length + TAG_BYTES;
    const { nonce, aad } = blockContext(this.#blocks.length, this.#repositoryId, this.#keys.commitment, VERSION);
    sealInto(this.#bytes, this.#length, this.#keys.key, nonce, aad, contents);
    if (frame !== undefined) release(frame);
    this.#appended(sealedBytes);
    this.#blocks.push({ sealedBytes, compressed, chunkLengths: [chunk.length] });
    return sealedBytes;
  }

  close(): FilledPack {
    const { key, commitment } = this.#keys;
    const { nonce, aad } = blockContext('table', this.#repositoryId, commitment, VERSION);
    const table = seal(key, nonce, aad, compressWhole(blockTableBytes(this.#blocks)));
    this.#append(table);
    this.#append(encodePackFooter(table.length));
    const bytes = this.#bytes.subarray(0, this.#length);
    return { bytes, id: this.#hash.digest('hex'), commitment: commitment.toString('hex') };
  }

  #append(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#length);
    this.#appended(bytes.length);
  }

  #appended(length: number): void {
    this.#hash.update(this.#bytes.subarray(this.#length, this.#length + length));
    this.#length += length;
  }
}

/** Bytes looked at in each of so many places of a chunk. */
const SAMPLE = 8 * 1024;
const SAMPLES = 4;
/** What shrinks by less than this part is stored as it is: opening it again is quicker then. */
const WORTH_IT = 0.97;

/** Compresses small parts of a chunk to see whether compressing all of it is worth the time. */
function seemsCompressible(chunk: Uint8Array): boolean {
  if (chunk.length < 4 * SAMPLE * SAMPLES) return true;
  const sample = Buffer.allocUnsafe(SAMPLE * SAMPLES);
  const step = Math.floor((chunk.length - SAMPLE) / (SAMPLES - 1));
  for (let i = 0; i < SAMPLES; i++) sample.set(chunk.subarray(i * step, i * step + SAMPLE), i * SAMPLE);
  const frame = compressWhole(sample);
  const worthIt = frame.length < sample.length * WORTH_IT;
  release(frame);
  return worthIt;
}
