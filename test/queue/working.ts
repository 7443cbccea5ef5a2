import type { BullQueue, Handler, Job, RunOptions, WorkerEvent } from '../../src/queue/index.ts';
import { runWorker } from '../../src/queue/run.ts';
import type { LockOptions } from '../../src/queue/worker-options.ts';

/**
 * Options of a worker for tests: quick to try again. Nobody takes its jobs over: a machine on which much runs may halt this process for
 * seconds, and whoever takes jobs of a worker that lives makes them run twice.
 */
export const QUICK = {
  concurrency: 10,
  step: { ms: 60_000, memory: 64 * 1024 * 1024 },
  retries: { tries: 3, firstMs: 20, longestMs: 100 },
  locks: { lockMs: 120_000, lookMs: 60_000, takeovers: 5 },
  graceMs: 5_000,
} as const;

/** For workers that are killed, often and with the same jobs: soon taken over. */
export const MORTAL: LockOptions = { lockMs: 2_000, lookMs: 500, takeovers: 1_000 };

/** A worker of a test. It ends with the test, or before with `stop`. */
export interface Working extends AsyncDisposable {
  readonly events: WorkerEvent[];
  stop(): Promise<void>;
}

/** Starts a worker in this process. */
export function work(queue: BullQueue, handler: Handler, options: Partial<RunOptions> = {}): Working {
  const end = new AbortController();
  const events: WorkerEvent[] = [];
  const running = runWorker(queue, handler, { ...QUICK, signal: end.signal, onEvent: (event) => events.push(event), ...options });
  const stop = async (): Promise<void> => {
    end.abort();
    await running;
  };
  return { events, stop, [Symbol.asyncDispose]: stop };
}

/** A handler that ends at once. */
export const done: Handler = async () => ({ done: null });

export function job(id: string, more: Partial<Job> = {}): Job {
  return { id, kind: 'test', data: null, ...more };
}

/** Waits until something is so. Rejects after so many seconds. */
export async function until(what: string, is: () => boolean | Promise<boolean>, seconds = 90): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await is())) {
    if (Date.now() > deadline) throw new Error(`not so after ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export async function untilState(queue: BullQueue, id: string, state: string): Promise<void> {
  await until(`${id} is ${state}`, async () => (await queue.status(id))?.state === state);
}
