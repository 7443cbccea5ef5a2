import { LifeboatError } from '../core/errors.ts';
import type { AddOptions, Job } from './queue.ts';

/** Jobs carry names of things, not things: all of them are in memory on a Redis server. */
const MOST_BYTES = 16 * 1024;
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;
/** The queue gives numbers to jobs that have no id, so they cannot be ids. */
const NUMBER = /^\d+$/;

export const FIRST_PRIORITY = 1;
export const LAST_PRIORITY = 100;
export const USUAL_PRIORITY = 50;

/** Throws `LB_JOB_INVALID` when a job cannot be put into the queue. */
export function checkJob(job: Job, options: AddOptions = {}): void {
  checkId(job.id, 'job');
  const { priority = USUAL_PRIORITY, delay = 0 } = options;
  if (!Number.isInteger(priority) || priority < FIRST_PRIORITY || priority > LAST_PRIORITY) {
    throw invalid(job.id, `its priority is ${priority}, and priorities are whole numbers from ${FIRST_PRIORITY} to ${LAST_PRIORITY}`);
  }
  if (!Number.isFinite(delay) || delay < 0) throw invalid(job.id, `its delay is ${delay}`);
  const bytes = Buffer.byteLength(JSON.stringify(job.data));
  if (bytes > MOST_BYTES) throw invalid(job.id, `it carries ${bytes} bytes, and ${MOST_BYTES} is the most`);
}

/** Throws `LB_JOB_INVALID` when a name cannot be the id of a job or schedule. */
export function checkId(id: string, what: string): void {
  if (!ID.test(id) || NUMBER.test(id)) {
    throw invalid(id, `the id of a ${what} is letters, digits and "._-", at most 200, and not a number alone`);
  }
}

function invalid(id: string, why: string): LifeboatError {
  return new LifeboatError('LB_JOB_INVALID', `"${id.slice(0, 200)}" cannot be put into the queue: ${why}.`);
}
