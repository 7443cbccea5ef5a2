import { expect, it } from 'vitest';
import { LifeboatError } from '../../src/core/errors.ts';
import type { JobStatus } from '../../src/queue/index.ts';
import type { Opened } from './contract.ts';
import { QUICK, job, until, untilState, work } from './working.ts';

/** Jobs as such: they run, once, in their order, are tried again or parked, and can be followed. */
export function jobsContract(opened: Opened): void {
  it('runs a job and remembers what it ended with', async () => {
    const { queue, other } = opened;
    await queue.add({ id: 'backup.shop.1', kind: 'backup', site: 'shop', data: { plan: 'shop', parts: [1, null] } });
    expect(await queue.status('backup.shop.1')).toMatchObject({ state: 'waiting', failures: 0 });
    const seen: unknown[] = [];
    await using _worker = work(other, async ({ job, attempt, budget }) => {
      seen.push(job, attempt, budget.memory, budget.deadline > Date.now());
      return { done: { point: 'p1' } };
    });
    await untilState(queue, 'backup.shop.1', 'done');
    expect(seen).toEqual([{ id: 'backup.shop.1', kind: 'backup', site: 'shop', data: { plan: 'shop', parts: [1, null] } }, 1, QUICK.step.memory, true]);
    const status = await queue.status('backup.shop.1');
    expect(status).toMatchObject({ state: 'done', result: { point: 'p1' }, failures: 0, job: { kind: 'backup', site: 'shop' } });
    expect((status?.finishedAt ?? 0) >= (status?.startedAt ?? 0) && (status?.startedAt ?? 0) > 0).toBe(true);
  });

  it('runs a job once however often it is added, at once, later, and after it was done', async () => {
    const { queue, other } = opened;
    let runs = 0;
    await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? queue : other).add(job('once', { data: i }))));
    await using _worker = work(queue, async ({ job: { id } }) => {
      if (id === 'once') runs += 1;
      return { done: null };
    });
    await untilState(queue, 'once', 'done');
    await other.add(job('once'));
    await queue.addAll([job('once'), job('after')]);
    await untilState(queue, 'after', 'done');
    expect(runs).toBe(1);
    expect((await queue.status('once'))?.state).toBe('done');
  });

  it('refuses what it could not keep, and says why', async () => {
    const { queue } = opened;
    const refused = async (id: string, data: string, options = {}): Promise<string> => {
      const error: unknown = await queue.add(job(id, { data }), options).catch((thrown: unknown) => thrown);
      return error instanceof LifeboatError ? `${error.code} ${error.message}` : 'taken';
    };
    expect(await refused('a:b', '')).toContain('LB_JOB_INVALID');
    expect(await refused('123', '')).toContain('not a number');
    expect(await refused('', '')).toContain('LB_JOB_INVALID');
    expect(await refused('big', 'x'.repeat(17_000))).toContain('16384 is the most');
    expect(await refused('p', '', { priority: 0 })).toContain('priorities');
    expect(await refused('d', '', { delay: -1 })).toContain('delay');
    expect(await queue.counts()).toEqual({ waiting: 0, blocked: 0, active: 0, done: 0, parked: 0 });
  });

  it('takes jobs by priority, and of one priority who came first', async () => {
    const { queue } = opened;
    await queue.add(job('late-1'), { priority: 90 });
    await queue.addAll([job('usual-1'), job('usual-2')]);
    await queue.add(job('first'), { priority: 1 });
    await queue.add(job('late-2'), { priority: 90 });
    await queue.add(job('usual-3'));
    const order: string[] = [];
    await using _worker = work(queue, async ({ job }) => {
      order.push(job.id);
      return { done: null };
    }, { concurrency: 1 });
    await until('all are done', () => order.length === 6);
    expect(order).toEqual(['first', 'usual-1', 'usual-2', 'usual-3', 'late-1', 'late-2']);
  });

  it('keeps a job back until its delay is over', async () => {
    const { queue } = opened;
    const before = Date.now();
    await queue.add(job('later'), { delay: 700 });
    const status = await queue.status('later');
    expect(status?.state).toBe('waiting');
    expect((status?.notBefore ?? 0) - before).toBeGreaterThanOrEqual(700);
    let at = 0;
    await using _worker = work(queue, async () => {
      at = Date.now();
      return { done: null };
    });
    await untilState(queue, 'later', 'done');
    expect(at - before).toBeGreaterThanOrEqual(690);
  });

  it('tries again what can pass, and remembers why the last try failed', async () => {
    const { queue } = opened;
    const attempts: number[] = [];
    await queue.add(job('passing'));
    await using worker = work(queue, async ({ attempt }) => {
      attempts.push(attempt);
      if (attempt < 3) throw new LifeboatError('LB_SITE_UNREACHABLE', 'It is away.', { where: 'site "shop"', hint: 'Wait.' });
      return { done: null };
    });
    await untilState(queue, 'passing', 'done');
    expect(attempts).toEqual([1, 2, 3]);
    expect((await queue.status('passing'))?.failures).toBe(2);
    expect(worker.events.filter(({ type }) => type === 'retry')).toHaveLength(2);
  });

  it('parks at once what cannot pass, with the reason, and what does not pass after some tries', async () => {
    const { queue } = opened;
    let bugs = 0;
    await queue.addAll([job('refused'), job('bug'), job('away')]);
    await using _worker = work(queue, async ({ job }) => {
      if (job.id === 'away') throw new LifeboatError('LB_VAULT_UNAVAILABLE', 'It is away.');
      if (job.id === 'refused') throw new LifeboatError('LB_VAULT_ACCESS', 'It refused.', { where: 'vault "offsite"', hint: 'Ask for the right.' });
      bugs += 1;
      throw new TypeError('x is not a function');
    });
    for (const id of ['refused', 'bug', 'away']) await untilState(queue, id, 'parked');
    const parked = new Map((await queue.parked()).map((status) => [status.job.id, status]));
    expect(parked.get('refused')).toMatchObject({ failures: 1, reason: { code: 'LB_VAULT_ACCESS', message: 'It refused.', where: 'vault "offsite"', hint: 'Ask for the right.' } });
    expect(parked.get('bug')?.reason).toEqual({ code: 'LB_INTERNAL', message: 'x is not a function' });
    expect(parked.get('away')).toMatchObject({ failures: 3, reason: { code: 'LB_VAULT_UNAVAILABLE' } });
    expect(bugs).toBe(1);
    expect(await queue.parked(1)).toHaveLength(1);
  });

  it('tries a parked job again from the start when asked, and forgets one when told', async () => {
    const { queue, other } = opened;
    let broken = true;
    const attempts: number[] = [];
    await queue.addAll([job('mended'), job('dropped')]);
    await using _worker = work(queue, async ({ attempt, job }) => {
      if (job.id === 'mended') attempts.push(attempt);
      if (broken) throw new LifeboatError('LB_VAULT_ACCESS', 'It refused.');
      return { done: null };
    });
    await untilState(queue, 'mended', 'parked');
    await untilState(queue, 'dropped', 'parked');
    await queue.add(job('mended'));
    expect((await queue.status('mended'))?.state).toBe('parked');
    broken = false;
    await other.retryParked('mended');
    await untilState(queue, 'mended', 'done');
    expect(attempts).toEqual([1, 1]);
    await other.dropParked('dropped');
    expect(await queue.status('dropped')).toBeUndefined();
    await expect(queue.retryParked('mended')).rejects.toMatchObject({ code: 'LB_JOB_NOT_FOUND' });
    await expect(queue.dropParked('nobody')).rejects.toMatchObject({ code: 'LB_JOB_NOT_FOUND' });
  });

  it('tells how a job goes, to whoever follows it, until it is over', async () => {
    const { queue, other } = opened;
    await queue.add(job('told'));
    const go = Promise.withResolvers<void>();
    const seen: JobStatus[] = [];
    const following = (async () => {
      for await (const status of queue.follow('told')) {
        seen.push(status);
        if (status.progress !== undefined) go.resolve();
      }
    })();
    await until('it is followed', () => seen.length > 0);
    await using _worker = work(other, async ({ progress }) => {
      for (let i = 1; i <= 50; i += 1) progress({ done: i, of: 50 });
      await go.promise;
      return { done: 'all' };
    });
    await following;
    expect(seen[0]?.state).toBe('waiting');
    expect(seen.at(-1)).toMatchObject({ state: 'done', result: 'all', progress: { done: 50, of: 50 } });
    expect(seen.map(({ state }) => state)).toContain('active');
  });

  it('ends following when told, and when there is nothing to follow', async () => {
    const { queue } = opened;
    const all = async (id: string, signal?: AbortSignal): Promise<number> => {
      let count = 0;
      for await (const _ of queue.follow(id, signal)) count += 1;
      return count;
    };
    await expect(all('nobody')).rejects.toMatchObject({ code: 'LB_JOB_NOT_FOUND' });
    await queue.add(job('waits'));
    const end = new AbortController();
    const following = all('waits', end.signal);
    setTimeout(() => end.abort(new Error('enough')), 100);
    await expect(following).rejects.toThrow('enough');
  });
}
