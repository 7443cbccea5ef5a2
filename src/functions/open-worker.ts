import { openWorkProcess } from '../jobs/process.ts';
import { surroundingsOf } from './job-surroundings.ts';
import type { QueueAccess, Worker } from './surroundings.ts';
import { VERSION } from './version.ts';

/** Jobs at once in a function: what most have is one processor, and jobs wait for servers most of the time. */
const CONCURRENCY = 4;
/** Steps that are under way are asked to end by the time that the function has. */
const NO_LIMIT = 24 * 3_600_000;

/** The queue, for those who do jobs: vaults and sites are opened when a job needs them. Throws `LB_QUEUE_…`, `LB_KEY_MISSING`. */
export async function openWorker(access: QueueAccess): Promise<Worker> {
  let steps = 0;
  const process = await openWorkProcess({
    surroundings: surroundingsOf(access),
    redactor: access.redactor,
    version: VERSION,
    tracing: access.tracing,
    observers: [{ began: () => void (steps += 1), ended: () => {} }],
  });
  return {
    async drain({ deadline, memory }, signal) {
      steps = 0;
      const pace = { concurrency: CONCURRENCY, stepMs: NO_LIMIT, schedules: false, ...(memory !== undefined && { memory }) };
      const end = await process.drain(pace, deadline ?? Date.now() + NO_LIMIT, signal);
      await process.telemetry.flush();
      return { steps, empty: end === 'empty' };
    },
  };
}
