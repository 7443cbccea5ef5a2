import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'bullmq';
import type { Job as BullJob, IQueueBackend } from 'bullmq';
import { expect, it, vi } from 'vitest';
import type { Handler } from '../../src/queue/index.ts';
import { drain } from '../../src/queue/run.ts';
import { strategy } from '../../src/queue/tick.ts';
import type { TickData } from '../../src/queue/tick.ts';
import type { Opened } from './contract.ts';
import { QUICK, done, job, until, untilState, work } from './working.ts';

const YEAR_MS = 365 * 86_400_000;

/** Limits of sites, schedules, and workers that have so much time. */
export function sitesContract(opened: Opened): void {
  it('makes a job at each slot of a schedule, one however many workers are given it', async () => {
    const { queue, other } = opened;
    const schedules = () => [{ id: 'backup.shop', when: { everyMs: 1000 }, job: { kind: 'backup', site: 'shop', data: { plan: 'shop' }, priority: 20 } }];
    const ran: string[] = [];
    const handler: Handler = async ({ job }) => {
      ran.push(job.id);
      return { done: null };
    };
    await using a = work(queue, handler, { schedules });
    await using b = work(other, handler, { schedules });
    await until('three slots are done', () => ran.length >= 3);
    await Promise.all([a.stop(), b.stop()]);
    expect(ran.every((id) => /^backup\.shop\.\d{8}T\d{6}Z$/.test(id))).toBe(true);
    expect(new Set(ran).size).toBe(ran.length);
    expect(await queue.status(ran[0] ?? '')).toMatchObject({ job: { kind: 'backup', site: 'shop', data: { plan: 'shop' } } });
    const seconds = ran.map((id) => Number(id.slice(-3, -1))).toSorted((x, y) => x - y);
    expect(seconds.length).toBeGreaterThanOrEqual(3);
  });

  it('forgets a schedule that is not wanted any more, and keeps one that is as it was', async () => {
    const { queue, other } = opened;
    const schedule = (id: string, minute: number) => ({ id, when: { cron: `${minute} 3 * * *`, timezone: 'Europe/Zurich' }, job: { kind: 'drill', data: { b: 1, a: 2 } } });
    const known = async () => (await queue.ticks.getJobSchedulers()).map(({ key, pattern, iterationCount }) => `${key} ${pattern} ${iterationCount}`).toSorted();
    await queue.schedule([schedule('a', 1), schedule('b', 2)]);
    await other.schedule([schedule('a', 1), schedule('b', 2)]);
    const before = await known();
    expect(before).toEqual(['a 1 3 * * * 1', 'b 2 3 * * * 1']);
    await other.schedule([schedule('b', 3), schedule('c', 4)]);
    expect(await known()).toEqual([expect.stringMatching(/^b 3 3/), expect.stringMatching(/^c 4 3/)]);
    expect(await queue.ticks.getDelayedCount()).toBe(2);
    await expect(queue.schedule([{ ...schedule('d', 1), when: { cron: 'never', timezone: 'UTC' } }])).rejects.toMatchObject({ code: 'LB_JOB_INVALID' });
    expect(await queue.counts()).toMatchObject({ waiting: 0 });
  });

  it('changes a schedule whose tick is running, also when the clock here has not come to it', async () => {
    const { queue, other } = opened;
    const schedule = (plan: string) => ({ id: 'a', when: { everyMs: 1000 }, job: { kind: 'backup', data: { plan } } });
    await queue.schedule([schedule('old')]);
    const ticker = new Worker<TickData, null, string, IQueueBackend, object, string>(queue.ticksName, undefined, { ...queue.options(), autorun: false, settings: { repeatStrategy: strategy } }, queue.backend.factory);
    await using _ = { [Symbol.asyncDispose]: async () => await ticker.close() };
    const ticks: BullJob<TickData, null>[] = [];
    await until('a tick runs', async () => {
      const tick = await ticker.getNextJob('us', { block: false });
      if (tick !== undefined) ticks.push(tick);
      return ticks.length > 0;
    });
    vi.useFakeTimers({ toFake: ['Date'], now: (ticks[0]?.opts.prevMillis ?? 0) - 300 });
    try {
      const changed = other.schedule([schedule('new')]);
      await sleep(300);
      await ticks[0]?.moveToCompleted(null, 'us', false);
      await changed;
    } finally {
      vi.useRealTimers();
    }
    expect(await queue.ticks.getJobScheduler('a')).toMatchObject({ template: { data: { data: { plan: 'new' } } } });
    expect(await queue.ticks.getDelayedCount()).toBe(1);
  });

  it('drains: works until nothing waits, or the time is nearly over', async () => {
    const { queue } = opened;
    await queue.addAll(Array.from({ length: 30 }, (_, i) => job(`d${i}`)));
    let runs = 0;
    const handler: Handler = async ({ job: { id } }) => {
      runs += 1;
      return id === 'd3' ? { next: [job('follows')] } : { done: null };
    };
    expect(await drain(queue, handler, { ...QUICK, deadline: Date.now() + 100_000, graceMs: 500 })).toBe('empty');
    expect(runs).toBe(31);
    expect(await queue.counts()).toMatchObject({ waiting: 0, active: 0, done: 31 });
    await queue.add(job('long'));
    // Its time is nearly over in half a second, and over long after that.
    const deadline = Date.now() + 60_000;
    const end = await drain(queue, async ({ stopping }) => {
      await new Promise((resolve) => stopping.addEventListener('abort', resolve));
      return { again: true };
    }, { ...QUICK, deadline, graceMs: 59_500 });
    expect(end).toBe('deadline');
    expect(Date.now()).toBeLessThan(deadline);
    expect((await queue.status('long'))?.state).toBe('waiting');
  });

  it('gives a step time to end when it is stopped while it drains, however far its deadline is', async () => {
    const { queue } = opened;
    await queue.add(job('ends'));
    const stop = new AbortController();
    let cutOff = false;
    const handler: Handler = async ({ signal, stopping }) => {
      stop.abort();
      await new Promise((resolve) => stopping.addEventListener('abort', resolve));
      await sleep(200);
      cutOff = signal.aborted;
      return { done: null };
    };
    expect(await drain(queue, handler, { ...QUICK, deadline: Date.now() + YEAR_MS, signal: stop.signal })).toBe('stopped');
    expect(cutOff).toBe(false);
    expect((await queue.status('ends'))?.state).toBe('done');
  });

  it('remembers as many done jobs as it is told', async () => {
    const { queue } = opened;
    await using _worker = work(queue, done, { keep: { ms: 3_600_000, count: 5 }, concurrency: 1 });
    await queue.addAll(Array.from({ length: 20 }, (_, i) => job(`k${i}`)));
    await untilState(queue, 'k19', 'done');
    expect((await queue.counts()).done).toBeLessThanOrEqual(6);
    expect(await queue.status('k0')).toBeUndefined();
  });

  it('never runs more jobs of one site at once than its limit, over all workers, and gets them all done', async () => {
    const { queue, other } = opened;
    const running = new Map<string, number>();
    const most = new Map<string, number>();
    const order: string[] = [];
    const handler: Handler = async ({ job: { id, site = '' } }) => {
      const now = (running.get(site) ?? 0) + 1;
      running.set(site, now);
      most.set(site, Math.max(most.get(site) ?? 0, now));
      await new Promise((resolve) => setTimeout(resolve, 15));
      running.set(site, (running.get(site) ?? 1) - 1);
      order.push(id);
      return { done: null };
    };
    const sites = (site: string) => ({ concurrency: site === 'two' ? 2 : 1 });
    await queue.addAll(Array.from({ length: 60 }, (_, i) => job(`s${i}`, { site: i % 3 === 0 ? 'two' : `one-${i % 2}` })));
    await using _a = work(queue, handler, { sites });
    await using _b = work(other, handler, { sites });
    await until('all are done', () => order.length === 60);
    expect(most.get('one-0')).toBe(1);
    expect(most.get('one-1')).toBe(1);
    expect(most.get('two')).toBeLessThanOrEqual(2);
  });

  it('lets a site with many jobs, and one that hangs, delay no other', async () => {
    const { queue } = opened;
    const hang = Promise.withResolvers<void>();
    let stuck = 0;
    const handler: Handler = async ({ job: { site } }) => {
      if (site === 'stuck') stuck += 1;
      if (site === 'stuck') await hang.promise;
      return { done: site ?? null };
    };
    await queue.addAll(Array.from({ length: 200 }, (_, i) => job(`stuck-${i}`, { site: 'stuck' })));
    await queue.addAll(Array.from({ length: 50 }, (_, i) => job(`fine-${i}`, { site: `site-${i}` })));
    const begun = Date.now();
    await using worker = work(queue, handler, { concurrency: 4, sites: { concurrency: 1 } });
    await until('the others are done', async () => (await queue.counts()).done === 50);
    // One more is active for a moment whenever it is looked at.
    await until('only one is active', async () => (await queue.list({ state: 'active' })).length === 1);
    expect(stuck).toBe(1);
    // What waits is looked at once, and then now and then, not all the time: by what time has really passed.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const looks = worker.events.filter(({ type }) => type === 'held').length;
    expect(looks).toBeGreaterThanOrEqual(199);
    expect(looks).toBeLessThan(250 + 12 * ((Date.now() - begun) / 1_000));
    expect(stuck).toBe(1);
    hang.resolve();
  });

  it('keeps to the rate of a site', async () => {
    const { queue } = opened;
    const begun: { readonly id: string; readonly at: number }[] = [];
    await queue.addAll(Array.from({ length: 6 }, (_, i) => job(`r${i}`, { site: 'slow' })));
    await using _worker = work(queue, async ({ job: { id } }) => {
      begun.push({ id, at: Date.now() });
      return { done: null };
    }, { sites: { concurrency: 6, rate: { max: 2, perMs: 1_000 } } });
    for (let i = 0; i < 6; i += 1) await untilState(queue, `r${i}`, 'done');
    // It was let in after it was taken, and before it began, however long that took it.
    for (const [i, { id }] of begun.slice(0, -2).entries()) expect((begun[i + 2]?.at ?? 0) - ((await queue.status(id))?.startedAt ?? Infinity)).toBeGreaterThanOrEqual(995);
  });
}
