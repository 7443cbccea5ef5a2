import type { CancelResult } from './queue.ts';
import type { StoredJob, StoredQueue } from './stored.ts';

/** Told to workers when a job that is active is cancelled. */
export const CANCEL = 'cancel';

/** What of the queue is needed here. */
interface Jobs {
  readonly jobs: StoredQueue;
  tell(event: { readonly eventName: string; readonly jobId: string }): Promise<void>;
}

/** Longer sequences than this are not made; it ends the walk along one whose end is being removed meanwhile. */
const LONGEST_SEQUENCE = 100;

/** Cancels a job and the sequence it is part of. */
export async function cancelJob(queue: Jobs, id: string): Promise<CancelResult> {
  const job = await queue.jobs.getJob(id);
  if (job === undefined) return 'unknown';
  const state = await job.getState();
  if (state === 'completed' || state === 'failed') return 'over';
  const steps = await stepsUpTo(queue, job);
  await removeAfter(queue, job);
  let result: CancelResult = 'removed';
  for (const step of steps) {
    if ((await stop(queue, step)) === 'stopping') result = 'stopping';
  }
  return result;
}

/** Removes a job that is not active, those after it in its sequence, and those before it. */
export async function removeSequence(queue: Jobs, id: string): Promise<void> {
  const job = await queue.jobs.getJob(id);
  if (job === undefined) return;
  await removeAfter(queue, job);
  await job.remove({ removeChildren: false });
}

/** The steps after a job, last first. Each is removed before the one it waits for, which would else set it free. */
export async function removeAfter(queue: Jobs, job: StoredJob): Promise<void> {
  const after: StoredJob[] = [];
  let current = job;
  while (current.parent !== undefined && current.parent !== null && after.length < LONGEST_SEQUENCE) {
    const next = await queue.jobs.getJob(current.parent.id ?? '');
    if (next === undefined) break;
    after.unshift(next);
    current = next;
  }
  for (const one of after) await one.remove({ removeChildren: false }).catch(() => undefined);
}

/** A job and those before it that are not done, last first. */
async function stepsUpTo(queue: Jobs, job: StoredJob): Promise<StoredJob[]> {
  const steps = [job];
  for (let current = job; steps.length < LONGEST_SEQUENCE; ) {
    const { unprocessed = [] } = await current.getDependencies();
    const id = unprocessed[0]?.split(':').at(-1);
    const before = id === undefined ? undefined : await queue.jobs.getJob(id);
    if (before === undefined) break;
    steps.push(before);
    current = before;
  }
  return steps;
}

/** A worker that takes the job meanwhile finds the mark, and one that has it hears of it. */
async function stop(queue: Jobs, job: StoredJob): Promise<'removed' | 'stopping'> {
  await job.updateData({ ...job.data, cancelled: true });
  if ((await job.getState()) !== 'active') {
    try {
      await job.remove({ removeChildren: false });
      return 'removed';
    } catch {
      // A worker has taken it in this moment.
    }
  }
  await queue.tell({ eventName: CANCEL, jobId: job.id ?? '' });
  return 'stopping';
}
