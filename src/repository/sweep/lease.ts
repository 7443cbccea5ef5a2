import { randomBytes } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { isLifeboatError, LifeboatError } from '../../core/errors.ts';
import type { MaintainKey } from '../../keys/index.ts';
import type { Vault } from '../../vault/vault.ts';
import { readIfThere, whereIs } from '../vault-io.ts';
import { decodeLease, encodeLease, LEASE_KEY, leaseKey, LEASES_PREFIX } from './lease-object.ts';
import type { LeaseObject } from './lease-object.ts';

/** How long a lease is good for, ms: so long nobody sweeps after a sweep that died. */
const LEASE_LASTS = 30 * 60 * 1000;

/**
 * The right to sweep, for a while. Nothing is ever overwritten, so a lease is a chain of objects: whoever creates the one
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
    for (const { generation } of found) await lease.#delete(generation, signal);
    return lease;
  }

  /** To be called now and then while the work goes on. Throws `LB_REPO_BUSY` when another sweep has taken over. */
  async keep(signal: AbortSignal | undefined): Promise<void> {
    const held = this.#held;
    if (held === undefined || held.expiresAt - this.#clock.now() > this.#lasts / 2) return;
    await this.#create(held.generation + 1, signal);
    await this.#delete(held.generation, signal);
  }

  async release(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) await this.#delete(held.generation, undefined);
  }

  async #create(first: number, signal: AbortSignal | undefined): Promise<void> {
    for (let generation = first; ; generation++) {
      const takenAt = this.#clock.now();
      const lease = { generation, holder: this.#holder, takenAt, expiresAt: takenAt + this.#lasts };
      const bytes = encodeLease(lease, this.#key);
      if ((await this.#vault.put(leaseKey(generation), bytes, { signal })) === 'created') {
        this.#held = lease;
        return;
      }
      const other = await this.#read(leaseKey(generation), signal);
      if (other !== undefined && other.holder !== this.#holder && other.expiresAt > this.#clock.now()) throw this.#busy(other);
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
    } catch (error) {
      signal?.throwIfAborted();
      // It only lies there: a newer one is there, or it expires.
      if (!isLifeboatError(error)) throw error;
    }
  }

  #busy({ generation, expiresAt }: LeaseObject): LifeboatError {
    return new LifeboatError('LB_REPO_BUSY', `Another sweep is at work, until ${new Date(expiresAt).toISOString()} at the latest unless it goes on`, {
      where: whereIs(this.#vault, leaseKey(generation)),
      hint: 'Wait until it has ended. If it was killed, its lease ends by itself.',
    });
  }
}
