import { messageOf } from '../core/errors.ts';
import type { Warning } from '../core/progress.ts';
import { drain, runWorker } from '../queue/index.ts';
import type { BullQueue, DrainEnd, Job as QueuedJob, WorkerEvent, WorkerOptions } from '../queue/index.ts';
import { newestDue, recurringOf } from './due.ts';
import type { Recurring } from './due.ts';
import type { JobObserver } from './events.ts';
import { jobHandler } from './handler.ts';
import type { Job } from './job.ts';
import { dataOf, fromQueued, toQueued, toQueuedSchedule } from './queued.ts';
import { seldom } from './seldom.ts';
import type { WorkSurroundings } from './surroundings.ts';

/** How a worker works. */
export interface WorkOptions {
  readonly queue: BullQueue;
  readonly surroundings: WorkSurroundings;
  /** Jobs at once. */
  readonly concurrency: number;
  /** Milliseconds that a step may take. */
  readonly stepMs: number;
  /** Bytes of memory that the process may take. */
  readonly memory: number;
  /** Told what happens. */
  readonly observers: readonly JobObserver[];
  /** Does a step, in what belongs around it. */
  readonly within?: <T>(job: Job, body: () => T) => T;
  /**
   * Gives a job what is to go with it, such as its trace: each that follows from another, and each that begins, which has waited so long,
   * ms. What a job has got it keeps.
   */
  readonly mark?: (job: Job, waitedMs?: number) => Job;
  /** Called when it was looked for what is due. */
  readonly onTick?: () => Promise<void>;
  readonly onWarning: (warning: Warning, job?: Job) => void;
}

export interface WorkerRunOptions extends WorkOptions {
  /** Whether schedules of lifeboat.yaml start jobs. Any number of workers may do that at once. */
  readonly schedules: boolean;
  /** Fires when it is to end. */
  readonly signal: AbortSignal;
}

/**
 * Works on jobs until the signal fires, and starts those that are due. What was missed, or lost with the queue, is found at the start.
 * Resolves when all steps have ended or were handed back.
 */
export async function work(options: WorkerRunOptions): Promise<void> {
  const { queue, surroundings, schedules, signal } = options;
  const recurring = recurringOf(await surroundings.config());
  if (schedules) await catchUp(options, recurring);
  await runWorker(queue, handlerOf(options), {
    ...workerOptions(options),
    signal,
    ...(schedules && {
      schedules: async () => {
        // Every minute: what a queue that was lost does not know comes back by it.
        await addDue(options, recurring);
        void options.onTick?.();
        return recurring.map(toQueuedSchedule);
      },
    }),
  });
}

/** Works on the jobs that are there, until none is left or the deadline is near. */
export async function drainJobs(options: WorkOptions & { readonly schedules?: boolean; readonly deadline: number; readonly signal?: AbortSignal }): Promise<DrainEnd> {
  const { queue, deadline, signal } = options;
  if (options.schedules === true) await catchUp(options, recurringOf(await options.surroundings.config()));
  // A function is ended hard when its time is over: little is left for a step that does not listen.
  return drain(queue, handlerOf(options), { ...workerOptions(options), deadline, graceMs: DRAIN_GRACE, ...(signal && { signal }) });
}

/** How long before a function ends its steps are asked to, ms. */
const DRAIN_GRACE = 5_000;

/**
 * Adds what is due and is not in the queue, and restores that were begun and did not end. Whoever has done a job already finds that out from
 * the vaults.
 */
async function catchUp(options: WorkOptions, recurring: readonly Recurring[]): Promise<void> {
  const { queue, surroundings, onWarning } = options;
  const config = await surroundings.config();
  const { unendedRestores } = await import('./unended.ts');
  const restores = await unendedRestores(surroundings).catch((error: unknown) => {
    onWarning({ kind: 'restores-unknown', message: `Whether restores were begun that did not end is not known: ${messageOf(error)}` });
    return [];
  });
  for (const job of restores) {
    const queued = toQueued(job, config);
    await queue.add(queued.job, queued.options);
  }
  await addDue(options, recurring);
}

/** Added to the priority of what was missed. */
const CAUGHT_UP = 5;

/** Puts the newest slot of everything into the queue, where it is not there yet. */
async function addDue({ queue, surroundings }: WorkOptions, recurring: readonly Recurring[]): Promise<void> {
  const config = await surroundings.config();
  const byPriority = new Map<number, QueuedJob[]>();
  for (const job of newestDue(recurring, Date.now())) {
    const queued = toQueued(job, config);
    // After what is on time: there may be hundreds.
    const priority = (queued.options.priority ?? 0) + CAUGHT_UP;
    byPriority.set(priority, [...(byPriority.get(priority) ?? []), queued.job]);
  }
  for (const [priority, jobs] of byPriority) await queue.addAll(jobs, { priority });
}

function handlerOf({ observers, surroundings, within, mark, onWarning }: WorkOptions): ReturnType<typeof jobHandler> {
  return jobHandler({ surroundings, observers, ...(within && { within }), ...(mark && { mark: (job) => mark(job) }), onWarning: (job, warning) => onWarning(warning, job) });
}

function workerOptions({ concurrency, stepMs, memory, observers, mark, onWarning }: WorkOptions): WorkerOptions {
  const trouble = seldom((message) => onWarning({ kind: 'queue', message }));
  return {
    concurrency,
    step: { ms: stepMs, memory },
    sites: { concurrency: 1 },
    ...(mark && { mark: (queued, waitedMs) => markedData(queued, waitedMs, mark) }),
    onEvent: (event) => tell(event, observers, trouble),
  };
}

/**
 * Jobs of schedules are put in again and again by all who find them due, and only one is done: what goes with a job is given to the one that
 * begins.
 */
function markedData(queued: QueuedJob, waitedMs: number, mark: NonNullable<WorkOptions['mark']>): QueuedJob['data'] | undefined {
  const job = fromQueued(queued);
  const marked = mark(job, waitedMs);
  return marked === job ? undefined : dataOf(marked);
}

function tell(event: WorkerEvent, observers: readonly JobObserver[], trouble: (message: string) => void): void {
  if (event.type === 'trouble') trouble(messageOf(event.error));
  if (event.type === 'taken-over' || event.type === 'tick' || event.type === 'trouble' || event.type === 'held') return;
  const job = fromQueued(event.job);
  for (const observer of observers) {
    if (event.type === 'started') observer.began(job, event.attempt, event.waitedMs);
    else observer.ended(job, endOf(event));
  }
}

type EndEvent = Exclude<WorkerEvent, { readonly type: 'started' | 'taken-over' | 'tick' | 'trouble' | 'held' }>;

function endOf(event: EndEvent): Parameters<JobObserver['ended']>[1] {
  const seconds = event.ms / 1000;
  switch (event.type) {
    case 'done': {
      const unconfirmed = typeof event.result === 'object' && event.result !== null && 'unconfirmed' in event.result;
      return { outcome: unconfirmed ? 'unconfirmed' : 'done', seconds, result: event.result };
    }
    case 'again':
      return { outcome: 'again', seconds };
    case 'retry':
    case 'parked':
      return { outcome: 'failed', seconds, failure: event.reason, last: event.type === 'parked' };
    case 'cancelled':
      return { outcome: 'canceled', seconds };
    case 'handed-back':
    case 'lost':
      return { outcome: 'handed-back', seconds };
    default:
      return event satisfies never;
  }
}
