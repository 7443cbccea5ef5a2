import { setImmediate } from 'node:timers/promises';
import { LifeboatError } from '../core/errors.ts';
import type { ResumableOptions, SessionOptions, WriteStats } from './api.ts';
import { createChunkNamer } from './chunk-id.ts';
import type { ChunkNamer } from './chunk-id.ts';
import { encodeIndexObject, isIndexDue } from './index-object.ts';
import type { PackIndex } from './index-object.ts';
import { compactTime, indexKey, packKey } from './layout.ts';
import { sha256Hex } from './bytes.ts';
import { PackBuilder } from './pack-builder.ts';
import type { OpenBlock } from './pack-builder.ts';
import { MAX_BLOCK } from './pack-format.ts';
import { Gate } from './parallel.ts';
import type { BulkSink } from './bulk/bulk-writer.ts';
import type { ChunkPlace, ChunkSink } from './record-writer.ts';
import type { SessionParts } from './session-parts.ts';

/** Full packs on their way at once: until as many vaults have one as are needed for a safe point. */
const PACKS_IN_FLIGHT = 2;
/** Blocks made in one turn of the event loop: a source that never waits must not keep uploads, timers and Ctrl-C waiting. */
const BLOCKS_A_TURN = 4;

/** What a session stored. */
export interface Stored {
  readonly packTable: Uint8Array;
  readonly indexes: readonly string[];
  /** Without the point itself. */
  readonly stats: WriteStats;
}

/**
 * Puts new chunks into blocks, blocks into packs, and has packs stored. Streams share it: each fills a block of
 * its own, and leaves it to the next when it ends, so that many short streams fill few blocks.
 */
export class ChunkStore implements BulkSink {
  readonly #parts: SessionParts;
  readonly #options: SessionOptions & ResumableOptions;
  readonly #namer: ChunkNamer;
  readonly #repositoryId: Buffer;
  readonly #gate = new Gate();
  readonly #free: OpenBlock[] = [];
  readonly #blockOf = new Map<object, OpenBlock>();
  readonly #buffers: Buffer[] = [];
  readonly #work = new Set<Promise<void>>();
  readonly #indexes: string[];
  #unindexed: PackIndex[] = [];
  /** When an index object was written last, or the session began. */
  #indexedAt: number;
  #pack: PackBuilder | undefined;
  #streams = 0;
  #packsInFlight = 0;
  #blocksThisTurn = 0;
  #failure: { readonly error: unknown } | undefined;
  readonly #onFailure: () => void;
  #stats = { recordsTotal: 0, plaintextBytes: 0, newChunks: 0, newPlaintextBytes: 0, packs: 0, storedBytes: 0 };

