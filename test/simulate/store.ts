import type { CallOptions, PutOptions, PutOutcome, VaultBody } from '../../src/vault/vault.ts';
import { withFaults } from '../support/faults.ts';
import type { FaultyVault } from '../support/faults.ts';
import { ForwardingVault } from '../support/forwarding-vault.ts';
import { MemoryVault } from '../support/memory-vault.ts';
import type { Random } from '../survival/random.ts';
import type { Ledger } from './ledger.ts';
import { WELL } from './moods.ts';
import type { Mood } from './moods.ts';

/** One vault: its objects, how it behaves, and whether it may be believed. */
export class Store {
  readonly name: string;
  readonly memory: MemoryVault;
  /** What is called: with faults between it and the objects. */
  readonly vault: FaultyVault;
  /** Counts among those in trouble: it may lie, and lose what it holds, until everything was healed. */
  suspect = false;
  #mood: Mood = WELL;

  constructor(name: string, ledger: Ledger, options: { readonly locks: boolean; readonly now: () => number }) {
    this.name = name;
    this.memory = new MemoryVault(name);
    this.memory.locks = options.locks;
    this.memory.now = options.now;
    this.vault = withFaults(new Watched(this, ledger));
  }

  get objects(): Map<string, Uint8Array> {
    return this.memory.objects;
  }

  /** What is to be had there under a key: what a lock keeps, else what there is. */
  held(key: string): Uint8Array | undefined {
    return this.memory.locked(key) ?? this.objects.get(key);
  }

  get mood(): Mood {
    return this.#mood;
  }

  become(mood: Mood, random: Random): void {
    this.#mood = mood;
    this.vault.change(mood.plan(random));
  }

  /** Its operator takes something away that is locked. */
  takeAway(key: string): void {
    this.objects.delete(key);
    this.memory.retained.delete(key);
  }

  /** Keys of its objects, in order. */
  keys(prefix = ''): string[] {
    return [...this.objects.keys()].filter((key) => key.startsWith(prefix)).toSorted();
  }
}

/** Tells the ledger what is stored and deleted in truth. */
class Watched extends ForwardingVault {
  readonly #store: Store;
  readonly #ledger: Ledger;

  constructor(store: Store, ledger: Ledger) {
    super(store.memory);
    this.#store = store;
    this.#ledger = ledger;
  }

  override async put(key: string, body: VaultBody, options?: PutOptions): Promise<PutOutcome> {
    const outcome = await super.put(key, body, options);
    if (outcome === 'created') this.#ledger.stored(this.#store, key);
    return outcome;
  }

  override async delete(key: string, options?: CallOptions): Promise<void> {
    const bytes = this.#store.objects.get(key);
    await super.delete(key, options);
    if (bytes !== undefined) this.#ledger.deleted(this.#store, key, bytes);
  }
}
