import type { Clock } from '../../core/clock.ts';
import { isLifeboatError, LifeboatError, messageOf } from '../../core/errors.ts';
import type { OnProgress, OnWarning } from '../../core/progress.ts';
import type { Vault } from '../../vault/vault.ts';
import type { CommittedPoint, CopiesOptions } from '../api.ts';
import { copyNamed, putNamed } from '../copy-object.ts';
import type { NamedObject } from '../copy-object.ts';
import type { DroppedVault } from '../lanes.ts';
import { Gate } from '../parallel.ts';
import { whereIs } from '../vault-io.ts';
import { HeldPack, HeldPacks } from './held-packs.ts';
import { Lane } from './lane.ts';
import type { LaneItem, LaneOwner } from './lane.ts';

/** Pauses before a vault is tried again that failed for a passing reason: the first and the longest, ms. */
const FIRST_PAUSE = 5_000;
const LONGEST_PAUSE = 60_000;
/** Failures in a row after which it is not tried any more. */
const MOST_FAILURES = 100;
/** The least time a vault is given to catch up at the end, and the part of the time the backup has taken so far. */
const LEAST_PATIENCE = 5_000;
const PATIENCE_PART = 0.1;

/** Bytes of finished packs that may wait in memory for slow vaults. */
const DEFAULT_MEMORY = 128 * 1024 * 1024;

/** What storing into several vaults takes. */
export interface StoringOptions extends CopiesOptions {
  readonly copies: number;
  readonly clock: Clock;
  /** When the backup began, by the clock. */
  readonly startedAt: number;
  readonly signal: AbortSignal;
  readonly onProgress?: OnProgress | undefined;
  readonly onWarning?: OnWarning | undefined;
}

/** Where a point is. */
type StoredPoint = Pick<CommittedPoint, 'vaults' | 'behind' | 'failed'>;

/**
 * Puts what a backup makes into every vault, each at its own pace. The backup goes on as soon as `copies` vaults have a
 * pack; the others may lag, and when what waits for them takes too much memory, the oldest of it is left to be copied
 * later from a vault that has it. A vault that fails is tried again later, if that may help. At the end those that are
 * not done in time are let go: `replicate` brings them level.
 */
export class Storing implements LaneOwner {
  readonly signal: AbortSignal;
  readonly #options: StoringOptions;
  readonly #lanes: readonly Lane[];
  readonly #gate = new Gate();
  readonly #held = new HeldPacks();
  readonly #failures = new Map<Lane, unknown>();
  #lastFailure: unknown;
  #committing = false;
  /** Bytes that vaults lacked when everything was made. */
  #toLevel = 0;

  constructor(vaults: readonly Vault[], options: StoringOptions) {
    this.signal = options.signal;
    this.#options = options;
    this.#lanes = vaults.map((vault) => new Lane(vault, this));
    options.signal.addEventListener('abort', () => this.#gate.wake(), { once: true });
  }

  /**
   * Resolves when enough vaults have the pack. Throws when none can be stored into any more: the last failure. `onUsed` is told
   * when nobody reads the bytes any more, if that is ever known: their memory may then be used again.
   */
  async storePack(object: Omit<NamedObject, 'size'>, bytes: Uint8Array, onUsed?: () => void): Promise<void> {
    await this.#makeRoom(bytes.length);
    const pack = new HeldPack(object, bytes, onUsed);
    this.#held.add(pack);
    for (const lane of this.#open()) lane.addPack(pack);
    await this.#until(() => pack.holders.size >= this.#enough());
  }

  /** The same for something small, which each vault gets after the objects `after`. */
  async storeAfter(key: string, bytes: Uint8Array, after: readonly string[]): Promise<void> {
    let stored = 0;
    const store = async (vault: Vault, signal: AbortSignal): Promise<boolean> => {
      await putNamed(vault, key, bytes, signal);
      stored++;
      return true;
    };
    for (const lane of this.#open()) lane.add({ key, size: bytes.length, after, store });
    await this.#until(() => stored >= this.#enough());
  }

  /** Has one vault get something when it has time for it, if it still takes part. */
  owe(vault: Vault, item: LaneItem): void {
    this.#open()
      .find((lane) => lane.vault === vault)
      ?.add(item);
  }

  /**
   * Puts the point into every vault that holds all it needs. Resolves when enough have it and the others have it too, have
   * failed, or are not waited for any longer. Throws when none has it.
   */
  async commit(key: string, bytes: Uint8Array, store: LaneItem['store']): Promise<StoredPoint> {
    this.#committing = true;
    this.#toLevel = this.#lackingBytes();
    for (const lane of this.#open()) {
      lane.commit({ key, size: bytes.length, store });
      lane.comeBack();
    }
    await this.#until(() => this.#committed().length >= this.#options.copies || this.#able().length === 0);
    await this.#waitForTheOthers();
    for (const lane of this.#open()) lane.leave();
    if (this.#committed().length === 0) throw this.#failure();
    return this.#outcome();
  }

  /** Resolves when nothing is going on any more, after the signal has fired or the point was committed. */
  async settled(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.ended));
  }

  changed(): void {
    if (this.#toLevel > 0) {
      const done = this.#toLevel - this.#lackingBytes();
      this.#options.onProgress?.({ phase: 'level', done, total: this.#toLevel, unit: 'bytes' });
    }
    this.#gate.wake();
  }

  failed(lane: Lane, error: unknown): void {
    if (lane.state !== 'going') return;
    this.#lastFailure = error;
    this.#failures.set(lane, error);
    const others = this.#lanes.some((other) => other !== lane && (other.state === 'going' || other.state === 'committed'));
    const mayPass = isLifeboatError(error) && error.retriable && lane.failures < MOST_FAILURES;
    if (mayPass && others && !this.#committing) {
      if (lane.failures === 0) this.#warn('vault-away', lane, `does not answer and is tried again later: ${messageOf(error)}`, error);
      lane.goAway();
      void this.#tryAgain(lane);
      return;
    }
    this.#warn('vault-dropped', lane, `is left out of this backup: ${messageOf(error)}`, error);
    lane.drop();
  }

  async #tryAgain(lane: Lane): Promise<void> {
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (lane.failures - 1));
    await this.#options.clock.sleep(pause, this.signal).catch(() => {});
    lane.comeBack();
  }

  /** Lanes that may still get everything. */
  #open(): readonly Lane[] {
    return this.#lanes.filter(({ state }) => state === 'going' || state === 'away');
  }

