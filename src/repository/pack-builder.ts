import { createHash, randomBytes } from 'node:crypto';
import type { Sealer } from '../keys/sealing.ts';
import { seal } from './aead.ts';
import { CHUNK_ID_BYTES } from './chunk-id.ts';
import { compressNow } from './compression.ts';
import type { PackIndex } from './index-object.ts';
import {
  blockContext,
  encodeBlockTable,
  encodePackFooter,
  encodePackHeader,
  MAX_BLOCK,
  PACK_SEAL_INFO,
  PACK_TARGET,
  packKeys,
} from './pack-format.ts';
import type { BlockEntry, PackKeys } from './pack-format.ts';

/** Bounds of one pack beside its bytes: what is very compressible must not make a block table that is hard to hold. */
const PACK_BLOCKS = 4096;
const PACK_CHUNKS = 1 << 20;

/** Chunks on their way into a pack. Its place in the pack is fixed from the beginning, so that extents can be made at once. */
export class OpenBlock {
  readonly pack: PackBuilder;
  /** Its number in the pack. */
  readonly number: number;
  readonly #buffer: Buffer;
  readonly #lengths: number[] = [];
  #ids = Buffer.allocUnsafe(64 * CHUNK_ID_BYTES);
  #used = 0;

  /** `buffer`: `MAX_BLOCK` bytes to fill. */
  constructor(pack: PackBuilder, number: number, buffer: Buffer) {
    this.pack = pack;
    this.number = number;
    this.#buffer = buffer;
  }

  get buffer(): Buffer {
    return this.#buffer;
  }

  get bytes(): number {
    return this.#used;
  }

  get chunkLengths(): readonly number[] {
    return this.#lengths;
  }

  /** Ids of its chunks, one after the other. */
  get ids(): Buffer {
    return this.#ids.subarray(0, this.#lengths.length * CHUNK_ID_BYTES);
  }

  fits(bytes: number): boolean {
    return this.#used + bytes <= MAX_BLOCK;
  }

  /** Adds a chunk made of `parts`, which must fit; gives its index in the block. */
  append(id: Uint8Array, parts: readonly Uint8Array[]): number {
    const index = this.#lengths.length;
    const from = this.#used;
    for (const part of parts) {
      this.#buffer.set(part, this.#used);
      this.#used += part.length;
    }
    if ((index + 1) * CHUNK_ID_BYTES > this.#ids.length) this.#ids = Buffer.concat([this.#ids], 2 * this.#ids.length);
    for (let i = 0; i < CHUNK_ID_BYTES; i++) this.#ids[index * CHUNK_ID_BYTES + i] = id[i] as number;
    this.#lengths.push(this.#used - from);
    return index;
  }
}

interface SealedBlock extends BlockEntry {
  readonly sealed: Buffer;
  readonly ids: Buffer;
}

/**
 * One pack while it is made. Blocks are numbered when they are begun and may be finished in any order.
 * The content key lives only here: nobody can read the pack once this object is gone, except with the read key.
 */
export class PackBuilder {
  /** The session's number for it. */
  readonly number: number;
  readonly #repositoryId: Uint8Array;
  readonly #target: number;
  readonly #keys: PackKeys;
  /** The first bytes, once the content key is sealed. */
  readonly #header: Promise<Buffer>;
  readonly #blocks: (SealedBlock | undefined)[] = [];
  /** SHA-256 of the header, once it is there, and of the blocks up to the first that is not finished: little is left to hash at the end. */
  readonly #digest = createHash('sha256');
  #hashedBlocks = -1;
  #sealedBytes = 0;
  #chunks = 0;

  /** `target`: sealed bytes after which it is full; `PACK_TARGET` at most. */
  constructor(number: number, repositoryId: Uint8Array, sealer: Sealer, target = PACK_TARGET) {
    this.number = number;
    this.#target = Math.min(target, PACK_TARGET);
    this.#repositoryId = repositoryId;
    const contentKey = randomBytes(32);
    this.#keys = packKeys(contentKey, repositoryId);
    this.#header = this.#makeHeader(contentKey, sealer);
    // Awaited in finish(); a failure must not count as unhandled before.
    this.#header.catch(() => {});
  }

  async #makeHeader(contentKey: Uint8Array, sealer: Sealer): Promise<Buffer> {
    const sealedKey = await sealer.seal(contentKey, PACK_SEAL_INFO, this.#repositoryId).finally(() => contentKey.fill(0));
    const header = encodePackHeader(sealedKey, this.#keys.commitment);
    this.#digest.update(header);
    this.#hashedBlocks = 0;
    return header;
  }

  /** True when no further block should be begun. */
  get full(): boolean {
    return this.#sealedBytes >= this.#target || this.#blocks.length >= PACK_BLOCKS || this.#chunks >= PACK_CHUNKS;
  }

  begin(buffer: Buffer): OpenBlock {
    return new OpenBlock(this, this.#blocks.push(undefined) - 1, buffer);
  }

  /** Compresses and seals a block; its buffer is free again afterwards. */
  finishBlock(block: OpenBlock): void {
    const plaintext = block.buffer.subarray(0, block.bytes);
    this.#chunks += block.chunkLengths.length;
    const frame = compressNow(plaintext);
    const compressed = frame.length < plaintext.length;
    const { nonce, aad } = blockContext(block.number, this.#repositoryId, this.#keys.commitment);
    const sealed = seal(this.#keys.key, nonce, aad, compressed ? frame : plaintext);
    this.#sealedBytes += sealed.length;
    const { chunkLengths, ids } = block;
    this.#blocks[block.number] = { sealed, sealedBytes: sealed.length, compressed, chunkLengths, ids };
    this.#hashBlocks();
  }

  #hashBlocks(): void {
    if (this.#hashedBlocks < 0) return;
    for (let block = this.#blocks[this.#hashedBlocks]; block !== undefined; block = this.#blocks[this.#hashedBlocks]) {
      this.#digest.update(block.sealed);
      this.#hashedBlocks++;
    }
  }

  /** The pack, once all its blocks are finished, and what an index object says of it. */
  async finish(): Promise<{ readonly bytes: Buffer; readonly index: PackIndex }> {
    const blocks = this.#blocks.filter((block) => block !== undefined);
    if (blocks.length !== this.#blocks.length) throw new Error('a block of the pack is not finished');
    const { nonce, aad } = blockContext('table', this.#repositoryId, this.#keys.commitment);
    const table = seal(this.#keys.key, nonce, aad, await encodeBlockTable(blocks));
    const header = await this.#header;
    this.#hashBlocks();
    const footer = encodePackFooter(table.length);
    const id = this.#digest.update(table).update(footer).digest('hex');
    const bytes = Buffer.concat([header, ...blocks.map((block) => block.sealed), table, footer]);
    const counts = blocks.map((block) => block.chunkLengths.length);
    const ids = Buffer.concat(blocks.map((block) => block.ids));
    // While the pack is on its way to the vaults, its bytes are in memory once.
    this.#blocks.length = 0;
    blocks.length = 0;
    const pack = { id, size: bytes.length, commitment: this.#keys.commitment.toString('hex') };
    return { bytes, index: { pack, blocks: counts, ids } };
  }
}
