import type { BullQueue } from './bull-queue.ts';
import { calling } from './errors.ts';
import type { Handler } from './handler.ts';
import { GRACE_MS } from './worker-options.ts';
import type { DrainOptions, RunOptions } from './worker-options.ts';

/**
 * Takes jobs and runs them until the signal fires, and resolves when all that ran has ended or was handed back. Rejects only when it cannot
 * begin. While the server is away it waits for it.
 */
export async function runWorker(queue: BullQueue, handler: Handler, options: RunOptions): Promise<void> {
  const { signal } = options;
  if (signal.aborted) return;
  // Loaded here, so that a function that only adds jobs carries no worker.
  const { JobWorker } = await import('./worker.ts');
  const { TickWorker } = await import('./tick-worker.ts');
  const events = await calling(queue.backend.where, () => queue.events());
  const ticks = options.schedules === undefined ? undefined : new TickWorker(queue, options);
  const worker = new JobWorker(queue, events, handler, options, Number.POSITIVE_INFINITY);
  try {
    await ticks?.start();
    worker.start();
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  } finally {
    await Promise.all([worker.stop(), ticks?.stop()]);
  }
}

/** A function's worker asks so often whether there is anything left. */
const LOOK_MS = 100;
/** Two looks in a row that find nothing: a job that is just being handed from one list to the next is in neither for a moment. */
const EMPTY_LOOKS = 2;

/** Why a worker that had so much time has ended. */
export type DrainEnd = 'empty' | 'deadline' | 'stopped';

/**
 * Takes jobs and runs them until none is waiting that could be taken now, or its time is nearly over. Steps that do not end by then are handed back, to
 * be taken at once by the next.
 */
export async function drain(queue: BullQueue, handler: Handler, options: DrainOptions): Promise<DrainEnd> {
  const { deadline, signal, graceMs = GRACE_MS } = options;
  const last = deadline - graceMs;
  const { JobWorker } = await import('./worker.ts');
  const events = await calling(queue.backend.where, () => queue.events());
  const worker = new JobWorker(queue, events, handler, options, deadline);
  try {
    worker.start();
    let empty = 0;
    while (Date.now() < last) {
      if (signal?.aborted === true) return 'stopped';
      const { waiting = 0, prioritized = 0, active = 0 } = await calling(queue.backend.where, () => queue.jobs.getJobCounts('waiting', 'prioritized', 'active'));
      // What others run may bring more, which they can take themselves.
      empty = waiting + prioritized === 0 && (worker.running === 0 || active === 0) ? empty + 1 : 0;
      if (empty >= EMPTY_LOOKS) return 'empty';
      await new Promise((resolve) => setTimeout(resolve, Math.min(LOOK_MS, Math.max(0, last - Date.now()))));
    }
    return 'deadline';
  } finally {
    // No timer runs for longer than some weeks.
    await worker.stop(Math.min(GRACE_MS, Math.max(0, deadline - Date.now() - HAND_BACK_MS)));
  }
}

/** To tell the server, before the deadline, what could not be ended. */
const HAND_BACK_MS = 2_000;