  /** Those of them that will, as far as is known. */
  #able(): readonly Lane[] {
    return this.#open().filter(({ spoilt }) => !spoilt);
  }

  #committed(): readonly Lane[] {
    return this.#lanes.filter(({ state }) => state === 'committed');
  }

  /** Vaults that must have something before the backup goes on: those that are away are not waited for. */
  #enough(): number {
    const going = this.#able().filter(({ state }) => state === 'going').length;
    return Math.max(1, Math.min(this.#options.copies, going));
  }

  async #until(reached: () => boolean): Promise<void> {
    for (;;) {
      this.signal.throwIfAborted();
      if (reached()) return;
      if (this.#able().length === 0) throw this.#failure();
      await this.#gate.changed();
    }
  }

  /** Waits until a pack of this size may be held as well. */
  async #makeRoom(size: number): Promise<void> {
    const { memory = DEFAULT_MEMORY } = this.#options;
    await this.#until(() => {
      const waiting = this.#held.waiting();
      let bytes = waiting.reduce((sum, pack) => sum + pack.size, 0);
      for (const pack of waiting) {
        if (bytes === 0 || bytes + size <= memory) return true;
        if (pack.holders.size < this.#enough()) continue;
        for (const lane of this.#open()) lane.postpone(pack, this.#copyOf(pack));
        bytes -= pack.size;
      }
      return bytes === 0 || bytes + size <= memory;
    });
  }

  #copyOf(pack: HeldPack): LaneItem {
    return this.copyOf(pack, () => [...pack.holders]);
  }

  /** An object as a vault gets it from one of `sources`; `optional`: a point may be committed without it. */
  copyOf(object: NamedObject, sources: () => readonly Vault[], optional = false): LaneItem {
    const { key, size = 0 } = object;
    const onProblem = (source: Vault, error: unknown): void =>
      this.#options.onWarning?.({ kind: 'object-unreadable', message: messageOf(error), where: whereIs(source, key) });
    return {
      key,
      size,
      optional,
      store: async (vault, signal) => (await copyNamed(object, sources(), vault, { signal, onProblem })) !== undefined,
    };
  }

  async #waitForTheOthers(): Promise<void> {
    const { clock, startedAt } = this.#options;
    const patience = this.#options.patience ?? Math.max(LEAST_PATIENCE, (clock.now() - startedAt) * PATIENCE_PART);
    const enough = new AbortController();
    const timer = clock.sleep(patience, AbortSignal.any([this.signal, enough.signal])).then(
      () => {
        for (const lane of this.#open()) lane.leave();
      },
      () => {},
    );
    try {
      while (this.#open().length > 0) {
        this.signal.throwIfAborted();
        await this.#gate.changed();
      }
    } finally {
      enough.abort();
      await timer;
    }
  }

  #lackingBytes(): number {
    return this.#open().reduce((sum, lane) => sum + lane.lacking.bytes, 0);
  }

  #outcome(): StoredPoint {
    const failed: DroppedVault[] = [];
    const behind: CommittedPoint['behind'][number][] = [];
    for (const lane of this.#lanes) {
      const vault = lane.vault.name;
      const error = this.#failures.get(lane);
      if (lane.state === 'dropped') failed.push({ vault, code: isLifeboatError(error) ? error.code : 'LB_INTERNAL', message: messageOf(error) });
      if (lane.state !== 'behind') continue;
      behind.push({ vault, ...lane.lacking });
      this.#warn('vault-behind', lane, `is behind: it lacks ${lane.lacking.packs} packs of this point; \`lifeboat replicate\` brings it level`);
    }
    return { vaults: this.#committed().map(({ vault }) => vault.name), behind, failed };
  }

  /** Why no vault has the point. */
  #failure(): Error {
    if (this.#lastFailure instanceof Error) return this.#lastFailure;
    return new LifeboatError('LB_REPO_DAMAGED', 'No vault could be given everything that the point needs', {
      hint: 'Run `lifeboat verify` to see what is missing, then start the backup again.',
    });
  }

  #warn(kind: string, lane: Lane, what: string, error?: unknown): void {
    const { name } = lane.vault;
    const where = isLifeboatError(error) && error.where !== undefined ? error.where : `vault "${name}"`;
    this.#options.onWarning?.({ kind, message: `Vault "${name}" ${what}`, where });
  }
}

