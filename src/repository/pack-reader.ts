import { LifeboatError } from '../core/errors.ts';
import type { Opener } from '../keys/sealing.ts';
import { unseal } from './aead.ts';
import { decompress } from './compression.ts';
import {
  blockContext,
  decodeBlockTable,
  decodePackFooter,
  decodePackHeader,
  maxBlockOf,
  PACK_FOOTER_BYTES,
  PACK_HEADER_BYTES,
  PACK_SEAL_INFO,
  packKeys,
} from './pack-format.ts';
import type { BlockEntry, PackKeys, PackVersion } from './pack-format.ts';
import type { PackRef } from './pack-table.ts';

/** Gives a range of a pack's bytes. */
export type PackBytes = (offset: number, length: number) => Promise<Uint8Array> | Uint8Array;

/** The opened contents of one block. */
export class Block {
  readonly #bytes: Uint8Array;
  /** Where each chunk begins; one more for the end. */
  readonly #starts: Uint32Array;

  constructor(bytes: Uint8Array, chunkLengths: readonly number[]) {
    this.#bytes = bytes;
    this.#starts = new Uint32Array(chunkLengths.length + 1);
    for (const [i, length] of chunkLengths.entries()) this.#starts[i + 1] = (this.#starts[i] as number) + length;
  }

  get chunks(): number {
    return this.#starts.length - 1;
  }

  get bytes(): number {
    return this.#bytes.length;
  }

  /** A view of one chunk. Throws `LB_REPO_DAMAGED` when there is no such chunk. */
  chunk(index: number): Uint8Array {
    if (index >= this.chunks) throw new LifeboatError('LB_REPO_DAMAGED', 'A chunk is not where it should be');
    return this.#bytes.subarray(this.#starts[index], this.#starts[index + 1]);
  }
}

/** What opening packs takes. */
export interface PackOpening {
  readonly opener: Opener;
  readonly repositoryId: Uint8Array;
}

/** A pack whose block table is open. Where its bytes come from is not its business. */
export class PackReader {
  readonly version: PackVersion;
  readonly #keys: PackKeys;
  readonly #repositoryId: Uint8Array;
  readonly #blocks: readonly BlockEntry[];
  readonly #offsets: readonly number[];

  private constructor(
    version: PackVersion,
    keys: PackKeys,
    repositoryId: Uint8Array,
    blocks: readonly BlockEntry[],
    offsets: readonly number[],
  ) {
    this.version = version;
    this.#keys = keys;
    this.#repositoryId = repositoryId;
    this.#blocks = blocks;
    this.#offsets = offsets;
  }

  /**
   * Opens the header and the block table of a pack. The commitment in `ref`, which a signed point vouches for, is
   * checked before anything is decrypted with the pack's content key: so parts of a pack can be trusted unread the rest.
   * Throws `LB_REPO_DAMAGED`, `LB_REPO_NEWER_FORMAT`, or what `read` throws.
   */
  static async open(ref: PackRef, read: PackBytes, { opener, repositoryId }: PackOpening): Promise<PackReader> {
    const smallest = PACK_HEADER_BYTES + PACK_FOOTER_BYTES;
    if (ref.size < smallest) throw new LifeboatError('LB_REPO_DAMAGED', 'The pack is too short to be one');
    const [head, foot] = await Promise.all([
      read(0, PACK_HEADER_BYTES),
      read(ref.size - PACK_FOOTER_BYTES, PACK_FOOTER_BYTES),
    ]);
    const { version, sealedContentKey, commitment } = decodePackHeader(head);
    const contentKey = await opener.open(sealedContentKey, PACK_SEAL_INFO, repositoryId);
    const keys = packKeys(contentKey, repositoryId, version);
    if (!keys.commitment.equals(commitment) || keys.commitment.toString('hex') !== ref.commitment) {
      throw new LifeboatError('LB_REPO_DAMAGED', 'The pack is sealed with another key than its point names');
    }
    const tableBytes = decodePackFooter(foot);
    if (tableBytes > ref.size - smallest)
      throw new LifeboatError('LB_REPO_DAMAGED', 'The block table is longer than the pack');
    const tableAt = ref.size - PACK_FOOTER_BYTES - tableBytes;
    const { nonce, aad } = blockContext('table', repositoryId, keys.commitment, version);
    const blocks = await decodeBlockTable(unseal(keys.key, nonce, aad, await read(tableAt, tableBytes)), version);
    const offsets: number[] = [];
    let at = PACK_HEADER_BYTES;
    for (const block of blocks) {
      offsets.push(at);
      at += block.sealedBytes;
    }
    if (at !== tableAt) throw new LifeboatError('LB_REPO_DAMAGED', 'The blocks do not fill the pack');
    return new PackReader(version, keys, repositoryId, blocks, offsets);
  }

  get blocks(): readonly BlockEntry[] {
    return this.#blocks;
  }

  get commitment(): Uint8Array {
    return this.#keys.commitment;
  }

  /** What the blocks are sealed with. */
  get key(): Uint8Array {
    return this.#keys.key.export();
  }

  /** Where a block is. Throws `LB_REPO_DAMAGED` when there is no such block. */
  placeOf(number: number): { readonly entry: BlockEntry; readonly offset: number } {
    const entry = this.#blocks[number];
    const offset = this.#offsets[number];
    if (entry === undefined || offset === undefined)
      throw new LifeboatError('LB_REPO_DAMAGED', 'A block is not in the pack');
    return { entry, offset };
  }

  /** Opens one block. Throws `LB_REPO_DAMAGED`, or what `read` throws. */
  async block(number: number, read: PackBytes): Promise<Block> {
    const { entry, offset } = this.placeOf(number);
    const { nonce, aad } = blockContext(number, this.#repositoryId, this.#keys.commitment, this.version);
    const opened = unseal(this.#keys.key, nonce, aad, await read(offset, entry.sealedBytes));
    const bytes = entry.compressed ? await decompress(opened, maxBlockOf(this.version)) : opened;
    const block = new Block(bytes, entry.chunkLengths);
    const total = entry.chunkLengths.reduce((sum, length) => sum + length, 0);
    if (total !== bytes.length) throw new LifeboatError('LB_REPO_DAMAGED', 'A block is not as long as its chunks');
    return block;
  }
}
