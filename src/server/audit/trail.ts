import { randomBytes } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { LifeboatError, messageOf } from '../../core/errors.ts';
import type { OnWarning } from '../../core/progress.ts';
import type { AuditKey } from '../../keys/audit-key.ts';
import type { Vault } from '../../vault/vault.ts';
import { encodeBatch } from './batch.ts';
import { findHeads } from './heads.ts';
import { encodeRecord, NO_RECORD, recordHash } from './record.ts';
import type { AuditEntry } from './record.ts';
import { Sealed, VaultQueue } from './vault-queue.ts';

/** Records that wait for others at most, and how long, ms. */
const MOST_RECORDS = 500;
const DELAY = 2000;
/** Objects that no vault has taken yet. Beyond that nothing is answered that would have to be on record. */
const MOST_UNSTORED = 200;
/** Refusals that get a record each, a minute. Whoever is refused cannot fill the vaults. */
const MOST_REFUSALS = 300;
const MINUTE = 60_000;

/** Where the server puts on record who asked for what. */
export interface AuditTrail {
  /** What the trail is called in the vaults. */
  readonly server: string;
  /** Whether every answer waits for its record, because this process may sleep as soon as it has answered. */
  readonly immediate: boolean;
  /** Puts something on record, and gives its `seq`. It is stored within some seconds. Throws `LB_AUDIT_UNAVAILABLE` when too much waits to be stored. */
  add(entry: AuditEntry): number;
  /** Resolves when everything that was added is stored in at least one vault. Throws `LB_AUDIT_UNAVAILABLE` when no vault takes it. */
  flush(): Promise<void>;
  /** Stores what is left, in every vault that takes it. The vaults stay open. */
  close(): Promise<void>;
}

export interface TrailOptions {
  readonly vaults: readonly Vault[];
  readonly key: AuditKey;
  readonly clock: Pick<Clock, 'now'>;
  readonly warn: OnWarning;
  /** How long a record may wait for others, ms; 0: none does, as where a process sleeps between requests. Default: 2 s. */
  readonly delay?: number;
  /** How long records are locked in vaults that lock, ms. */
  readonly lock?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Opens a chain of its own in the audit trail of a server. Follows what it finds of other chains in the vaults. */
export async function openTrail(options: TrailOptions): Promise<AuditTrail> {
  const { vaults, key, clock, warn, signal } = options;
  if (vaults.length === 0) throw new LifeboatError('LB_AUDIT_UNAVAILABLE', 'There is no vault for the audit trail', { hint: 'Add one under `vaults:`.' });
  return new VaultTrail(options, await findHeads(vaults, key, clock.now(), { warn, signal }));
}

class VaultTrail implements AuditTrail {
  readonly #options: TrailOptions;
  readonly #queues: readonly VaultQueue[];
  readonly #chain = randomBytes(8).toString('hex');
  #lines: string[] = [];
  #sealed: Sealed[] = [];
  #seq = 0;
  #hash = NO_RECORD;
  #batch = 0;
  #previous: readonly string[];
  #timer: NodeJS.Timeout | undefined;
  #storing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #refusals = { since: 0, count: 0, unrecorded: 0 };

  constructor(options: TrailOptions, heads: readonly string[]) {
    this.#options = options;
    this.#previous = heads;
    this.#queues = options.vaults.map((vault) => new VaultQueue(vault, options.warn));
  }

  get server(): string {
    return this.#options.key.server;
  }

  get immediate(): boolean {
    return this.#options.delay === 0;
  }

  add(entry: AuditEntry): number {
    this.#sealed = this.#sealed.filter(({ isStored }) => !isStored);
    const full = this.#sealed.length >= MOST_UNSTORED;
    if (entry.outcome === 'refused') {
      if (full || !this.#roomForRefusal()) {
        this.#refusals.unrecorded += 1;
        return this.#seq;
      }
    } else if (full) {
      throw new LifeboatError('LB_AUDIT_UNAVAILABLE', 'No vault takes the audit trail', { hint: 'Nothing is done that cannot be put on record. Look at the vaults with `lifeboat doctor`.' });
    }
    const { unrecorded } = this.#refusals;
    this.#refusals.unrecorded = 0;
    const seq = this.#seq++;
    const line = encodeRecord({ ...entry, seq, previous: this.#hash, at: new Date(this.#options.clock.now()).toISOString(), ...(unrecorded > 0 && { unrecorded }) });
    this.#hash = recordHash(line);
    this.#lines.push(line);
    if (this.#lines.length >= MOST_RECORDS) void this.flush().catch(() => undefined);
    else this.#timer ??= setTimeout(() => void this.flush().catch(() => undefined), this.#options.delay ?? DELAY).unref();
    return seq;
  }

  /** Those who wait at the same time wait for one object: the next is made when the one before it is stored. */
  async flush(): Promise<void> {
    this.#next ??= this.#storing
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        this.#storing = this.#seal();
        return this.#storing;
      });
    try {
      await this.#next;
    } catch (error) {
      throw new LifeboatError('LB_AUDIT_UNAVAILABLE', `No vault takes the audit trail: ${messageOf(error)}`, {
        hint: 'Nothing is done that cannot be put on record. Look at the vaults with `lifeboat doctor`.',
        cause: error,
      });
    }
  }

  async close(): Promise<void> {
    await this.flush().catch(() => undefined);
    await Promise.all(this.#queues.map((queue) => queue.idle()));
    for (const queue of this.#queues) queue.stop();
  }

  #seal(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#lines;
    if (lines.length === 0) return this.#sealed.at(-1)?.stored ?? Promise.resolve();
    this.#lines = [];
    const { clock, key, lock, vaults } = this.#options;
    const now = clock.now();
    const batch = encodeBatch(
      { chain: this.#chain, batch: this.#batch++, at: new Date(now).toISOString(), previous: this.#previous.slice(), first: this.#seq - lines.length },
      lines,
      key,
    );
    this.#previous = [batch.sha256];
    const sealed = new Sealed(batch.key, batch.bytes, vaults.length, lock === undefined ? undefined : new Date(now + lock));
    this.#sealed.push(sealed);
    for (const queue of this.#queues) queue.push(sealed);
    return sealed.stored;
  }

  #roomForRefusal(): boolean {
    const now = this.#options.clock.now();
    if (now - this.#refusals.since >= MINUTE) Object.assign(this.#refusals, { since: now, count: 0 });
    this.#refusals.count += 1;
    return this.#refusals.count <= MOST_REFUSALS;
  }
}
