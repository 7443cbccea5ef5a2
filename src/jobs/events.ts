import type { Progress } from '../core/progress.ts';
import type { Json } from '../repository/api.ts';
import type { Job } from './job.ts';
import type { JobFailure } from './service.ts';

/** What became of a step. `last`: the job is given up; else it is tried again. */
export type StepEnd =
  | { readonly outcome: 'done' | 'unconfirmed'; readonly seconds: number; readonly result: Json }
  | { readonly outcome: 'again'; readonly seconds: number }
  | { readonly outcome: 'failed'; readonly seconds: number; readonly failure: JobFailure; readonly last: boolean }
  | { readonly outcome: 'canceled' | 'handed-back'; readonly seconds: number };

/** Is told what happens to jobs: for logs, metrics, traces and messages. Never throws, and is not waited for. */
export interface JobObserver {
  /** `waitedMs`: how long the step was due and waited for a worker, where that is known. */
  began(job: Job, attempt: number, waitedMs?: number): void;
  /** How far the step is. Cheap to call often. */
  progressed?(job: Job, progress: Progress): void;
  ended(job: Job, end: StepEnd): void;
}
