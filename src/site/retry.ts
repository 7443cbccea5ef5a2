import { systemClock } from '../core/clock.ts';
import type { Clock } from '../core/clock.ts';
import { isLifeboatError } from '../core/errors.ts';
import { isPassing, isRefusal, SiteError } from './errors.ts';

/**
 * How a request failed, which decides how long it is repeated:
 * `away`: nobody answered (the API server restarts, the network is cut) — until it has been away for `outageMs`, not
 * counting what a pause took too long because this process was halted: its own network may have to come back first;
 * `busy`: 429, it asks to slow down — `busyAttempts` times, waiting as long as it says;
 * `failing`: it answers with an error of its own (5xx) — `failingAttempts` times, because some of these never pass;
 * `final`: repeating is useless.
 */
export type FailureKind = 'away' | 'busy' | 'failing' | 'final';

export interface RetryLimits {
  readonly outageMs: number;
  readonly busyAttempts: number;
  readonly failingAttempts: number;
}

/** A restart of an API server takes a few seconds; a control plane being upgraded takes its time. */
export const PATIENT: RetryLimits = { outageMs: 60_000, busyAttempts: 12, failingAttempts: 4 };

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5_000;
/** A server that asks for more is asked earlier all the same. */
const LONGEST_RETRY_AFTER_MS = 30_000;

/** What is known of a server beyond the answer to one request. */
export interface ServerHealth {
  /** It did not answer. */
  away(): void;
  /** Asked before it is tried again after it was away: whether it is up and ready. Throws when asking is useless. */
  ready(): Promise<boolean>;
  /**
   * True while it may be starting: a server that has just come up refuses everybody (401, 403) until it has read
   * who may do what.
   */
  starting(): boolean;
}

export interface RetryOptions {
  readonly limits?: RetryLimits;
  readonly clock?: Clock;
  readonly signal?: AbortSignal | undefined;
  readonly health?: ServerHealth;
}

/**
 * Repeats `attempt` while it fails for passing reasons, with growing, jittered pauses. Throws the last failure.
 * `attempt` calls `progress` when it got further than before: then counting starts again.
 */
export async function withRetries<T>(attempt: (progress: () => void) => Promise<T>, options: RetryOptions = {}): Promise<T> {
  const { limits = PATIENT, clock = systemClock, signal } = options;
  let failures = 0;
  // Counted apart: a server that was away, or busy, a few times has not failed so often by itself.
  let busy = 0;
  let failing = 0;
  let awaySince: number | undefined;
  const progress = (): void => {
    failures = 0;
    busy = 0;
    failing = 0;
    awaySince = undefined;
  };
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await attempt(progress);
    } catch (error) {
      signal?.throwIfAborted();
      const kind = failureKind(error, options.health);
      failures += 1;
      if (kind === 'final') throw error;
      if (kind === 'busy') busy += 1;
      if (kind === 'failing') failing += 1;
      if (busy >= limits.busyAttempts || failing >= limits.failingAttempts) throw error;
      if (kind !== 'away') {
        // It answered: what it was away before is over.
        awaySince = undefined;
        await clock.sleep(pause(failures, error), signal);
        continue;
      }
      if (!isRefusal(error, 401, 403)) options.health?.away();
      awaySince ??= clock.now();
      let ready = false;
      for (let waits = failures; !ready; waits += 1) {
        if (clock.now() - awaySince >= limits.outageMs) throw error;
        const asleepSince = clock.now();
        const ms = pause(waits, error);
        await clock.sleep(ms, signal);
        awaySince += Math.max(0, clock.now() - asleepSince - ms);
        ready = options.health === undefined || (await options.health.ready());
      }
    }
  }
}

/** Sorts a failure of a request into one of the kinds above. */
function failureKind(error: unknown, health: ServerHealth | undefined): FailureKind {
  if (!(error instanceof SiteError)) return isLifeboatError(error, 'LB_SITE_UNREACHABLE') ? 'away' : 'final';
  const { status, fromApiServer } = error.refusal;
  if ((status === 401 || status === 403) && health?.starting() === true) return 'away';
  if (status === 429) return 'busy';
  if (!isPassing(status)) return 'final';
  // A gateway error without a Status object comes from a load balancer whose API server is gone.
  return !fromApiServer && (status === 502 || status === 503 || status === 504) ? 'away' : 'failing';
}

function pause(failures: number, error: unknown): number {
  const grown = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1));
  const asked = error instanceof SiteError ? Math.min(error.refusal.retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS) : 0;
  // Half fixed, half random: many callers that failed together do not come back together.
  return asked + grown / 2 + Math.random() * (grown / 2);
}
