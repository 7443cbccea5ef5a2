import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kills } from '../support/kills.ts';
import { describe, expect, it } from 'vitest';
import { openQueue } from '../../src/queue/index.ts';
import type { BullQueue, QueueSettings } from '../../src/queue/index.ts';
import { LOCKS } from '../../src/queue/worker-options.ts';
import { Child } from '../survival/child.ts';
import { TestbedError } from '../testbed/errors.ts';
import { startPostgres } from '../testbed/queue/postgres.ts';
import type { QueueServer } from '../testbed/queue/server.ts';
import { startValkey } from '../testbed/queue/valkey.ts';
import { done, job, MORTAL, until, untilState, work } from './working.ts';

/** How often a worker is killed. */
const KILLS = kills(100, 8);

/** Without `ms` its steps take until it is asked to end. */
const worker = (settings: QueueSettings, out: string, ms?: number, locks: 'mortal' | 'usual' = 'mortal'): Child =>
  new Child(new URL('worker.child.ts', import.meta.url), [JSON.stringify(settings), out, String(ms ?? ''), locks]);

/** What a step wrote, by job: how often it began and ended. */
async function ran(out: string): Promise<Map<string, { begun: number; ended: number }>> {
  const jobs = new Map<string, { begun: number; ended: number }>();
  for (const line of (await readFile(out, 'utf8')).split('\n').filter((one) => one !== '')) {
    const { begun, ended } = jobs.get(line.slice(1)) ?? { begun: 0, ended: 0 };
    jobs.set(line.slice(1), line.startsWith('+') ? { begun: begun + 1, ended } : { begun, ended: ended + 1 });
  }
  return jobs;
}

