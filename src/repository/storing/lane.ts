import { LifeboatError } from '../../core/errors.ts';
import { raceAbort } from '../../vault/streams.ts';
import type { Vault } from '../../vault/vault.ts';
import { confirmStored } from '../confirm.ts';
import { Gate } from '../parallel.ts';
import type { HeldPack } from './held-packs.ts';

/** Objects one vault stores at once. */
const AT_ONCE = 3;

/** Something a vault is to get, beside packs in memory. */
export interface LaneItem {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Keys of what must be in the vault before. */
  readonly after?: readonly string[];
  /** A point may be committed without it. */
  readonly optional?: boolean;
  /** Stores it in the vault; false when it is to be had nowhere. Throws what the vault throws. */
  store(vault: Vault, signal: AbortSignal): Promise<boolean>;
}

/**
 * `going`; `away`: it failed for a reason that may pass, and is tried again; `dropped`: it failed for good; `behind`: it
 * lacks something of the point; `committed`: it holds the point and everything that needs.
 */
export type LaneState = 'going' | 'away' | 'dropped' | 'behind' | 'committed';

/** Who leads the lanes. */
export interface LaneOwner {
  /** Ends everything. */
  readonly signal: AbortSignal;
  /** Something about the lane is different. */
  changed(): void;
  /** The lane's vault failed; the owner says `goAway` or `drop`. */
  failed(lane: Lane, error: unknown): void;
}

/**
 * The way into one vault, at its own pace. What is in memory goes first, so that it does not stay there; then what must
 * be read from other vaults. An index object waits for the packs it names, the point for everything.
 */
export class Lane {
  readonly vault: Vault;
  /** Resolves when nothing of it is going on any more. */
  readonly ended: Promise<unknown>;
  readonly #owner: LaneOwner;
  readonly #gate = new Gate();
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #state: LaneState = 'going';
  #packs: HeldPack[] = [];
  #items: LaneItem[] = [];
  #point: LaneItem | undefined;
  #spoilt = false;
  /** What it is to get and has not yet: sizes by key. */
  readonly #lacks = new Map<string, number>();
  /** Packs it got in this session: sizes by key. */
  readonly #got = new Map<string, number>();
  #running = 0;
  /** Failures since something was last stored. */
  #failures = 0;

