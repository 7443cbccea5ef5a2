import { Cancelled } from '../core/budget.ts';
import { LifeboatError, isLifeboatError } from '../core/errors.ts';
import type { Handler, StepOutcome } from './handler.ts';
import type { Job, Json } from './queue.ts';

/** Why a step was stopped. */
export type StopReason = 'cancelled' | 'deadline' | 'ending' | 'lost';

/** How a step ended, seen from outside. */
export type StepEnd =
  | { readonly is: 'outcome'; readonly outcome: StepOutcome }
  | { readonly is: 'failed'; readonly error: unknown }
  | { readonly is: 'stopped'; readonly why: StopReason };

/** A handler that does not end so long after its signal has fired is left to itself. */
const DEAF_MS = 5_000;

/** A step that runs, and can be stopped for a reason. */
export class RunningStep {
  readonly job: Job;
  readonly end: Promise<StepEnd>;
  readonly #hard = new AbortController();
  readonly #stopped = Promise.withResolvers<StepEnd>();
  #why: StopReason | undefined;

  constructor(handler: Handler, job: Job, attempt: number, budget: { deadline: number; memory: number }, memo: Json | undefined, stopping: AbortSignal, progress: (value: Json) => void) {
    this.job = job;
    const timer = setTimeout(() => this.stop('deadline'), Math.max(0, budget.deadline - Date.now()));
    const step = { job, attempt, budget, memo, signal: this.#hard.signal, stopping, progress };
    const work = (async () => await handler(step))().then<StepEnd, StepEnd>(
      (outcome) => ({ is: 'outcome', outcome }),
      (error: unknown) => (this.#why === undefined ? { is: 'failed', error } : { is: 'stopped', why: this.#why }),
    );
    this.end = Promise.race([work, this.#stopped.promise]).finally(() => clearTimeout(timer));
  }

  /** Fires its signal. What the handler makes of it counts, if it ends soon; a step that was done all the same is done. */
  stop(why: StopReason): void {
    if (this.#why !== undefined) return;
    this.#why = why;
    this.#hard.abort(reasonOf(why));
    // Not kept waiting for: a process that ends does not wait for what does not listen.
    setTimeout(() => this.#stopped.resolve({ is: 'stopped', why }), DEAF_MS).unref();
  }
}

/** What the handler's signal carries. */
function reasonOf(why: StopReason): LifeboatError {
  if (why === 'cancelled') return new Cancelled();
  return why === 'deadline' ? deadlineError() : new LifeboatError('LB_INTERRUPTED', INTERRUPTED[why]);
}

const INTERRUPTED: Readonly<Record<Exclude<StopReason, 'cancelled' | 'deadline'>, string>> = {
  ending: 'The worker has to end; another one goes on with the job.',
  lost: 'Another worker has this job, because this one was cut off from the queue for too long.',
};

export function deadlineError(): LifeboatError {
  return new LifeboatError('LB_DEADLINE', 'A step of the job did not end in the time it had.', {
    hint: 'Give steps more time, or find out what hangs.',
  });
}

/** Whether the same job may succeed later, with nothing changed. */
export function canPass(error: unknown): boolean {
  return isLifeboatError(error) && error.retriable;
}
