import { z } from 'zod';
import { stopSignal } from '../core/budget.ts';
import { systemClock } from '../core/clock.ts';
import type { OnWarning, Progress } from '../core/progress.ts';
import type { Handler, NextJob, Step as QueueStep, StepOutcome as QueueOutcome } from '../queue/index.ts';
import type { JobObserver } from './events.ts';
import type { Job } from './job.ts';
import { fromQueued, toQueued } from './queued.ts';
import type { FollowingJob, StepOutcome } from './step.ts';
import type { WorkSurroundings } from './surroundings.ts';
import { workOn } from './work/work.ts';

/** How a step tells of itself what its own result does not. */
export interface HandlerOptions {
  readonly surroundings: WorkSurroundings;
  readonly observers: readonly JobObserver[];
  /** Does a step, in what belongs around it. */
  readonly within?: <T>(job: Job, body: () => T) => T;
  /** Gives a job that follows from another what is to go with it, such as its trace. */
  readonly mark?: (job: Job) => Job;
  /** Told the warnings of each job. */
  readonly onWarning: (job: Job, ...warning: Parameters<OnWarning>) => void;
}

const memoSchema = z.object({ steps: z.int(), memo: z.json() });

/** Does steps of jobs for a worker of the queue. */
export function jobHandler({ surroundings: whole, observers, within = (_, body) => body(), mark = (job) => job, onWarning }: HandlerOptions): Handler {
  return async (queued: QueueStep): Promise<QueueOutcome> => {
    const job = fromQueued(queued.job);
    const before = memoSchema.safeParse(queued.memo).data;
    const steps = (before?.steps ?? 0) + 1;
    const surroundings = whole.forStep(queued.signal, (warning) => onWarning(job, warning));
    const stop = stopSignal(queued.budget, systemClock.now());
    try {
      queued.progress({ steps });
      const step = {
        surroundings,
        budget: queued.budget,
        until: AbortSignal.any([stop.signal, queued.stopping]),
        clock: systemClock,
        onProgress: (progress: Progress) => {
          queued.progress({ steps, progress: { ...progress } });
          for (const observer of observers) observer.progressed?.(job, progress);
        },
        memo: before?.memo,
      };
      return await within(job, async () => told(await workOn(job, step), steps, surroundings, mark));
    } finally {
      stop.clear();
    }
  };
}

async function told(outcome: StepOutcome, steps: number, surroundings: WorkSurroundings, mark: (job: Job) => Job): Promise<QueueOutcome> {
  if ('again' in outcome) return { again: true, memo: { steps, memo: outcome.again } };
  if ('unconfirmed' in outcome) return { done: { unconfirmed: outcome.unconfirmed } };
  if (outcome.next === undefined) return { done: outcome.done };
  const config = await surroundings.config();
  return { done: outcome.done, next: outcome.next.map((following) => asNext(following, toQueued(mark(following.job), config))) };
}

function asNext({ delayMs }: FollowingJob, { job, options }: ReturnType<typeof toQueued>): NextJob {
  return { ...job, ...(options.priority !== undefined && { priority: options.priority }), ...(delayMs !== undefined && { delay: delayMs }) };
}