async function folder(): Promise<AsyncDisposable & { path: string; out: string }> {
  const path = await mkdtemp(join(tmpdir(), 'lifeboat-killed-'));
  const out = join(path, 'out');
  await writeFile(out, '');
  return { path, out, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

async function killWorkers(queue: BullQueue, settings: QueueSettings): Promise<void> {
  await using place = await folder();
  let added = 0;
  /** How often each job had begun when it was seen to be done. */
  const acknowledged = new Map<string, number>();
  for (let kill = 0; kill < KILLS; kill += 1) {
    await queue.addAll(Array.from({ length: 6 }, (_, i) => job(`k${kill}-${i}`, { site: `site-${i % 3}` })));
    added += 6;
    await using child = worker(settings, place.out, 30);
    await child.until('begins');
    // At every moment of a job's life, as it comes; once when something is acknowledged for certain.
    if (kill === 0) await until('a job is done', async () => (await queue.counts()).done > 0);
    else await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
    await child.kill();
    for (const { job: { id } } of await queue.list({ state: 'done', limit: added })) {
      if (!acknowledged.has(id)) acknowledged.set(id, (await ran(place.out)).get(id)?.begun ?? 0);
    }
  }
  await using _last = work(queue, async ({ job: { id } }) => {
    await writeFile(place.out, `+${id}\n-${id}\n`, { flag: 'a' });
    return { done: null };
  }, { locks: MORTAL });
  // What a killed worker has held back for a site comes by itself.
  await until('every job is done', async () => {
    const { done, parked } = await queue.counts();
    return done + parked === added;
  }, 120);
  expect(await queue.parked()).toEqual([]);
  const jobs = await ran(place.out);
  expect(jobs.size).toBe(added);
  // What is done is never begun again. One that ended twice had a worker that died before it could say that it was done.
  expect([...acknowledged].filter(([id, begun]) => jobs.get(id)?.begun !== begun)).toEqual([]);
  expect(acknowledged.size).toBeGreaterThan(0);
  expect([...jobs.values()].every(({ ended }) => ended >= 1)).toBe(true);
}

describe('a worker that is killed', () => {
  it(`loses no job on Valkey, killed ${KILLS} times`, async () => {
    await using server = await startValkey({ appendOnly: true });
    const settings: QueueSettings = { type: 'redis', url: server.url };
    await using queue = await openQueue(settings);
    await killWorkers(queue, settings);
  }, 600_000);

  it(`loses no job on PostgreSQL, killed ${KILLS} times`, async (ctx) => {
    const started = await startPostgres().catch((error: unknown) => {
      if (error instanceof TestbedError) return error.message;
      throw error;
    });
    if (typeof started === 'string') return ctx.skip(started);
    await using server: QueueServer = started;
    const settings: QueueSettings = { type: 'postgres', url: server.url };
    await using queue = await openQueue(settings);
    await killWorkers(queue, settings);
    return undefined;
  }, 600_000);

  it('has its job taken over, with the usual settings', async () => {
    await using server = await startValkey({ appendOnly: true });
    await using place = await folder();
    const settings: QueueSettings = { type: 'redis', url: server.url };
    await using queue = await openQueue(settings);
    await queue.add(job('long'));
    await using child = worker(settings, place.out, 60_000, 'usual');
    await child.until('begins');
    await using other = work(queue, done, { locks: LOCKS });
    await child.kill();
    await untilState(queue, 'long', 'done');
    expect(other.events.map(({ type }) => type)).toEqual(['taken-over', 'started', 'done']);
  });

  it('hands its jobs back when it is only asked to end', async () => {
    await using server = await startValkey();
    await using place = await folder();
    const settings: QueueSettings = { type: 'redis', url: server.url };
    await using queue = await openQueue(settings);
    await queue.addAll(Array.from({ length: 8 }, (_, i) => job(`j${i}`)));
    await using child = worker(settings, place.out);
    // As many as it does at once: all of them have begun, and no other, when it is told.
    await child.when(() => child.lines.filter((line) => line.startsWith('begins')).length === 4, 'the beginning of four jobs');
    child.signal('SIGTERM');
    await child.until('ended');
    expect(await queue.counts()).toMatchObject({ active: 0, waiting: 4, done: 4 });
  });
});

describe('a server that is killed', () => {
  it('loses nothing that was acknowledged, with an append-only file, and workers go on by themselves', async () => {
    await using server = await startValkey({ appendOnly: true });
    await using queue = await openQueue({ type: 'redis', url: server.url });
    let begun = 0;
    await using _worker = work(queue, async () => {
      begun += 1;
      await new Promise((resolve) => setTimeout(resolve, 5));
      return { done: null };
      // What ran when the server was killed is taken over after this time, and nothing else is though this process be halted for a while.
    }, { locks: { lockMs: 20_000, lookMs: 1_000, takeovers: 10 } });
    const acknowledged: string[] = [];
    const enough = new AbortController();
    const load = (async () => {
      for (let i = 0; !enough.signal.aborted; i += 1) {
        await queue.add(job(`a${i}`)).then(() => acknowledged.push(`a${i}`), () => undefined);
      }
    })();
    for (let kill = 0; kill < 3; kill += 1) {
      const seen = acknowledged.length;
      await until('jobs are being added', () => acknowledged.length > seen + 50);
      await server.kill();
      await new Promise((resolve) => setTimeout(resolve, 300));
      await server.restart();
    }
    enough.abort();
    await load;
    // Counts alone do not say it: a job that is being handed from one list to the next is in neither for a moment.
    await until('all that was acknowledged is done', async () => {
      const { waiting, active } = await queue.counts();
      if (waiting > 0 || active > 0) return false;
      const states = await Promise.all(acknowledged.map(async (id) => (await queue.status(id))?.state));
      return states.every((state) => state === 'done');
    });
    // Those that ran when it was killed may have run twice, ten at a time.
    expect(begun - (await queue.counts()).done).toBeLessThanOrEqual(30);
  });

  it('and has lost everything: schedules come back with the worker', async () => {
    await using server = await startValkey();
    await using queue = await openQueue({ type: 'redis', url: server.url });
    const schedules = () => [{ id: 'tick', when: { everyMs: 1000 }, job: { kind: 'test', data: null } }];
    await using first = work(queue, done, { schedules });
    await until('ticks make jobs', () => first.events.some(({ type }) => type === 'done'));
    await first.stop();
    await server.kill();
    await server.restart();
    await using second = work(queue, done, { schedules });
    await until('ticks make jobs again', () => second.events.some(({ type }) => type === 'done'));
  });
});

describe('the folder of an embedded queue', () => {
  it('is open in one process at a time, is free as soon as that is gone, and has all that was acknowledged', async () => {
    await using place = await folder();
    const settings: QueueSettings = { type: 'embedded', folder: join(place.path, 'queue') };
    {
      await using queue = await openQueue(settings);
      await expect(openQueue(settings)).rejects.toMatchObject({ code: 'LB_QUEUE_IN_USE', message: expect.stringContaining(String(process.pid)) as string });
      await queue.addAll(Array.from({ length: 20 }, (_, i) => job(`e${i}`)));
    }
    await using child = worker(settings, place.out, 50);
    await child.until('begins');
    await expect(openQueue(settings)).rejects.toMatchObject({ code: 'LB_QUEUE_IN_USE' });
    await child.kill();
    await using queue = await openQueue(settings);
    await using _worker = work(queue, done, { locks: MORTAL });
    await until('every job is done', async () => (await queue.counts()).done === 20);
  });
});
