import type { FailReason, Job, Json, Schedule } from './queue.ts';
import type { SiteLimits } from './site-limits.ts';

export interface WorkerOptions {
  /** Jobs at once in this process. Those that only wait for a server take little; it must be more than jobs can hang at once. */
  readonly concurrency: number;
  /** What a step may use: milliseconds, and bytes of memory. */
  readonly step: { readonly ms: number; readonly memory: number };
  /** What holds for every site, or for each. Two at once if not said. */
  readonly sites?: SiteLimits | ((site: string) => SiteLimits);
  readonly retries?: RetryOptions;
  /** Milliseconds that steps have to end when the worker is to end (25 s): an orchestrator kills after 30 s. */
  readonly graceMs?: number;
  readonly keep?: KeepOptions;
  readonly locks?: LockOptions;
  /** Asked when a step begins what its job is to hold from now on, in place of its data, if anything; it has waited so long, ms. What fails there holds up nothing. */
  readonly mark?: (job: Job, waitedMs: number) => Json | undefined;
  /** Told what happens, for logs and metrics. What it throws is ignored. */
  readonly onEvent?: (event: WorkerEvent) => void;
}

/** For a worker that runs until it is told to end. */
export interface RunOptions extends WorkerOptions {
  /** Fires when it is to end, as on SIGTERM. */
  readonly signal: AbortSignal;
  /**
   * Asked at the start and every minute: the schedules there are to be. Without it, this worker makes no jobs of ticks. Any number of
   * workers may be given the same.
   */
  readonly schedules?: () => readonly Schedule[] | Promise<readonly Schedule[]>;
}

/** For a worker that has so much time. */
export interface DrainOptions extends WorkerOptions {
  /** When it must have ended, in milliseconds since the epoch. Steps are asked to end `graceMs` before. */
  readonly deadline: number;
  readonly signal?: AbortSignal;
}

export interface RetryOptions {
  /** Tries in all, before a job is parked although its error could pass. */
  readonly tries: number;
  /** Before the second try; it doubles each time. */
  readonly firstMs: number;
  readonly longestMs: number;
}

/** How long jobs that are done are remembered. So long, their ids are taken. */
export interface KeepOptions {
  readonly ms: number;
  readonly count: number;
}

/** How it is noticed that a worker has died. */
export interface LockOptions {
  /** A worker says so often at least that it is alive, twice within it. */
  readonly lockMs: number;
  /** Between looks at who is not. */
  readonly lookMs: number;
  /** Takeovers of one job, before it is parked as what kills workers. */
  readonly takeovers: number;
}

/** Twenty minutes in all: a store or cluster that is away for longer is for the next tick, or for somebody to look at. */
export const RETRIES: RetryOptions = { tries: 10, firstMs: 5_000, longestMs: 300_000 };
/** Triggers deliver again for a day; a job takes about 1 KiB of the server's memory. */
export const KEEP: KeepOptions = { ms: 3 * 24 * 3_600_000, count: 100_000 };
/** Together under 15 s from the death of a worker to another having its job. */
export const LOCKS: LockOptions = { lockMs: 9_000, lookMs: 4_000, takeovers: 5 };
export const GRACE_MS = 25_000;
export const SITES: SiteLimits = { concurrency: 2 };

export type WorkerEvent =
  | { readonly type: 'started'; readonly job: Job; readonly attempt: number; readonly waitedMs: number }
  | { readonly type: 'done'; readonly job: Job; readonly ms: number; readonly result: Json }
  | { readonly type: 'again'; readonly job: Job; readonly ms: number }
  | { readonly type: 'retry' | 'parked'; readonly job: Job; readonly ms: number; readonly reason: FailReason }
  | { readonly type: 'cancelled' | 'handed-back' | 'lost'; readonly job: Job; readonly ms: number }
  /** Its site is at its limit. */
  | { readonly type: 'held'; readonly job: Job; readonly ms: number }
  /** A worker died with it; it will be taken again. */
  | { readonly type: 'taken-over'; readonly id: string }
  /** A schedule made a job. */
  | { readonly type: 'tick'; readonly id: string; readonly lateMs: number }
  /** Something failed that is tried again by itself, such as the connection. */
  | { readonly type: 'trouble'; readonly error: unknown };
