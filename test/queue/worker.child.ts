/**
 * A worker in a process of its own, which may be killed at any moment: `worker.child.ts SETTINGS OUT MS mortal|usual`. Each step appends its
 * job's id to the file OUT when it begins (`+id`) and when it ends (`-id`), and takes MS milliseconds; without MS until it is asked to end.
 */
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openQueue } from '../../src/queue/index.ts';
import type { QueueSettings } from '../../src/queue/index.ts';
import { runWorker } from '../../src/queue/run.ts';
import { MORTAL, QUICK } from './working.ts';

const [settings = '', out = '', ms = '', locks = 'mortal'] = process.argv.slice(2);
const end = new AbortController();
process.once('SIGTERM', () => end.abort());
const queue = await openQueue(JSON.parse(settings) as QueueSettings);
const { locks: _locks, ...rest } = QUICK;
await runWorker(
  queue,
  async ({ job, stopping }) => {
    appendFileSync(out, `+${job.id}\n`);
    console.log(`begins ${job.id}`);
    if (ms !== '') await sleep(Number(ms));
    else if (!stopping.aborted) await once(stopping, 'abort');
    appendFileSync(out, `-${job.id}\n`);
    return { done: null };
  },
  { ...rest, ...(locks === 'mortal' ? { locks: MORTAL } : {}), concurrency: 4, signal: end.signal },
);
await queue.close();
console.log('ended');