  /** `onFailure` is told when something in the background has failed, and with it the session. */
  constructor(parts: SessionParts, options: SessionOptions & ResumableOptions, onFailure: () => void) {
    this.#parts = parts;
    this.#options = options;
    this.#onFailure = onFailure;
    this.#namer = createChunkNamer(parts.key.dedupKey);
    this.#repositoryId = Buffer.from(parts.key.repositoryId, 'hex');
    this.#indexes = [...parts.start.known.indexes];
    this.#indexedAt = parts.clock.now();
    parts.signal.addEventListener('abort', () => this.#gate.wake(), { once: true });
  }

  open(): ChunkSink {
    this.check();
    this.#streams++;
    return this;
  }

  name(parts: readonly Uint8Array[]): Uint8Array {
    return this.#namer.name(...parts);
  }

  store(id: Uint8Array, parts: readonly Uint8Array[], stream: object): ChunkPlace {
    const { registry } = this.#parts.start;
    const known = this.#parts.start.known.table;
    const entry = known.find(id);
    if (entry >= 0) {
      return { pack: registry.placeOf(known.packOf(entry)), block: known.blockOf(entry), index: known.indexOf(entry) };
    }
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const block = this.#blockFor(stream, length);
    const index = block.append(id, parts);
    known.add(id, 0, block.pack.number, block.number, index);
    this.#stats.newChunks++;
    this.#stats.newPlaintextBytes += length;
    return { pack: registry.placeOf(block.pack.number), block: block.number, index };
  }

  ready(): Promise<void> | void {
    if (this.#mustWait() || this.#blocksThisTurn >= BLOCKS_A_TURN) return this.#waitUntilReady();
  }

  /** A new chunk of so many bytes went into a pack that is made elsewhere. */
  added(bytes: number): void {
    this.#stats.newChunks++;
    this.#stats.newPlaintextBytes += bytes;
  }

  ended(stream: object, records: number, bytes: number): void {
    const block = this.#blockOf.get(stream);
    if (block !== undefined) {
      this.#blockOf.delete(stream);
      this.#free.push(block);
    }
    this.#streams--;
    this.#stats.recordsTotal += records;
    this.#stats.plaintextBytes += bytes;
  }

  uncount(records: number, bytes: number): void {
    this.#stats.recordsTotal -= records;
    this.#stats.plaintextBytes -= bytes;
  }

  /** Makes everything durable in as many vaults as are needed for a safe point; the others may lag. */
  async finish(): Promise<Stored> {
    this.check();
    if (this.#streams > 0) throw new LifeboatError('LB_INTERNAL', 'A backup was committed while a stream was open');
    this.#closePack();
    await this.settled();
    this.check();
    await this.#writeIndex(this.#parts.start.known.merge);
    return { packTable: this.#parts.start.registry.table(), indexes: this.#indexes, stats: { ...this.#stats } };
  }

  /** Makes what was stored so far durable, and known to later sessions; streams may be open, but nobody writes any more. */
  async suspend(): Promise<WriteStats> {
    this.check();
    this.#closePack();
    await this.settled();
    this.check();
    await this.#writeIndex();
    return { ...this.#stats };
  }

  /** Resolves when nothing is going on in the background any more. Never rejects. */
  async settled(): Promise<void> {
    while (this.#work.size > 0) await Promise.allSettled(this.#work);
  }

  #blockFor(stream: object, length: number): OpenBlock {
    let block = this.#blockOf.get(stream);
    if (block !== undefined && !block.fits(length)) {
      this.#finishBlock(block);
      block = undefined;
    }
    if (block === undefined) {
      const at = this.#free.findLastIndex((free) => free.fits(length));
      block = at >= 0 ? this.#free.splice(at, 1)[0] : undefined;
      block ??= this.#packForNewBlock().begin(this.#buffers.pop() ?? Buffer.allocUnsafeSlow(MAX_BLOCK));
      this.#blockOf.set(stream, block);
    }
    return block;
  }

  #packForNewBlock(): PackBuilder {
    if (this.#pack?.full === true && this.#packsInFlight < PACKS_IN_FLIGHT) this.#closePack();
    this.#pack ??= new PackBuilder(this.#parts.start.registry.add(), this.#repositoryId, this.#parts.sealer, this.#options.packBytes);
    return this.#pack;
  }

  #finishBlock(block: OpenBlock): void {
    for (const [stream, open] of this.#blockOf) if (open === block) this.#blockOf.delete(stream);
    block.pack.finishBlock(block);
    this.#blocksThisTurn++;
    this.#buffers.push(block.buffer);
  }

  /** No new blocks for the current pack: those that are open are finished as they are, and the pack is stored. */
  #closePack(): void {
    const pack = this.#pack;
    if (pack === undefined) return;
    this.#pack = undefined;
    for (const block of [...this.#blockOf.values(), ...this.#free]) this.#finishBlock(block);
    this.#free.length = 0;
    this.#packsInFlight++;
    this.background(async () => {
      try {
        await this.#storePack(pack);
      } finally {
        this.#packsInFlight--;
        this.#gate.wake();
      }
    });
  }

  async #storePack(pack: PackBuilder): Promise<void> {
    const { bytes, index } = await pack.finish();
    await this.storePack(pack.number, bytes, index);
  }

  /** Stores a whole pack: makes it durable in as many vaults as are needed, then known to the point and the index. */
  async storePack(number: number, bytes: Uint8Array, index: PackIndex, onUsed?: () => void): Promise<void> {
    const { id } = index.pack;
    await this.#parts.storing.storePack({ key: packKey(id), sha256: id }, bytes, onUsed);
    this.#parts.start.registry.resolve(number, index.pack);
    this.#stats.packs++;
    this.#stats.storedBytes += bytes.length;
    this.#unindexed.push(index);
    this.#options.onProgress?.({
      phase: 'store',
      done: this.#stats.packs,
      unit: 'packs',
      bytes: this.#stats.storedBytes,
    });
    const waiting = this.#unindexed.reduce((sum, { ids }) => sum + ids.length, 0);
    const { knownAfter = Infinity } = this.#options;
    const overdue = this.#parts.clock.now() - this.#indexedAt >= knownAfter;
    if (overdue || isIndexDue(this.#unindexed.length, waiting, this.#stats.packs)) await this.#writeIndex();
  }

  /** Writes an index object of the packs that are in none yet, and of `merge`. */
  async #writeIndex(merge: Iterable<PackIndex> = []): Promise<void> {
    const packs = [...this.#unindexed, ...merge];
    if (packs.length === 0) return;
    this.#unindexed = [];
    this.#indexedAt = this.#parts.clock.now();
    const bytes = await encodeIndexObject(packs, this.#parts.key.indexKey, this.#repositoryId);
    const id = `${compactTime(this.#parts.clock.now())}-${sha256Hex(bytes)}`;
    const named = packs.map(({ pack }) => packKey(pack.id));
    await this.#parts.storing.storeAfter(indexKey(id), bytes, named);
    this.#indexes.push(id);
    this.#stats.storedBytes += bytes.length;
  }

  #mustWait(): boolean {
    if (this.#failure !== undefined || this.#parts.signal.aborted) return true;
    return this.#pack?.full === true && this.#packsInFlight >= PACKS_IN_FLIGHT;
  }

  async #waitUntilReady(): Promise<void> {
    this.check();
    if (this.#blocksThisTurn >= BLOCKS_A_TURN) {
      this.#blocksThisTurn = 0;
      await setImmediate();
    }
    while (this.#mustWait()) {
      await this.#gate.changed();
      this.check();
    }
  }

  /** Throws when the session has failed or was stopped. */
  check(): void {
    this.#parts.signal.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Runs work that nobody waits for; its failure is the session's. `settled` waits for it. */
  background(work: () => Promise<void>): void {
    const running = work()
      .catch((error: unknown) => {
        this.#failure ??= { error };
        this.#gate.wake();
        this.#onFailure();
      })
      .finally(() => this.#work.delete(running));
    this.#work.add(running);
  }
}
