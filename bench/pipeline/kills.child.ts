// A worker that never ends a job which nobody has begun before: it is to be killed. What was begun before it ends at once.
// usage: node kills.child.ts QUEUE_URL LOG_FILE
import { appendFileSync, readFileSync } from 'node:fs';
import { openQueue, runWorker } from '../../src/queue/index.ts';

const [url = '', log = ''] = process.argv.slice(2);
const queue = await openQueue({ type: 'redis', url });
const note = (what: string, id: string): void => appendFileSync(log, `${JSON.stringify({ what, id, pid: process.pid, at: Date.now() })}\n`);
await runWorker(
  queue,
  async ({ job, signal }) => {
    const before = readFileSync(log, 'utf8').includes(`"what":"begun","id":"${job.id}"`);
    note('begun', job.id);
    if (!before) {
      await new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      });
    }
    note('ended', job.id);
    return { done: null };
  },
  { concurrency: 1, step: { ms: 3_600_000, memory: 2 ** 30 }, signal: new AbortController().signal },
);
