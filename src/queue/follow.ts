import { LifeboatError } from '../core/errors.ts';
import type { JobState, JobStatus } from './queue.ts';
import type { Events } from './stored.ts';

/** What may change how a job stands. */
const CHANGES = ['waiting', 'delayed', 'active', 'progress', 'completed', 'failed', 'removed', 'stalled', 'waiting-children'] as const;
/** How it stands is looked at so often without being told: an event may be lost with the server that held it. */
const LOOK_MS = 5_000;

const OVER: ReadonlySet<JobState> = new Set<JobState>(['done', 'cancelled', 'parked']);

/** What of the queue is needed here. */
interface Followed {
  events(): Promise<Events>;
  status(id: string): Promise<JobStatus | undefined>;
}

/**
 * Events only say that there is something to look at: what is told is always what the server says now, so that nothing is told late, twice or
 * in the wrong order, and a slow listener needs no memory.
 */
export async function* followJob(queue: Followed, id: string, signal?: AbortSignal): AsyncGenerator<JobStatus> {
  const events = await queue.events();
  let wake: () => void = () => undefined;
  let changed = true;
  const onEvent = ({ jobId }: { jobId: string }): void => {
    if (jobId !== id) return;
    changed = true;
    wake();
  };
  const onAbort = (): void => wake();
  for (const change of CHANGES) events.on(change, onEvent);
  signal?.addEventListener('abort', onAbort);
  try {
    let last = '';
    for (;;) {
      signal?.throwIfAborted();
      changed = false;
      const status = await queue.status(id);
      if (status === undefined) {
        throw new LifeboatError('LB_JOB_NOT_FOUND', `There is no job "${id}" in the queue${last === '' ? '' : ' any more'}.`, {
          hint: 'Jobs that are done are forgotten after some days; what they did is in the vaults.',
        });
      }
      const text = JSON.stringify(status);
      if (text !== last) yield status;
      last = text;
      if (OVER.has(status.state)) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (changed || signal?.aborted === true) return resolve();
        const timer = setTimeout(resolve, LOOK_MS);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  } finally {
    for (const change of CHANGES) events.off(change, onEvent);
    signal?.removeEventListener('abort', onAbort);
  }
}
