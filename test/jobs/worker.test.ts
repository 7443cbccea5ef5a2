import { rm } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Redactor } from '../../src/core/redact.ts';
import { jobSchema, requestJobId } from '../../src/jobs/job.ts';
import type { Job, RestoreOrder } from '../../src/jobs/job.ts';
import { openJobQueue } from '../../src/jobs/open.ts';
import { QueueJobs } from '../../src/jobs/queue-service.ts';
import type { JobStatus } from '../../src/jobs/service.ts';
import { WorkSurroundings } from '../../src/jobs/surroundings.ts';
import { work } from '../../src/jobs/worker.ts';
import type { BullQueue } from '../../src/queue/index.ts';
import { edit, furnish, makeHome } from '../cli/home.ts';
import type { Home } from '../cli/home.ts';
import { configMap, openPlace, text } from '../pipeline/scene.ts';
import type { Place } from '../pipeline/scene.ts';
import { CALLER, collecting, spansOf, TRACEPARENT, workOff, workProcess } from './tracing.ts';

/** For anything that is waited for. */
const PATIENCE_MS = 200_000;

let place: Place;
let target: Place;
let original: Home;
beforeAll(async () => {
  [place, target] = await Promise.all([openPlace({ name: 'prod', controllers: false }), openPlace({ name: 'other', controllers: false })]);
  await furnish(place.site, 'shop');
  original = await makeHome(place.site);
  await edit(original, 'lifeboat.yaml', /^sites:\n/m, `sites:\n  other: { kubeconfig: "${target.site.kubeconfigPath}" }\n`);
});
afterAll(async () => {
  await place?.[Symbol.asyncDispose]();
  await target?.[Symbol.asyncDispose]();
  if (original !== undefined) await rm(original.folder, { recursive: true, force: true });
});

/** A worker in this process, with a queue of its own. */
class Working {
  readonly home: Home;
  readonly queue: BullQueue;
  readonly jobs: QueueJobs;
  readonly warnings: string[] = [];
  readonly #stop = new AbortController();
  readonly #working: Promise<void>;

  private constructor(home: Home, queue: BullQueue, surroundings: WorkSurroundings, jobs: QueueJobs, schedules: boolean) {
    this.home = home;
    this.queue = queue;
    this.jobs = jobs;
    this.#working = work({
      queue,
      surroundings,
      concurrency: 4,
      stepMs: 120_000,
      memory: 2 ** 30,
      observers: [],
      onWarning: ({ message }) => this.warnings.push(message),
      schedules,
      signal: this.#stop.signal,
    });
    this.#working.catch(() => {});
  }

  static async begin(home: Home, schedules = false): Promise<Working> {
    const surroundings = new WorkSurroundings({ env: process.env, configFile: home.path('lifeboat.yaml'), redactor: new Redactor() }, new AbortController().signal, () => {});
    const queue = await openJobQueue(surroundings);
    return new Working(home, queue, surroundings, new QueueJobs(queue, await surroundings.config()), schedules);
  }

  /** How a job ended. */
  async end(job: Job): Promise<JobStatus> {
    let last: JobStatus | undefined;
    for await (const status of this.jobs.follow(job.id, AbortSignal.timeout(PATIENCE_MS))) {
      last = status;
      if (status.state === 'unconfirmed') break;
    }
    if (last === undefined) throw new Error(`nothing is known of ${job.id}`);
    return last;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#working;
    await this.queue.close();
  }
}

const request = (kind: 'backup' | 'verify' | 'retain' | 'replicate'): Job =>
  jobSchema.parse({ kind, id: requestJobId(kind, Date.now()), requestedBy: 'ada', at: new Date().toISOString(), ...(kind !== 'retain' && { plan: 'prod' }) });
const restoreOf = (order: Partial<RestoreOrder>): Job =>
  jobSchema.parse({ kind: 'restore', id: requestJobId('restore', Date.now()), requestedBy: 'ada', at: new Date().toISOString(), request: { plan: 'prod', target: 'other', ...order } });

let working: Working | undefined;
let home: Home;
beforeEach(async () => {
  home = await original.copy();
});
afterEach(async () => {
  await working?.stop();
  working = undefined;
});

