import { withDeadline } from './deadline.ts';
import type { Deadline } from './deadline.ts';
import { VaultError } from './errors.ts';
import { raceAbort } from './streams.ts';

/** Bounds of single calls to a store; the defaults suit any network that is of use for backups. */
export interface RemoteLimits {
  /** For an answer to begin. */
  readonly answerMs: number;
  /** Added for the bytes a request carries: anything slower counts as broken. */
  readonly bytesPerSecond: number;
  /** For the next byte of a body that is being read. */
  readonly idleMs: number;
  /** Larger objects are stored in parts of this size. */
  readonly partSize: number;
  /** Parts under way at once; each is held in memory. */
  readonly partsAtOnce: number;
}

export const DEFAULT_LIMITS: RemoteLimits = {
  answerMs: 30_000,
  bytesPerSecond: 64 * 1024,
  idleMs: 30_000,
  partSize: 16 * 1024 * 1024,
  partsAtOnce: 3,
};

/** What calls are for; said in messages, and decides what a refusal means. */
export type Doing =
  | 'storing'
  | 'storing and locking'
  | 'reading'
  | 'finding'
  | 'listing'
  | 'deleting'
  | 'locking'
  | 'finding the lock of'
  | 'listing the versions of';

/** One call to a store. */
export interface RemoteCall {
  readonly doing: Doing;
  readonly key?: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** Bytes the request carries. */
  readonly bytes?: number;
  /** Instead of the usual time for an answer. */
  readonly answerMs?: number;
}

/** Where a vault is in a store. */
export interface RemotePlace {
  readonly vault: string;
  /** What the store calls it, with its name: `bucket backups`, `container backups`. */
  readonly place: string;
  /** Goes before every key; empty, or ending in `/`. */
  readonly prefix: string;
  /** Whose protocol it speaks, with its article: `an S3 store`. */
  readonly kind: string;
  readonly limits: RemoteLimits;
}

/** A bucket or container as a driver sees it: calls with deadlines, and failures as vault errors. */
export abstract class Remote {
  readonly vault: string;
  readonly limits: RemoteLimits;
  readonly #place: RemotePlace;
  /** True once a call has succeeded: then the place is there. */
  protected answered = false;

  constructor(place: RemotePlace) {
    this.vault = place.vault;
    this.limits = place.limits;
    this.#place = place;
  }

  /** The name of an object in the store. */
  fullKey(key: string): string {
    return this.#place.prefix + key;
  }

  /** What `fullKey` was given for this name. */
  ownKey(name: string): string {
    return name.slice(this.#place.prefix.length);
  }

  /** What a call is about, for messages. */
  subject(call: Pick<RemoteCall, 'key'>): string {
    return call.key ?? this.#place.place;
  }

  /**
   * Makes one call. Rejects with the caller's reason when its signal fires, with `LB_VAULT_UNAVAILABLE` when the
   * answer takes too long; what the SDK throws passes through, for `explain`.
   */
  async call<T>(call: RemoteCall, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { limits } = this;
    const ms = (call.answerMs ?? limits.answerMs) + Math.ceil(((call.bytes ?? 0) / limits.bytesPerSecond) * 1000);
    return withDeadline(ms, call.signal, async (deadline: Deadline) => {
      try {
        const answer = await raceAbort(send(deadline.signal), deadline.signal);
        this.answered = true;
        return answer;
      } catch (error) {
        call.signal?.throwIfAborted();
        if (deadline.passed()) throw this.tooSlow(call, ms);
        throw error;
      }
    });
  }

  /** Makes one call, and rejects with vault errors. */
  async explained<T>(call: RemoteCall, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await this.call(call, send);
    } catch (error) {
      throw await this.explain(error, call);
    }
  }

  /** The error to throw for one that was caught. */
  abstract explain(error: unknown, call: RemoteCall): Promise<unknown>;

  /** The failure of a call that was not answered in time. */
  tooSlow(call: Pick<RemoteCall, 'doing' | 'key'>, ms: number): VaultError {
    const message = `No answer within ${ms / 1000} s, ${call.doing} ${this.subject(call)}`;
    return new VaultError('LB_VAULT_UNAVAILABLE', this.vault, message, { key: call.key, hint: 'Check `endpoint` and the network.' });
  }

  /** The failure of a call whose answer no such store would give. */
  notAStore(call: Pick<RemoteCall, 'doing' | 'key'>): VaultError {
    const message = `The answer is not that of ${this.#place.kind}, ${call.doing} ${this.subject(call)}`;
    const hint = 'Check `endpoint`; docs/vaults.md says what a store must be able to do.';
    return new VaultError('LB_VAULT_UNSUPPORTED', this.vault, message, { key: call.key, hint });
  }
}
