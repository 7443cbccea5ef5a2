/** 300 sites that are backed up every five minutes by one worker, one more that never answers: how late they begin, and what that takes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFile, writeFile } from 'node:fs/promises';
import { systemClock } from '../../src/core/clock.ts';
import { Redactor } from '../../src/core/redact.ts';
import { openJobQueue } from '../../src/jobs/open.ts';
import { fromQueued } from '../../src/jobs/queued.ts';
import { WorkSurroundings } from '../../src/jobs/surroundings.ts';
import { fillSite } from '../../test/fixtures/fill.ts';
import { town } from '../../test/fixtures/town.ts';
import { startSite } from '../../test/testbed/kubernetes/site.ts';
import { startValkey } from '../../test/testbed/queue/valkey.ts';
import { held, median, noted } from '../figure.ts';
import type { Figure } from '../figure.ts';
import { BenchWorker, writePlace } from './place.ts';
import type { BenchPlan } from './place.ts';

const SITES = 300;
const CONTROL_PLANES = 3;
const OBJECTS = 700;
const EVERY = '5m';
/** Two rounds: the first stores everything, and counts as well. */
const RUN_MS = 10 * 60_000;
const STUCK = 'stuck';

export async function manySitesFigures(say: (line: string) => void): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-bench-'));
  const queue = await startValkey({ appendOnly: true });
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  try {
    const sites = await Promise.all(Array.from({ length: CONTROL_PLANES }, () => startSite({ name: 'bench', controllers: false })));
    try {
      say(`filling ${CONTROL_PLANES} sites with ${OBJECTS} objects each`);
      await Promise.all(sites.map((site) => fillSite(site.api, town(OBJECTS))));
      const stuck = join(folder, 'stuck.kubeconfig');
      const model = await readFile(sites[0]?.kubeconfigPath ?? '', 'utf8');
      await writeFile(stuck, model.replace(/server: .*/, `server: https://127.0.0.1:${(silent.address() as AddressInfo).port}`), { mode: 0o600 });
      const plans = Array.from({ length: SITES }, (_, n): BenchPlan => ({ name: `site-${n}`, kubeconfig: sites[n % CONTROL_PLANES]?.kubeconfigPath ?? '', every: EVERY }));
      const file = await writePlace(folder, queue.url, [...plans, { name: STUCK, kubeconfig: stuck, every: EVERY }]);
      return await measure(folder, file, say);
    } finally {
      await Promise.all(sites.map((site) => site.stop()));
    }
  } finally {
    silent.close();
    await queue.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(folder: string, file: string, say: (line: string) => void): Promise<readonly Figure[]> {
  const surroundings = new WorkSurroundings({ env: process.env, configFile: file, redactor: new Redactor() }, new AbortController().signal, ({ message }) => say(message));
  const jobs = await openJobQueue(surroundings);
  const began = Date.now();
  const worker = new BenchWorker(folder, ['--concurrency', '8']);
  try {
    while (Date.now() - began < RUN_MS) {
      await systemClock.sleep(30_000);
      if (!worker.running) throw new Error(`the worker has ended: ${worker.tail}`);
      const { done, waiting, active, parked } = await jobs.counts();
      const { peakMegabytes } = await worker.used();
      say(`${Math.round((Date.now() - began) / 1000)} s: ${done} done, ${waiting} waiting, ${active} active, ${parked} parked, ${Math.round(peakMegabytes)} MB`);
    }
    const used = await worker.used();
    const done = await jobs.list({ state: 'done', limit: 10_000 });
    const late: number[] = [];
    const took: number[] = [];
    const seen = new Set<string>();
    for (const { job: queued, startedAt, finishedAt } of done) {
      const job = fromQueued(queued);
      // What was due before the worker was there could not be on time.
      if (job.kind !== 'backup' || job.slot === undefined || startedAt === undefined || Date.parse(job.slot) < began) continue;
      late.push((startedAt - Date.parse(job.slot)) / 1000);
      took.push(((finishedAt ?? startedAt) - startedAt) / 1000);
      seen.add(job.plan);
    }
    const parked = (await jobs.parked()).filter(({ job }) => !job.id.includes(`.${STUCK}.`)).length;
    return [
      held('the latest begin of a tick of 300 sites', Math.max(...late), 's', '<=', 30),
      held('memory of the worker with 300 sites, at most', used.peakMegabytes, 'MB', '<=', 600),
      held('sites of 300 that were backed up', seen.size, 'sites', '>=', SITES),
      held('their jobs that failed', parked, 'jobs', '<=', 0),
      noted('ticks in ten minutes', late.length, 'ticks'),
      noted('a tick begins, median', median(late), 's'),
      noted('a tick takes, median', median(took), 's'),
      noted('processor time of the worker for each tick', used.cpuSeconds / done.length, 's'),
    ];
  } finally {
    await worker.stop();
    await jobs.close();
  }
}
