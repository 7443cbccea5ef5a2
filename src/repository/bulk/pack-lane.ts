import { randomBytes } from 'node:crypto';
import type { Sealer } from '../../keys/sealing.ts';
import { CHUNK_ID_BYTES } from '../chunk-id.ts';
import type { PackIndex } from '../index-object.ts';
import { PACK_SEAL_INFO, PACK_TARGET } from '../pack-format.ts';
import type { PackRegistry } from '../pack-registry.ts';
import { Gate } from '../parallel.ts';
import { LARGE_PACK_BLOCKS, LARGE_PACK_BUFFER, LARGE_PACK_CAPACITY } from './pack-filler.ts';
import type { FilledPack } from './pack-filler.ts';
import type { Thread } from './thread.ts';
import type { Shared } from './thread-work.ts';

/** What is done with packs, and what they are made with. */
export interface PackMaking {
  readonly repositoryId: Uint8Array;
  readonly sealer: Sealer;
  readonly registry: PackRegistry;
  /** Takes a whole pack; resolves when it is stored. `onUsed` is told when nobody uses its bytes any more, if that is known. */
  store(number: number, bytes: Uint8Array, index: PackIndex, onUsed: () => void): Promise<void>;
  /** Runs work that nobody waits for; its failure is the session's. */
  background(work: () => Promise<void>): void;
  /** Throws when the session has failed or was stopped. */
  check(): void;
}

/** Counts the packs that are whole and not stored yet, of all lanes: a bound on memory. And keeps memory that was used. */
export class Shelf {
  readonly #limit: number;
  readonly #gate = new Gate();
  readonly #free: ArrayBuffer[] = [];
  #packs = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get full(): boolean {
    return this.#packs >= this.#limit;
  }

  /** Memory for a new pack: where one was before, if possible, because taking new memory costs as much as filling it. */
  memory(): ArrayBuffer {
    return this.#free.pop() ?? new ArrayBuffer(LARGE_PACK_BUFFER);
  }

  used(memory: ArrayBuffer): void {
    if (this.#free.length < this.#limit) this.#free.push(memory);
  }

  changed(): Promise<void> {
    return this.#gate.changed();
  }

  /** Runs `work`, which makes a pack whole and stores it. */
  async hold(work: () => Promise<void>): Promise<void> {
    this.#packs++;
    try {
      await work();
    } finally {
      this.#packs--;
      this.#gate.wake();
    }
  }

  wake(): void {
    this.#gate.wake();
  }
}

interface OpenPack {
  readonly number: number;
  readonly ids: Buffer;
  blocks: number;
  /** Bytes that the thread has put into the pack, and plaintext it has not come to yet. */
  sealed: number;
  ahead: number;
}

/** A thread and the pack it fills. A chunk's place in the pack is fixed when the thread is asked to put it there. */
export class PackLane {
  readonly thread: Thread;
  readonly #making: PackMaking;
  readonly #shelf: Shelf;
  #pack: OpenPack | undefined;
  #opening: Promise<void> | undefined;
  /** How much smaller chunks became so far. */
  #plain = 1;
  #sealed = 1;

  constructor(thread: Thread, making: PackMaking, shelf: Shelf) {
    this.thread = thread;
    this.#making = making;
    this.#shelf = shelf;
  }

  /**
   * Whether the open pack has room for so many chunks of so many bytes in all. It may not have it any more after anything was
   * waited for: whoever has asked calls `place` and `fill` at once.
   */
  hasRoom(chunks: number, bytes: number): boolean {
    const pack = this.#pack;
    if (pack === undefined || pack.blocks + chunks > LARGE_PACK_BLOCKS) return false;
    return pack.sealed + pack.ahead + bytes <= LARGE_PACK_CAPACITY;
  }

  /** Has the open pack made whole, and opens another as soon as there may be one. */
  async makeRoom(): Promise<void> {
    this.#making.check();
    if (this.#pack !== undefined) this.close();
    else if (this.#shelf.full) await this.#shelf.changed();
    else await (this.#opening ??= this.#open().finally(() => (this.#opening = undefined)));
  }

  /** The place of the next chunk, which must be among those that are filled next, in the same order. */
  place(id: Uint8Array): { readonly pack: number; readonly block: number } {
    const pack = this.#pack;
    if (pack === undefined) throw new Error('no pack is open');
    pack.ids.set(id, pack.blocks * CHUNK_ID_BYTES);
    return { pack: pack.number, block: pack.blocks++ };
  }

  /** Puts chunks where `place` said, given as beginnings and ends in turn. Resolves when the memory is free again. */
  async fill(bytes: Shared, chunks: readonly number[], total: number): Promise<void> {
    const pack = this.#pack;
    if (pack === undefined) throw new Error('no pack is open');
    pack.ahead += total;
    const filled = this.thread.run('fill', { pack: pack.number, bytes, chunks: Uint32Array.from(chunks) });
    if (pack.sealed + (pack.ahead * this.#sealed) / this.#plain >= PACK_TARGET) this.close();
    const sealed = await filled;
    pack.ahead -= total;
    pack.sealed += sealed;
    this.#plain += total;
    this.#sealed += sealed;
  }

  /** Has the open pack made whole and stored, if there is one. */
  close(): void {
    const pack = this.#pack;
    if (pack === undefined) return;
    this.#pack = undefined;
    // Opened for chunks that others stored first.
    if (pack.blocks === 0) return;
    this.#making.background(() =>
      this.#shelf.hold(async () => {
        const filled = await this.thread.run('close', { pack: pack.number });
        const { buffer } = filled.bytes;
        await this.#making.store(pack.number, filled.bytes, indexOf(pack, filled), () => this.#shelf.used(buffer));
      }),
    );
  }

  async #open(): Promise<void> {
    const { sealer, registry, repositoryId } = this.#making;
    const contentKey = randomBytes(32);
    // The thread wipes its copy.
    const copy = Uint8Array.from(contentKey);
    const sealedContentKey = await sealer.seal(contentKey, PACK_SEAL_INFO, repositoryId).finally(() => contentKey.fill(0));
    const ids = Buffer.allocUnsafe(LARGE_PACK_BLOCKS * CHUNK_ID_BYTES);
    const number = registry.add();
    this.#pack = { number, ids, blocks: 0, sealed: 0, ahead: 0 };
    this.#making.background(async () => {
      const memory = this.#shelf.memory();
      await this.thread.run('begin', { pack: number, contentKey: copy, sealedContentKey, memory });
    });
  }
}

function indexOf(pack: OpenPack, { id, bytes, commitment }: FilledPack): PackIndex {
  const ids = Buffer.from(pack.ids.subarray(0, pack.blocks * CHUNK_ID_BYTES));
  return { pack: { id, size: bytes.length, commitment }, blocks: Array.from({ length: pack.blocks }, () => 1), ids };
}
