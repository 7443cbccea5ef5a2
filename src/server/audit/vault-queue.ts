import { messageOf } from '../../core/errors.ts';
import type { OnWarning } from '../../core/progress.ts';
import type { Vault } from '../../vault/vault.ts';

/** How long a vault may take for one object, ms: somebody waits for the answer to a request meanwhile. */
const PATIENCE = 15_000;
/** When a vault that failed is tried again by itself, ms. */
const AGAIN = 10_000;
/** Objects that wait for one vault. What another vault has is not kept for longer than that. */
const MOST_WAITING = 500;

/** An object of the audit trail on its way into the vaults. */
export class Sealed {
  readonly key: string;
  readonly bytes: Uint8Array;
  /** Until when the object is locked, in vaults that lock. */
  readonly retainUntil: Date | undefined;
  /** Resolves when one vault has it; rejects when every vault has failed. It may be stored yet after that. */
  readonly stored: Promise<void>;
  #isStored = false;
  readonly #resolve: () => void;
  readonly #reject: (error: unknown) => void;
  readonly #failed = new Set<string>();
  readonly #vaults: number;

  constructor(key: string, bytes: Uint8Array, vaults: number, retainUntil: Date | undefined) {
    this.key = key;
    this.bytes = bytes;
    this.retainUntil = retainUntil;
    this.#vaults = vaults;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    [this.stored, this.#resolve, this.#reject] = [promise, resolve, reject];
    // Nobody waits for a batch of lookups; the queue tells of the failure.
    promise.catch(() => undefined);
  }

  get isStored(): boolean {
    return this.#isStored;
  }

  storedIn(): void {
    this.#isStored = true;
    this.#resolve();
  }

  failedIn(vault: string, error: unknown): void {
    this.#failed.add(vault);
    if (this.#failed.size === this.#vaults) this.#reject(error);
  }
}

/** Brings the objects of the audit trail into one vault, in order. What failed is tried again, by itself and with the next one. */
export class VaultQueue {
  readonly #vault: Vault;
  readonly #warn: OnWarning;
  #waiting: Sealed[] = [];
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(vault: Vault, warn: OnWarning) {
    this.#vault = vault;
    this.#warn = warn;
  }

  push(sealed: Sealed): void {
    this.#waiting.push(sealed);
    if (this.#waiting.length > MOST_WAITING) this.#waiting = this.#waiting.filter(({ isStored }) => !isStored);
    this.#start();
  }

  /** Resolves when nothing waits any more, or the vault failed. */
  async idle(): Promise<void> {
    if (this.#waiting.length > 0) this.#start();
    await this.#running;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  async #run(): Promise<void> {
    const { locks, name } = this.#vault;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      try {
        await this.#vault.put(next.key, next.bytes, { signal: AbortSignal.timeout(PATIENCE), ...(locks && { retainUntil: next.retainUntil }) });
      } catch (error) {
        for (const one of this.#waiting) one.failedIn(name, error);
        this.#warn({ kind: 'audit-behind', message: `the audit trail is not stored there: ${messageOf(error)}`, where: `vault "${name}"` });
        this.#timer = setTimeout(() => this.#start(), AGAIN).unref();
        return;
      }
      next.storedIn();
      // While it was stored others may have been put behind it, or it may have been let go.
      if (this.#waiting[0] === next) this.#waiting.shift();
    }
  }
}
