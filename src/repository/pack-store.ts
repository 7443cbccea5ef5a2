import { LifeboatError } from '../core/errors.ts';
import type { OnWarning } from '../core/progress.ts';
import type { Vault } from '../vault/vault.ts';
import { FirstIntact } from './first-intact.ts';
import { packKey } from './layout.ts';
import { Lru } from './lru.ts';
import { PackReader } from './pack-reader.ts';
import type { Block, PackBytes, PackOpening } from './pack-reader.ts';
import type { PackRef } from './pack-table.ts';
import { readNamed, readObject, whereIs } from './vault-io.ts';

/** Bytes of whole packs, and of opened blocks, that are kept. */
const PACK_CACHE_BYTES = 64 * 1024 * 1024;
const BLOCK_CACHE_BYTES = 8 * 1024 * 1024;
/** A pack this small is read whole at once. */
const WHOLE_BELOW = 1024 * 1024;
/** When more than this part of a pack was asked for, the rest is likely wanted too. */
const WHOLE_ABOVE = 1 / 4;
/** What one block takes, roughly, as long as the pack's block table is not known. */
const BLOCK_GUESS = 64 * 1024;

/** How one reading wants to be told and stopped. */
export interface ReadContext {
  readonly signal?: AbortSignal | undefined;
  readonly onWarning?: OnWarning | undefined;
}

interface Source {
  readonly reader: PackReader;
  readonly read: PackBytes;
  readonly vault: Vault;
}

/**
 * Opened blocks of packs, from whichever vault has them intact. Parts of large packs are read alone until so much of
 * one was asked for that reading it whole is better.
 */
export class PackStore {
  readonly #intact: FirstIntact;
  readonly #opening: PackOpening;
  readonly #signal: AbortSignal | undefined;
  readonly #whole = new Lru<Promise<Source>>(PACK_CACHE_BYTES);
  readonly #blocks = new Lru<Promise<Block>>(BLOCK_CACHE_BYTES);
  /** Per pack that is read in parts: its sources so far, and how much was asked for. */
  readonly #partial = new Map<string, { asked: number; readonly sources: Map<Vault, Promise<Source>> }>();

  /** `signal` ends all reading: blocks are shared by many readers, so none of them can stop it for the others. */
  constructor(vaults: readonly Vault[], opening: PackOpening, signal?: AbortSignal) {
    this.#intact = new FirstIntact(vaults, signal);
    this.#opening = opening;
    this.#signal = signal;
  }

  /** Begins to read a pack that will be wanted soon, if all of it will be. */
  prefetch(ref: PackRef, blocks: number, onWarning?: OnWarning): void {
    if (this.#wantsWhole(ref, blocks)) this.#wholePack(ref, onWarning).catch(() => {});
  }

  /**
   * One block of a pack. Throws `LB_REPO_DAMAGED` naming the pack and every vault when none has it intact,
   * `LB_REPO_NEWER_FORMAT` when it cannot be understood.
   */
  block(ref: PackRef, number: number, onWarning?: OnWarning): Promise<Block> {
    const name = `${ref.id}/${number}`;
    const cached = this.#blocks.get(name);
    if (cached !== undefined) return cached;
    const block = this.#openBlock(ref, number, onWarning);
    this.#blocks.set(name, block, 256 * 1024);
    block.catch(() => this.#blocks.delete(name));
    return block;
  }

  async #openBlock(ref: PackRef, number: number, onWarning: OnWarning | undefined): Promise<Block> {
    if (this.#wantsWhole(ref, 1)) {
      const { reader, read } = await this.#wholePack(ref, onWarning);
      return reader.block(number, read);
    }
    return this.#intact.find(ref, { onWarning }, async (vault) => {
      const { reader, read } = await this.#partOf(ref, vault);
      return reader.block(number, read);
    });
  }

  #wantsWhole(ref: PackRef, blocks: number): boolean {
    if (ref.size <= WHOLE_BELOW || this.#whole.get(ref.id) !== undefined) return true;
    const partial = this.#partial.get(ref.id) ?? { asked: 0, sources: new Map() };
    this.#partial.set(ref.id, partial);
    partial.asked += blocks * BLOCK_GUESS;
    return partial.asked > ref.size * WHOLE_ABOVE;
  }

  #wholePack(ref: PackRef, onWarning: OnWarning | undefined): Promise<Source> {
    const cached = this.#whole.get(ref.id);
    if (cached !== undefined) return cached;
    this.#partial.delete(ref.id);
    const source = this.#intact.find(ref, { onWarning }, async (vault) => {
      const bytes = await readNamed(vault, packKey(ref.id), ref.id, this.#signal);
      const read: PackBytes = (offset, length) => bytes.subarray(offset, offset + length);
      return { vault, read, reader: await PackReader.open(ref, read, this.#opening) };
    });
    this.#whole.set(ref.id, source, ref.size);
    source.catch(() => this.#whole.delete(ref.id));
    return source;
  }

  #partOf(ref: PackRef, vault: Vault): Promise<Source> {
    const sources = this.#partial.get(ref.id)?.sources;
    const known = sources?.get(vault);
    if (known !== undefined) return known;
    const key = packKey(ref.id);
    const read: PackBytes = async (offset, length) => {
      const bytes = await readObject(vault, key, { offset, length, signal: this.#signal });
      if (bytes.length === length) return bytes;
      throw new LifeboatError('LB_REPO_DAMAGED', 'The pack is shorter than it should be', {
        where: whereIs(vault, key),
      });
    };
    const source = PackReader.open(ref, read, this.#opening).then((reader) => ({ reader, read, vault }));
    sources?.set(vault, source);
    source.catch(() => sources?.delete(vault));
    return source;
  }
}
