import { systemClock } from '../core/clock.ts';
import type { Clock } from '../core/clock.ts';
import { isLifeboatError } from '../core/errors.ts';
import { VaultError } from './errors.ts';

/** How often, how fast and how long a call is tried again. */
export interface RetryPolicy {
  /** Tries in all, the first one included. */
  readonly attempts: number;
  /** Upper bound of the first pause; it doubles with every further try. */
  readonly firstPauseMs: number;
  /** Upper bound of any pause, also of one the store asks for. */
  readonly longestPauseMs: number;
  /**
   * No try begins later than this after the first one began, or after the work last got further. One try counts for no more
   * than half of it: that it took hours says that the process was halted, and the next one may find all well.
   */
  readonly totalMs: number;
  readonly clock: Clock;
  /** A number in [0, 1): spreads the pauses of many callers. */
  readonly random: () => number;
  /** Told before every pause. */
  readonly onRetry?: (event: RetryEvent) => void;
}

export interface RetryEvent {
  /** The vault's call, for people: `put packs/ab/…`. */
  readonly what: string;
  /** The try that failed, from 1. */
  readonly attempt: number;
  readonly pauseMs: number;
  readonly error: Error;
}

/**
 * About 20 s of trouble in all: longer than a server's restart or a throttled second, shorter than anyone's patience.
 * Pauses: full jitter (M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015).
 */
export const DEFAULT_RETRY: RetryPolicy = {
  attempts: 7,
  firstPauseMs: 250,
  longestPauseMs: 10_000,
  totalMs: 120_000,
  clock: systemClock,
  random: Math.random,
};

/** Pauses between the tries of one call. */
export class Backoff {
  readonly #policy: RetryPolicy;
  readonly #what: string;
  readonly #signal: AbortSignal | undefined;
  /** When the try that goes on began, or last got further. */
  #began: number;
  /** What the tries and pauses before it took. */
  #spent = 0;
  #failed = 0;
  #inARow = 0;

  constructor(policy: RetryPolicy, what: string, signal?: AbortSignal) {
    this.#policy = policy;
    this.#what = what;
    this.#signal = signal;
    this.#began = policy.clock.now();
  }

  /** Failed tries so far. */
  get failures(): number {
    return this.#failed;
  }

  /** To be called when the work got further: tries and time are counted from here. */
  progressed(): void {
    this.#inARow = 0;
    this.#spent = 0;
    this.#began = this.#policy.clock.now();
  }

  /**
   * Waits until the next try may begin. Rejects with `error` when there is to be none, with the signal's reason when
   * it fires.
   */
  async pause(error: unknown): Promise<void> {
    this.#signal?.throwIfAborted();
    const { attempts, firstPauseMs, longestPauseMs, totalMs, clock, random, onRetry } = this.#policy;
    this.#failed += 1;
    this.#inARow += 1;
    if (!isLifeboatError(error) || !error.retriable || this.#inARow >= attempts) throw error;
    const bound = Math.min(longestPauseMs, firstPauseMs * 2 ** (this.#inARow - 1));
    const asked = error instanceof VaultError ? Math.min(error.retryAfterMs ?? 0, longestPauseMs) : 0;
    const pauseMs = Math.max(random() * bound, asked);
    this.#spent += Math.min(clock.now() - this.#began, totalMs / 2) + pauseMs;
    if (this.#spent > totalMs) throw error;
    onRetry?.({ what: this.#what, attempt: this.#failed, pauseMs, error });
    await clock.sleep(pauseMs, this.#signal);
    this.#began = clock.now();
  }
}

/** Calls `attempt` until it succeeds, fails for good, or the policy's bounds are reached; then its last error is thrown. */
export async function retrying<T>(
  policy: RetryPolicy,
  what: string,
  signal: AbortSignal | undefined,
  attempt: (failures: number) => Promise<T>,
): Promise<T> {
  const backoff = new Backoff(policy, what, signal);
  for (;;) {
    try {
      return await attempt(backoff.failures);
    } catch (error) {
      await backoff.pause(error);
    }
  }
}
