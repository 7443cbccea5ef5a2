import type { Job, Json } from './queue.ts';

/** What a step may use. */
export interface StepBudget {
  /** When its time is over, in milliseconds since the epoch. A step that goes on is stopped by its signal then. */
  readonly deadline: number;
  /** Bytes of memory. */
  readonly memory: number;
}

/** One step of a job, for its handler. */
export interface Step {
  readonly job: Job;
  /** 1 for the first try, and one more for each try that failed. */
  readonly attempt: number;
  readonly budget: StepBudget;
  /** What the step before left for this one; undefined for a first. */
  readonly memo: Json | undefined;
  /** Fires when the job was cancelled, its time is over, its worker has to end now, or another worker has it: whatever is done after that may be done twice. */
  readonly signal: AbortSignal;
  /** Fires before that when the worker is asked to end: a step that can be suspended should be, and end with `again`. */
  readonly stopping: AbortSignal;
  /** Says how far it is, to whoever follows the job. Of calls in quick succession the last counts. Never rejects. */
  readonly progress: (value: Json) => void;
}

/**
 * How a step ended: the job is done; it goes on in another step, at once or after so many milliseconds; or it is done and these come next. A step may
 * be done twice, when its worker dies just before this is acknowledged; jobs that come next are added once, by their ids.
 */
export type StepOutcome = { readonly done: Json } | { readonly again: true; readonly memo?: Json; readonly after?: number } | { readonly next: readonly NextJob[]; readonly done?: Json };

/** A job that follows, with its priority (50 if not said). */
export interface NextJob extends Job {
  readonly priority?: number;
  /** Milliseconds that it waits at least. */
  readonly delay?: number;
}

/** Does one step of a job. A `LifeboatError` that can pass is tried again after a while; any other error parks the job at once. */
export type Handler = (step: Step) => Promise<StepOutcome>;
