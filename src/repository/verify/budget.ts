import type { Clock } from '../../core/clock.ts';
import { formatDuration } from '../../core/duration.ts';

/** How much one verification may read; the smallest of what is given counts. */
export interface BudgetOptions {
  /** Bytes of packs, index objects and rescue files, in all vaults together. */
  readonly bytes?: number;
  /** The same as a share of all there is: above 0, at most 1. */
  readonly share?: number;
  /** Milliseconds from the beginning, after which nothing more is begun. */
  readonly ms?: number;
}

/**
 * Decides, object by object, whether one more may be read. The first one always may, however small the budget: so every run gets
 * somewhere, and enough of them get everywhere.
 */
export class Budget {
  readonly #bytes: number;
  readonly #endsAt: number;
  readonly #now: () => number;
  #taken = 0;
  #begun = 0;
  #spent = false;

  /** `total`: bytes there are. `startedAt`: milliseconds of `clock` at which the verification began. */
  constructor(options: BudgetOptions, total: number, startedAt: number, clock: Clock) {
    const { bytes = Infinity, share = 1, ms = Infinity } = options;
    this.#bytes = Math.min(bytes, Math.ceil(total * share), total);
    this.#endsAt = startedAt + ms;
    this.#now = () => clock.now();
  }

  /** How far there is still to go when `done` bytes were read: bytes in all, or time when that is what ends it. */
  outlook(done: number): { readonly total?: number; readonly detail?: string } {
    if (!Number.isFinite(this.#endsAt)) return { total: Math.max(done, this.#bytes) };
    return { detail: `${formatDuration(this.#endsAt - this.#now())} of the time left` };
  }

  /** Takes `bytes` of it. False when so much is not left; from then on it stays so: what waits longest is not overtaken. */
  take(bytes: number): boolean {
    if (this.#spent) return false;
    if (this.#begun > 0 && (this.#taken + bytes > this.#bytes || this.#now() >= this.#endsAt)) {
      this.#spent = true;
      return false;
    }
    this.#begun++;
    this.#taken += bytes;
    return true;
  }
}
