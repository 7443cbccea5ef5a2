import type { Schedule as When } from '../core/schedule.ts';
import type { ErrorCode } from '../core/error-codes.ts';

/** What JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Something to be done. What kinds there are, and what they mean, is known above this room. */
export interface Job {
  /** The key of idempotency: of one id, one job runs. Letters, digits, `._-`; at most 200, and not a number. */
  readonly id: string;
  readonly kind: string;
  /** The site it works on. Limits hold for each site; a job without one has no limits. */
  readonly site?: string;
  /** Small and without secrets: at most 16 KiB of JSON. */
  readonly data: Json;
}

/** How a job is put into the queue. */
export interface AddOptions {
  /** 1 is taken first, 100 last; 50 if not said. Of the same priority, who came first. */
  readonly priority?: number;
  /** Milliseconds that it waits at least. */
  readonly delay?: number;
}

/**
 * - `waiting`: to be taken by a worker, now or at `notBefore`.
 * - `blocked`: an earlier step of its sequence is not done yet.
 * - `active`: a worker has it.
 * - `done`; `cancelled`.
 * - `parked`: it failed and is not tried again by itself; `reason` says why.
 */
export type JobState = 'waiting' | 'blocked' | 'active' | 'done' | 'cancelled' | 'parked';

/** Why a job failed. */
export interface FailReason {
  readonly code: ErrorCode;
  readonly message: string;
  readonly where?: string;
  readonly hint?: string;
}

/** A job and how it stands. Times are milliseconds since the epoch. */
export interface JobStatus {
  readonly job: Job;
  readonly state: JobState;
  readonly addedAt: number;
  /** It is not taken before this: its delay, the pause before another try, or its site's limit. */
  readonly notBefore?: number;
  /** When its last try or step began. */
  readonly startedAt?: number;
  readonly finishedAt?: number;
  /** Tries that failed. */
  readonly failures: number;
  /** Why the last try failed. Always there when it is parked. */
  readonly reason?: FailReason;
  /** What its handler last said. */
  readonly progress?: Json;
  /** What its handler ended with, once it is done. */
  readonly result?: Json;
}

/** How many jobs there are of each state. Ticks of schedules are not counted. */
export type JobCounts = Readonly<Record<Exclude<JobState, 'cancelled'>, number>>;

/** What `cancel` found: `removed` it never ran, `stopping` its worker was told, `over` it had ended before, `unknown` there is none. */
export type CancelResult = 'removed' | 'stopping' | 'over' | 'unknown';

/** What is to be said about the server, although it can be used. */
export interface QueueWarning {
  readonly message: string;
  readonly hint: string;
}

/** Makes one job at each of its slots: with the id `ID.20261126T140000Z`. */
export interface Schedule {
  readonly id: string;
  readonly when: When;
  readonly job: { readonly kind: string; readonly site?: string; readonly data: Json; readonly priority?: number };
}

/**
 * Jobs that wait, run and are remembered. Any number of processes may have the same queue open (an embedded one: one process).
 * Calls reject with `LB_QUEUE_UNAVAILABLE` when the server does not answer in time; what was acknowledged is in the queue.
 */
export interface JobQueue extends AsyncDisposable {
  /** `Valkey 9.1.2`, for people. */
  readonly product: string;
  readonly warnings: readonly QueueWarning[];
  /**
   * Adds a job. When there is one of this id already, waiting, active, parked or done and not forgotten yet, nothing happens. Rejects
   * with `LB_JOB_INVALID`.
   */
  add(job: Job, options?: AddOptions): Promise<void>;
  /** Adds several at once. */
  addAll(jobs: readonly Job[], options?: AddOptions): Promise<void>;
  /**
   * Adds jobs of which each waits until the one before it is done. Again nothing happens when the last is there already. When one is parked, those
   * after it wait until it was retried; when one is cancelled or dropped, those after it are removed.
   */
  addSequence(jobs: readonly Job[], options?: AddOptions): Promise<void>;
  /** How a job stands; undefined when there is none of this id, or it was done and is forgotten. */
  status(id: string): Promise<JobStatus | undefined>;
  /** Jobs of a state, those first that come or came first; done, cancelled and parked ones newest first. At most `limit` (100). */
  list(filter: { readonly state: JobState; readonly limit?: number }): Promise<JobStatus[]>;
  counts(): Promise<JobCounts>;
  /**
   * Cancels a job, and the whole sequence it belongs to. One that waits is removed. Where one is active, its handler's signal fires, in
   * whatever process, and it ends as `cancelled`, unless it was done first.
   */
  cancel(id: string): Promise<CancelResult>;
  /**
   * How a job stands now, and each time that changes; ends when it is over. Changes in quick succession may be told as one. Rejects with
   * `LB_JOB_NOT_FOUND` when there is no such job, or no more, and with the signal's reason.
   */
  follow(id: string, signal?: AbortSignal): AsyncIterable<JobStatus>;
  /** Jobs that failed for good, newest first. At most `limit` (100). */
  parked(limit?: number): Promise<JobStatus[]>;
  /** Has a parked job tried again, as if for the first time. Rejects with `LB_JOB_NOT_FOUND` when there is none of this id. */
  retryParked(id: string): Promise<void>;
  /** Forgets a parked job, and the steps after it. Rejects with `LB_JOB_NOT_FOUND` when there is none of this id. */
  dropParked(id: string): Promise<void>;
  /**
   * Makes the schedules these and no others. Ticks become jobs while a worker runs that was given schedules. Rejects with
   * `LB_JOB_INVALID` for one that is malformed.
   */
  schedule(wanted: readonly Schedule[]): Promise<void>;
  close(): Promise<void>;
}