describe('a worker', () => {
  it('does a job once, however often it is handed over', async () => {
    working = await Working.begin(home);
    const job = request('backup');
    expect(await working.jobs.submit(job)).toBe(true);
    expect(await working.jobs.submit(job)).toBe(false);
    expect(await working.end(job)).toMatchObject({ state: 'done', result: { complete: true, safe: true } });
    expect(await working.jobs.submit(job)).toBe(false);
    const points = await home.json(z.object({ points: z.array(z.unknown()) }), 0, ['points']);
    expect(points.points).toHaveLength(1);
  });

  it('backs up, verifies, brings level, cleans up and restores', async () => {
    working = await Working.begin(home);
    for (const kind of ['backup', 'replicate', 'verify', 'retain'] as const) {
      const job = request(kind);
      await working.jobs.submit(job);
      expect(await working.end(job)).toMatchObject({ state: 'done', job: { kind } });
    }
    const job = restoreOf({});
    await working.jobs.submit(job);
    expect(await working.end(job)).toMatchObject({ state: 'done', result: { ok: true } });
    expect(await target.find(configMap('shop', 'prices'))).toMatchObject({ data: { bread: '3.20' } });
    expect((await working.jobs.list({ kind: 'restore' })).map((status) => status.job.id)).toEqual([job.id]);
  });

  it('has what follows from a job in the same trace, whether traces are made or not', async () => {
    const collector = await collecting();
    for (const made of [true, false]) {
      const two = await original.copy();
      await rm(two.path('far'), { recursive: true });
      const process = await workProcess(two, made ? collector : undefined);
      await process.jobs.submit({ ...request('backup'), traceparent: TRACEPARENT });
      await workOff(process);
      const [replicate] = await process.jobs.list({ kind: 'replicate' });
      await process.close();
      const [step, submit] = ['backup step', 'submit replicate'].map((name) => spansOf(collector, name)[0]);
      expect(submit).toMatchObject({ traceId: CALLER.traceId, parentSpanId: step?.spanId });
      expect(replicate?.job.traceparent).toBe(made ? `00-${CALLER.traceId}-${submit?.spanId}-01` : TRACEPARENT);
    }
  });

  it('carries a restore out that was confirmed, and shows it as one job', async () => {
    working = await Working.begin(home);
    const backup = request('backup');
    await working.jobs.submit(backup);
    await working.end(backup);
    const prices = configMap('shop', 'prices');
    const first = restoreOf({ existing: 'skip' });
    await working.jobs.submit(first);
    await working.end(first);
    await target.site.api.patch(await target.site.api.pathOf(prices), { data: { bread: '99' } });

    const job = restoreOf({ existing: 'update' });
    await working.jobs.submit(job);
    const unconfirmed = await working.end(job);
    expect(unconfirmed).toMatchObject({ state: 'unconfirmed', result: { unconfirmed: { plan: { update: ['ConfigMap shop/prices'] } } } });
    await expect(working.jobs.confirm(job.id, { digest: 'f'.repeat(64), by: 'grace' })).rejects.toMatchObject({ code: 'LB_CONFIRMATION' });
    const { digest } = z.object({ unconfirmed: z.object({ plan: z.object({ digest: z.string() }) }) }).parse(unconfirmed.result).unconfirmed.plan;
    await working.jobs.confirm(job.id, { digest, by: 'grace' });
    for await (const status of working.jobs.follow(job.id, AbortSignal.timeout(PATIENCE_MS))) if (status.state === 'done') break;
    expect(await working.jobs.status(job.id)).toMatchObject({ job: { id: job.id }, state: 'done', result: { ok: true } });
    expect(await target.find(prices)).toMatchObject({ data: { bread: '3.20' } });
  });

  it('parks what cannot succeed at once, with the reason', async () => {
    working = await Working.begin(home);
    const job = restoreOf({ point: '20200101T000000Z-00000000' });
    await working.jobs.submit(job);
    expect(await working.end(job)).toMatchObject({ state: 'failed', failure: { code: 'LB_POINT_NOT_FOUND', message: text('no recovery point') } });
  });

  it('starts what is due, once a slot, and what was missed when it begins', async () => {
    await edit(home, 'lifeboat.yaml', /^ {4}site: prod\n/m, '    site: prod\n    schedule: { every: 3s }\n');
    working = await Working.begin(home, true);
    const deadline = Date.now() + PATIENCE_MS;
    const done = async (): Promise<readonly JobStatus[]> => (await (working as Working).jobs.list({ kind: 'backup', state: 'done' })).filter(({ result }) => typeof result === 'object' && result !== null && 'point' in result);
    while ((await done()).length < 3 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 200));
    const slots = (await done()).map(({ job }) => (job.kind === 'backup' ? job.slot : undefined));
    expect(slots.length).toBeGreaterThanOrEqual(3);
    expect(new Set(slots).size).toBe(slots.length);
  });

  it('finds in the vaults that a slot was done when the queue has lost everything', async () => {
    await edit(home, 'lifeboat.yaml', /^ {4}site: prod\n/m, '    site: prod\n    schedule: { every: 30d }\n');
    working = await Working.begin(home, true);
    const [first] = await seen(working, 'done');
    await working.stop();
    await rm(home.path('.lifeboat'), { recursive: true });
    working = await Working.begin(home, true);
    const [again] = await seen(working, 'done');
    expect(again).toMatchObject({ job: { id: first?.job.id }, result: { covered: text(/./) } });
    const points = await home.json(z.object({ points: z.array(z.unknown()) }), 0, ['points']);
    expect(points.points).toHaveLength(1);
  });
});

/** Backups in a state, as soon as there are any. */
async function seen({ jobs }: Working, state: 'done'): Promise<readonly JobStatus[]> {
  for (let tries = 0; tries < 1_000; tries++) {
    const found = await jobs.list({ kind: 'backup', state });
    if (found.length > 0) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return [];
}