  constructor(vault: Vault, owner: LaneOwner) {
    this.vault = vault;
    this.#owner = owner;
    this.#signal = AbortSignal.any([owner.signal, this.#stop.signal]);
    this.#signal.addEventListener('abort', () => this.#gate.wake(), { once: true });
    this.ended = Promise.all(Array.from({ length: AT_ONCE }, () => this.#work()));
  }

  get state(): LaneState {
    return this.#state;
  }

  /** True when something of the point is to be had nowhere for it: it goes on getting the rest, and never the point. */
  get spoilt(): boolean {
    return this.#spoilt;
  }

  get failures(): number {
    return this.#failures;
  }

  /** What it still lacks: packs, and bytes of everything. */
  get lacking(): { readonly packs: number; readonly bytes: number } {
    let [packs, bytes] = [0, 0];
    for (const [key, size] of this.#lacks) {
      if (key.startsWith('packs/')) packs++;
      bytes += size;
    }
    return { packs, bytes };
  }

  addPack(pack: HeldPack): void {
    pack.queue(this);
    this.#lacks.set(pack.key, pack.size);
    this.#packs.push(pack);
    this.#gate.wake();
  }

  add(item: LaneItem): void {
    this.#lacks.set(item.key, item.size);
    this.#items.push(item);
    this.#gate.wake();
  }

  /** Takes a pack that it has not begun to store out of its queue, to get it as `item` says later. False when it has begun. */
  postpone(pack: HeldPack, item: LaneItem): boolean {
    const at = this.#packs.indexOf(pack);
    if (at < 0) return false;
    this.#packs.splice(at, 1);
    this.#items.push(item);
    pack.release(this);
    return true;
  }

  /** The last thing it gets, once it has everything else. */
  commit(point: LaneItem): void {
    this.#point = point;
    this.#gate.wake();
  }

  /** Stores nothing until it is to `comeBack`. */
  goAway(): void {
    this.#failures++;
    this.#become('away');
  }

  comeBack(): void {
    if (this.#state === 'away') this.#become('going');
  }

  drop(): void {
    this.#end('dropped');
  }

  /** Lets it go as it is: what is going on is stopped. */
  leave(): void {
    this.#end('behind');
  }

  async #work(): Promise<void> {
    while (!this.#signal.aborted) {
      const next = this.#next();
      if (next === undefined) {
        // Finding that there is nothing to do may itself have ended the lane.
        if (!this.#signal.aborted) await this.#gate.changed();
        continue;
      }
      this.#running++;
      try {
        await raceAbort(next(), this.#signal);
        this.#failures = 0;
      } catch (error) {
        if (!this.#signal.aborted) this.#owner.failed(this, error);
      } finally {
        this.#running--;
        this.#gate.wake();
        this.#owner.changed();
      }
    }
    for (const pack of this.#packs) pack.release(this);
    this.#packs = [];
  }

  /** What to do next: nothing while there is nothing that may be done. */
  #next(): (() => Promise<void>) | undefined {
    if (this.#state !== 'going') return undefined;
    // After a failure one thing at a time, until it is known whether the vault is there again.
    if (this.#failures > 0 && this.#running > 0) return undefined;
    const pack = this.#packs.shift();
    if (pack !== undefined) {
      pack.begin(this);
      return () => this.#storePack(pack);
    }
    const at = this.#items.findIndex(({ after = [] }) => !after.some((key) => this.#lacks.has(key)));
    const [item] = at < 0 ? [] : this.#items.splice(at, 1);
    if (item !== undefined) return () => this.#storeItem(item);
    const point = this.#point;
    if (point === undefined || this.#running > 0) return undefined;
    this.#point = undefined;
    if (this.#lacks.size > 0) {
      this.#end('behind');
      return undefined;
    }
    return () => this.#storePoint(point);
  }

  async #storePack(pack: HeldPack): Promise<void> {
    const { bytes, key, size } = pack;
    if (bytes === undefined) throw new LifeboatError('LB_INTERNAL', `Pack ${key} is not in memory any more`);
    try {
      await this.vault.put(key, bytes, { signal: this.#signal });
    } catch (error) {
      if (this.#signal.aborted) pack.release(this);
      else {
        pack.queue(this);
        this.#packs.unshift(pack);
      }
      throw error;
    }
    pack.holders.add(this.vault);
    pack.release(this);
    this.#got.set(key, size);
    this.#lacks.delete(key);
  }

  async #storeItem(item: LaneItem): Promise<void> {
    let stored: boolean;
    try {
      stored = await item.store(this.vault, this.#signal);
    } catch (error) {
      this.#items.unshift(item);
      throw error;
    }
    if (stored && item.key.startsWith('packs/')) this.#got.set(item.key, item.size);
    if (stored || item.optional === true) this.#lacks.delete(item.key);
    else this.#spoilt = true;
  }

  async #storePoint(point: LaneItem): Promise<void> {
    try {
      await confirmStored(this.vault, this.#got, this.#signal);
      await point.store(this.vault, this.#signal);
      await confirmStored(this.vault, new Map([[point.key, point.size]]), this.#signal);
    } catch (error) {
      this.#point = point;
      throw error;
    }
    this.#end('committed');
  }

  #become(state: LaneState): void {
    this.#state = state;
    this.#gate.wake();
    this.#owner.changed();
  }

  #end(state: 'dropped' | 'behind' | 'committed'): void {
    // What was stopped may still come to an end, and changes nothing then.
    if (this.#state !== 'going' && this.#state !== 'away') return;
    this.#become(state);
    this.#stop.abort(new LifeboatError('LB_INTERRUPTED', `Vault "${this.vault.name}" is not waited for`));
  }
}
