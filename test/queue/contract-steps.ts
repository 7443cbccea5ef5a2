import { expect, it } from 'vitest';
import { LifeboatError } from '../../src/core/errors.ts';
import type { WorkerOptions } from '../../src/queue/index.ts';
import type { Opened } from './contract.ts';
import { done, job, untilState, work } from './working.ts';

/** Sequences, steps, cancelling, and what becomes of a step when its time or its worker comes to an end. */
export function stepsContract(opened: Opened): void {
  const STEPS = ['plan', 'state', 'volumes', 'verify', 'report'].map((step) => job(`restore.1.${step}`));

  it('runs a sequence step by step, also when it was added twice', async () => {
    const { queue, other } = opened;
    const order: string[] = [];
    await queue.addSequence(STEPS);
    await other.addSequence(STEPS);
    expect(await queue.counts()).toMatchObject({ waiting: 1, blocked: 4 });
    expect((await queue.status('restore.1.report'))?.state).toBe('blocked');
    await using _worker = work(queue, async ({ job }) => {
      order.push(`${job.id} begins`);
      await new Promise((resolve) => setTimeout(resolve, 20));
      order.push(`${job.id} ends`);
      return { done: null };
    });
    await untilState(queue, 'restore.1.report', 'done');
    await queue.addSequence(STEPS);
    await queue.add(job('after'));
    await untilState(queue, 'after', 'done');
    expect(order.slice(0, 10)).toEqual(STEPS.flatMap(({ id }) => [`${id} begins`, `${id} ends`]));
    expect(order).toHaveLength(12);
  });

  it('keeps the steps after a parked one back until it was retried, and removes them when it is dropped', async () => {
    const { queue } = opened;
    let broken = true;
    await queue.addSequence(STEPS);
    await queue.addSequence(['a', 'b', 'c'].map((id) => job(id)));
    const ran: string[] = [];
    await using _worker = work(queue, async ({ job }) => {
      if (broken && (job.id === 'restore.1.state' || job.id === 'b')) throw new LifeboatError('LB_SITE_ACCESS', 'It refused.');
      ran.push(job.id);
      return { done: null };
    });
    await untilState(queue, 'restore.1.state', 'parked');
    await untilState(queue, 'b', 'parked');
    expect((await queue.status('restore.1.volumes'))?.state).toBe('blocked');
    expect(ran.toSorted()).toEqual(['a', 'restore.1.plan']);
    await queue.dropParked('b');
    expect([await queue.status('b'), await queue.status('c')]).toEqual([undefined, undefined]);
    broken = false;
    await queue.retryParked('restore.1.state');
    await untilState(queue, 'restore.1.report', 'done');
    expect(ran).not.toContain('c');
  });

  it('cancels a job that waits, and it never runs', async () => {
    const { queue, other } = opened;
    await queue.addAll([job('unwanted'), job('wanted')]);
    expect(await other.cancel('unwanted')).toBe('removed');
    await using _worker = work(queue, done);
    await untilState(queue, 'wanted', 'done');
    expect(await queue.status('unwanted')).toBeUndefined();
    expect([await queue.cancel('wanted'), await queue.cancel('unwanted')]).toEqual(['over', 'unknown']);
  });

  it('cancels a job that runs elsewhere: its signal fires, and it ends as cancelled', async () => {
    const { queue, other } = opened;
    await queue.add(job('long'));
    let reason: unknown;
    await using _worker = work(other, async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      reason = signal.reason;
      signal.throwIfAborted();
      return { done: null };
    });
    await untilState(queue, 'long', 'active');
    expect(await queue.cancel('long')).toBe('stopping');
    await untilState(queue, 'long', 'cancelled');
    expect(reason).toMatchObject({ code: 'LB_INTERRUPTED' });
    expect((await queue.list({ state: 'cancelled' })).map((status) => status.job.id)).toEqual(['long']);
    expect(await queue.list({ state: 'done' })).toEqual([]);
  });

  it('cancels a sequence by any of its steps: what ran stops, what follows is removed', async () => {
    const { queue, other } = opened;
    await queue.addSequence(STEPS);
    const ran: string[] = [];
    await using _worker = work(other, async ({ job, signal }) => {
      ran.push(job.id);
      if (job.id === 'restore.1.state') await new Promise((resolve) => signal.addEventListener('abort', resolve));
      signal.throwIfAborted();
      return { done: null };
    });
    await untilState(queue, 'restore.1.state', 'active');
    expect(await queue.cancel('restore.1.verify')).toBe('stopping');
    await untilState(queue, 'restore.1.state', 'cancelled');
    await queue.add(job('after'));
    await untilState(queue, 'after', 'done');
    expect(ran).toEqual(['restore.1.plan', 'restore.1.state', 'after']);
    expect(await queue.counts()).toMatchObject({ waiting: 0, blocked: 0, active: 0 });
  });

  it('goes on with a job in several steps, and lets others have their turn in between', async () => {
    const { queue } = opened;
    await queue.add(job('steps'));
    const order: string[] = [];
    await using worker = work(queue, async ({ job }) => {
      order.push(job.id);
      if (order.length === 1) await queue.add({ ...job, id: 'between' });
      return job.id === 'steps' && order.length < 5 ? { again: true } : { done: order.length };
    }, { concurrency: 1 });
    await untilState(queue, 'steps', 'done');
    expect(order.indexOf('between')).toBe(1);
    expect(await queue.status('steps')).toMatchObject({ failures: 0, result: 5 });
    expect(worker.events.filter(({ type }) => type === 'again')).toHaveLength(3);
  });

  it('has a job hold what it is given when it begins, in every step of it and for whoever looks', async () => {
    const { queue, other } = opened;
    const seen: unknown[] = [];
    const mark: WorkerOptions['mark'] = ({ data }) => {
      if (data === 'broken') throw new Error('nobody can mark that');
      return data === 'bare' ? 'marked' : undefined;
    };
    await queue.addAll([job('one', { data: 'bare' }), job('two', { data: 'broken' })]);
    await using worker = work(queue, async ({ job: { id, data }, memo }) => {
      seen.push([id, data, memo]);
      return id === 'one' && memo === undefined ? { again: true, memo: 1 } : { done: null };
    }, { mark, concurrency: 1 });
    for (const id of ['one', 'two']) await untilState(queue, id, 'done');
    expect(seen).toEqual(expect.arrayContaining([['one', 'marked', undefined], ['one', 'marked', 1], ['two', 'broken', undefined]]));
    expect((await other.status('one'))?.job).toEqual(job('one', { data: 'marked' }));
    // What fails there is told, and holds up nothing.
    expect(worker.events.flatMap((event) => (event.type === 'trouble' ? [String(event.error)] : []))).toContain('Error: nobody can mark that');
  });

  it('adds what comes next when a job is done', async () => {
    const { queue } = opened;
    await queue.add(job('cut'));
    await using _worker = work(queue, async ({ job: { id } }) => (id === 'cut' ? { next: [{ ...job('copy-a'), priority: 3 }, job('copy-b')], done: 1 } : { done: id }));
    for (const id of ['cut', 'copy-a', 'copy-b']) await untilState(queue, id, 'done');
    expect((await queue.status('cut'))?.result).toBe(1);
  });

  it('lets a step end when the worker has to, and asks it to', async () => {
    const { queue } = opened;
    await queue.addAll([job('ends'), job('next')]);
    let asked = false;
    const begun = Promise.withResolvers<void>();
    const worker = work(queue, async ({ stopping, signal }) => {
      begun.resolve();
      if (!stopping.aborted) await new Promise((resolve) => stopping.addEventListener('abort', resolve));
      asked = !signal.aborted;
      return { again: true };
    }, { concurrency: 1 });
    await begun.promise;
    await worker.stop();
    expect(asked).toBe(true);
    expect((await queue.counts()).active).toBe(0);
    await using _worker = work(queue, done);
    await untilState(queue, 'ends', 'done');
    await untilState(queue, 'next', 'done');
  });

  it('hands a step back that does not end in time, and another worker has it at once', async () => {
    const { queue, other } = opened;
    await queue.add(job('deaf'));
    let reason: unknown;
    const begun = Promise.withResolvers<void>();
    const worker = work(queue, async ({ signal }) => {
      begun.resolve();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      reason = signal.reason;
      throw signal.reason as Error;
    }, { graceMs: 50 });
    await begun.promise;
    await worker.stop();
    expect(reason).toMatchObject({ code: 'LB_INTERRUPTED' });
    expect(worker.events.map(({ type }) => type)).toContain('handed-back');
    expect(await queue.status('deaf')).toMatchObject({ state: 'waiting', failures: 0 });
    await using _worker = work(other, done);
    await untilState(queue, 'deaf', 'done');
  });

  it('stops a step whose time is over, and tries it again', async () => {
    const { queue } = opened;
    await queue.add(job('hangs'));
    await using worker = work(queue, async ({ attempt, signal, budget }) => {
      if (attempt > 1) return { done: budget.deadline - Date.now() > 0 };
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      throw signal.reason as Error;
    }, { step: { ms: 200, memory: 1 } });
    await untilState(queue, 'hangs', 'done');
    expect(worker.events.find(({ type }) => type === 'retry')).toMatchObject({ reason: { code: 'LB_DEADLINE' } });
  });
}
