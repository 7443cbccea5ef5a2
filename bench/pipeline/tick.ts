/** How long it takes from an event to a safe point in two vaults when nothing has changed, beside a cut that goes nowhere. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redactor } from '../../src/core/redact.ts';
import { jobSchema, requestJobId } from '../../src/jobs/job.ts';
import { openJobs } from '../../src/jobs/open.ts';
import type { JobService } from '../../src/jobs/service.ts';
import { WorkSurroundings } from '../../src/jobs/surroundings.ts';
import { connectSite } from '../../src/site/connect.ts';
import { cutSite } from '../../src/site/cut.ts';
import { fillSite } from '../../test/fixtures/fill.ts';
import { town } from '../../test/fixtures/town.ts';
import { startSite } from '../../test/testbed/kubernetes/site.ts';
import { startValkey } from '../../test/testbed/queue/valkey.ts';
import { held, median, noted } from '../figure.ts';
import type { Figure } from '../figure.ts';
import { BenchWorker, writePlace } from './place.ts';

const OBJECTS = 10_000;
const WARM = 2;
const ROUNDS = 7;

export async function tickFigures(say: (line: string) => void): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-bench-'));
  const queue = await startValkey({ appendOnly: true });
  try {
    await using site = await startSite({ name: 'bench', controllers: false });
    say(`filling a site with ${OBJECTS} objects`);
    await fillSite(site.api, town(OBJECTS));
    const file = await writePlace(folder, queue.url, [{ name: 'bench', kubeconfig: site.kubeconfigPath }]);
    const worker = new BenchWorker(folder);
    const surroundings = new WorkSurroundings({ env: process.env, configFile: file, redactor: new Redactor() }, new AbortController().signal, ({ message }) => say(message));
    const jobs = await openJobs(surroundings);
    const connection = await connectSite({ name: 'bench', kubeconfig: site.kubeconfigPath });
    try {
      const ticks: number[] = [];
      const cuts: number[] = [];
      for (let round = 0; round < WARM + ROUNDS; round++) {
        const tick = await timed(() => backUp(jobs));
        const cut = await timed(() => cutSite(connection, { sink: { type: () => ({ object: () => {}, end: () => Promise.resolve() }), restart: () => {} } }));
        say(`tick ${tick.toFixed(2)} s, bare cut ${cut.toFixed(2)} s${round < WARM ? ' (warming up)' : ''}`);
        if (round < WARM) continue;
        ticks.push(tick);
        cuts.push(cut);
      }
      const { peakMegabytes } = await worker.used();
      return [
        held('backup tick, nothing changed, times a bare cut', median(ticks) / median(cuts), 'x', '<=', 2),
        noted('the tick', median(ticks), 's'),
        noted('the bare cut', median(cuts), 's'),
        noted('memory of the worker, at most', peakMegabytes, 'MB'),
      ];
    } finally {
      await connection.close();
      await jobs.close();
      await worker.stop();
    }
  } finally {
    await queue.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function backUp(jobs: JobService): Promise<void> {
  const job = jobSchema.parse({ kind: 'backup', id: requestJobId('backup', Date.now()), requestedBy: 'bench', at: new Date().toISOString(), plan: 'bench' });
  await jobs.submit(job);
  for await (const status of jobs.follow(job.id, AbortSignal.timeout(300_000))) {
    if (status.state === 'failed') throw new Error(`${status.failure?.code}: ${status.failure?.message}`);
    if (status.state === 'done') return;
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}
