import { randomBytes } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { isLifeboatError, LifeboatError } from '../../core/errors.ts';
import type { MaintainKey } from '../../keys/index.ts';
import type { Vault } from '../../vault/vault.ts';
import { readIfThere, whereIs } from '../vault-io.ts';
import { decodeLease, encodeLease, LEASE_KEY, leaseKey, LEASES_PREFIX } from './lease-object.ts';
import type { LeaseObject } from './lease-object.ts';

/** How long a lease is good for, ms: so long nobody sweeps after a sweep that died. Much longer than a vault is slow or away for, at times. */
const LEASE_LASTS = 5 * 60 * 1000;
/** It is renewed when such a part of it is over: what is left is for a vault that does not answer at once. */
const RENEWED_AFTER = 1 / 3;

/**
 * The right to sweep, for a while, and for longer as long as the work goes on. Nothing is ever overwritten, so a lease is a chain of objects: whoever creates the one
 * of the next generation holds it. Objects that the maintain role did not sign are passed over. It spares two sweeps
 * doing the same work; that they do no harm does not depend on it.
 */
export class Lease {
  readonly #vault: Vault;
  readonly #key: MaintainKey;
  readonly #clock: Clock;
  readonly #lasts: number;
  readonly #holder = randomBytes(8).toString('hex');
  #held: LeaseObject | undefined;
  /** Generations whose object is ours. */
  readonly #ours = new Set<number>();

  private constructor(vault: Vault, key: MaintainKey, clock: Clock, lasts: number) {
    this.#lasts = lasts;
    this.#vault = vault;
    this.#key = key;
    this.#clock = clock;
  }

  /** Throws `LB_REPO_BUSY` while another sweep holds it. */
  static async take(vault: Vault, key: MaintainKey, clock: Clock, signal: AbortSignal | undefined, lasts = LEASE_LASTS): Promise<Lease> {
    const lease = new Lease(vault, key, clock, lasts);
    const found = await lease.#list(signal);
    const newest = found.at(-1);
    if (newest !== undefined && newest.expiresAt > clock.now()) throw lease.#busy(newest);
    await lease.#create((newest?.generation ?? 0) + 1, signal);
    try {
      for (const { generation } of found) await lease.#delete(generation, signal);
    } catch (error) {
      // Nobody has it who could give it back later.
      await lease.release();
      throw error;
    }
    return lease;
  }

  /**
   * Does work for which it is renewed until that ends. The signal that the work is given fires when `signal` does and, with
   * `LB_REPO_BUSY`, when another sweep has taken over: this one was halted, or the vault was away for too long.
   */
  async during<T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    const working = new AbortController();
    const over = new AbortController();
    const stop = (): void => working.abort(signal?.reason);
    signal?.addEventListener('abort', stop, { once: true });
    const renewing = this.#renewUntil(over.signal, working);
    try {
      return await work(working.signal);
    } finally {
      over.abort();
      await renewing;
      signal?.removeEventListener('abort', stop);
    }
  }

  async release(): Promise<void> {
    this.#held = undefined;
    for (const generation of this.#ours) await this.#delete(generation, undefined);
  }

  async #renewUntil(over: AbortSignal, working: AbortController): Promise<void> {
    for (;;) {
      try {
        await this.#clock.sleep(this.#lasts * RENEWED_AFTER, over);
        // Not ended by `over`: what may have been stored could not be deleted.
        await this.#renew(working.signal);
      } catch (error) {
        if (over.aborted || working.signal.aborted) return;
        // A vault that is away may be back the next time, and no harm is done meanwhile.
        if (isLifeboatError(error) && error.code !== 'LB_REPO_BUSY') continue;
        working.abort(error);
        return;
      }
    }
  }

  async #renew(signal: AbortSignal): Promise<void> {
    await this.#create((this.#held?.generation ?? 0) + 1, signal);
    for (const generation of this.#ours) if (generation !== this.#held?.generation) await this.#delete(generation, signal);
  }

  async #create(first: number, signal: AbortSignal | undefined): Promise<void> {
    for (let generation = first; ; generation++) {
      const takenAt = this.#clock.now();
      const lease = { generation, holder: this.#holder, takenAt, expiresAt: takenAt + this.#lasts };
      const bytes = encodeLease(lease, this.#key);
      if ((await this.#vault.put(leaseKey(generation), bytes, { signal })) === 'created') {
        this.#held = lease;
        this.#ours.add(generation);
        return;
      }
      const other = await this.#read(leaseKey(generation), signal);
      // Ours, and its answer was lost.
      if (other?.holder === this.#holder) this.#ours.add(generation);
      else if (other !== undefined && other.expiresAt > this.#clock.now()) throw this.#busy(other);
    }
  }

  /** Genuine leases, oldest first. */
  async #list(signal: AbortSignal | undefined): Promise<LeaseObject[]> {
    const found: LeaseObject[] = [];
    for await (const { key } of this.#vault.list(LEASES_PREFIX, { signal })) {
      const lease = LEASE_KEY.test(key) ? await this.#read(key, signal) : undefined;
      if (lease !== undefined) found.push(lease);
    }
    return found;
  }

  async #read(key: string, signal: AbortSignal | undefined): Promise<LeaseObject | undefined> {
    const bytes = await readIfThere(this.#vault, key, signal);
    if (bytes === undefined) return undefined;
    try {
      return decodeLease(bytes, key, this.#key);
    } catch (error) {
      if (isLifeboatError(error, 'LB_REPO_FORGED') || isLifeboatError(error, 'LB_REPO_DAMAGED')) return undefined;
      throw error;
    }
  }

  async #delete(generation: number, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#vault.delete(leaseKey(generation), { signal });
      this.#ours.delete(generation);
    } catch (error) {
      signal?.throwIfAborted();
      // It only lies there: a newer one is there, or it expires.
      if (!isLifeboatError(error)) throw error;
    }
  }

  #busy({ generation, expiresAt }: LeaseObject): LifeboatError {
    return new LifeboatError('LB_REPO_BUSY', `Another sweep is at work, until ${new Date(expiresAt).toISOString()} at the latest unless it goes on`, {
      where: whereIs(this.#vault, leaseKey(generation)),
      hint: 'Wait until it has ended. If it was killed, its lease ends at that time by itself.',
    });
  }
}
