import type { Surroundings } from '../access/surroundings.ts';
import type { Budget } from '../core/budget.ts';
import type { Clock } from '../core/clock.ts';
import type { OnProgress } from '../core/progress.ts';
import type { Json } from '../repository/api.ts';
import type { Job } from './job.ts';

/** One go at a job. */
export interface Step {
  /** Its signal fires when the job is cancelled, or its worker has to let go of it. */
  readonly surroundings: Surroundings;
  readonly budget: Budget;
  /** Fires when the step should put away what it has done, and end with `again`: its time is nearly over, or its worker is asked to end. */
  readonly until: AbortSignal;
  readonly clock: Clock;
  readonly onProgress: OnProgress;
  /** What the step before left for this one; undefined for a first step, and when the queue has lost it. */
  readonly memo: Json | undefined;
}

/**
 * `done`: what it came to, and jobs that follow from it. `again`: there was no time for more; the memo is for the next step.
 * `unconfirmed`: a person has to look at the plan first.
 */
export type StepOutcome =
  | { readonly done: Json; readonly next?: readonly FollowingJob[] }
  | { readonly again: Json }
  | { readonly unconfirmed: Json };

/** A job that follows from another, after so many milliseconds. */
export interface FollowingJob {
  readonly job: Job;
  readonly delayMs?: number;
}
