import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/core/clock.ts';
import { LifeboatError } from '../../src/core/errors.ts';
import { readRefusal, refusalError } from '../../src/site/errors.ts';
import { withRetries } from '../../src/site/retry.ts';
import type { ServerHealth } from '../../src/site/retry.ts';

/** A clock on which sleeping takes no time. */
class QuickClock implements Clock {
  readonly slept: number[] = [];
  #now = 0;
  now(): number {
    return this.#now;
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.slept.push(ms);
    this.#now += ms;
    return Promise.resolve();
  }
}

/** A server that says that it is well. */
const calm: ServerHealth = { away: () => undefined, ready: () => Promise.resolve(true), starting: () => false };
const limits = { outageMs: 60_000, busyAttempts: 6, failingAttempts: 3 };
const away = (): LifeboatError => new LifeboatError('LB_SITE_UNREACHABLE', 'no answer');
const refused = (status: number, retryAfter?: string, body = '{"kind":"Status","message":"m","reason":"r"}'): LifeboatError =>
  refusalError('s', 'list things', readRefusal(status, retryAfter, Buffer.from(body)));

/** Work that fails with these errors, one after another, then succeeds. */
function failing(...errors: Error[]): { work: () => Promise<string>; calls: () => number } {
  let calls = 0;
  return {
    work: () => {
      calls += 1;
      const error = errors[calls - 1];
      return error ? Promise.reject(error) : Promise.resolve('done');
    },
    calls: () => calls,
  };
}

describe('repeating requests', () => {
  it('waits for a server that is away, until it says that it is ready', async () => {
    const clock = new QuickClock();
    let asked = 0;
    const health = { ...calm, ready: () => Promise.resolve((asked += 1) >= 5) };
    const { work, calls } = failing(away());
    await expect(withRetries(work, { limits, clock, health })).resolves.toBe('done');
    expect([asked, calls()]).toEqual([5, 2]);
  });

  it('gives up on a server that stays away, after the time allowed', async () => {
    const clock = new QuickClock();
    const health = { ...calm, ready: () => Promise.resolve(false) };
    await expect(withRetries(() => Promise.reject(away()), { limits, clock, health })).rejects.toMatchObject({ code: 'LB_SITE_UNREACHABLE' });
    expect(clock.now()).toBeGreaterThanOrEqual(60_000);
    expect(clock.now()).toBeLessThan(70_000);
  });

  it('does not count hours in which this process was halted', async () => {
    const clock = new QuickClock();
    const sleep = clock.sleep.bind(clock);
    let asked = 0;
    clock.sleep = async (ms, signal) => {
      await sleep(ms, signal);
      // Going on, it has no network yet.
      if (asked === 1) await sleep(5 * 3_600_000);
    };
    const health = { ...calm, ready: () => Promise.resolve((asked += 1) >= 5) };
    const { work, calls } = failing(away(), away());
    await expect(withRetries(work, { limits, clock, health })).resolves.toBe('done');
    expect([asked, calls()]).toEqual([6, 3]);
  });

  it('gives up on a server that is ready each time and breaks off each time', async () => {
    const clock = new QuickClock();
    await expect(withRetries(() => Promise.reject(away()), { limits, clock, health: calm })).rejects.toThrow('no answer');
    expect(clock.now()).toBeLessThan(70_000);
  });

  it('waits as long as a busy server asks, and repeats so often only', async () => {
    const clock = new QuickClock();
    const { work } = failing(refused(429, '2'), refused(429, '3'));
    await expect(withRetries(work, { limits, clock })).resolves.toBe('done');
    expect(clock.slept[0]).toBeGreaterThanOrEqual(2000);
    expect(clock.slept[1]).toBeGreaterThanOrEqual(3000);
    let calls = 0;
    const busy = (): Promise<never> => Promise.reject(((calls += 1), refused(429)));
    await expect(withRetries(busy, { limits, clock })).rejects.toMatchObject({ status: 429 });
    expect(calls).toBe(limits.busyAttempts);
  });

  it('repeats an error of the server a few times', async () => {
    const clock = new QuickClock();
    await expect(withRetries(failing(refused(500), refused(504)).work, { limits, clock })).resolves.toBe('done');
    const many = failing(refused(500), refused(500), refused(500), refused(500));
    await expect(withRetries(many.work, { limits, clock })).rejects.toMatchObject({ status: 500 });
    expect(many.calls()).toBe(limits.failingAttempts);
  });

  it('counts each kind of trouble by itself', async () => {
    const clock = new QuickClock();
    const mixed = [away(), refused(429), away(), refused(500), refused(429), refused(429), refused(503), away(), refused(429)];
    await expect(withRetries(failing(...mixed).work, { limits, clock, health: calm })).resolves.toBe('done');
    const slow = [away(), refused(429, '30'), refused(429, '30'), refused(429, '30'), away()];
    await expect(withRetries(failing(...slow).work, { limits, clock, health: calm })).resolves.toBe('done');
  });

  it('takes a gateway error that is not from an API server for an outage', async () => {
    const clock = new QuickClock();
    const gateway = Array.from({ length: 8 }, () => refused(503, undefined, '<html>'));
    await expect(withRetries(failing(...gateway).work, { limits, clock, health: calm })).resolves.toBe('done');
  });

  it.each([400, 401, 403, 404, 409, 410, 422])('does not repeat what is refused with %i', async (status) => {
    const { work, calls } = failing(refused(status));
    await expect(withRetries(work, { limits, clock: new QuickClock() })).rejects.toMatchObject({ status });
    expect(calls()).toBe(1);
  });

  it('does not believe a server that has just come back when it refuses everybody', async () => {
    let starting = true;
    const health = { ...calm, starting: () => starting };
    const started = failing(away(), refused(403), refused(401), refused(403));
    await expect(withRetries(started.work, { limits, clock: new QuickClock(), health })).resolves.toBe('done');
    starting = false;
    await expect(withRetries(failing(refused(403)).work, { limits, clock: new QuickClock(), health })).rejects.toMatchObject({ status: 403 });
  });

  it('counts anew after progress', async () => {
    let calls = 0;
    const work = (progress: () => void): Promise<string> => {
      calls += 1;
      progress();
      return calls < 20 ? Promise.reject(refused(500)) : Promise.resolve('done');
    };
    await expect(withRetries(work, { limits, clock: new QuickClock() })).resolves.toBe('done');
  });

  it('stops at once when told to', async () => {
    const stop = new AbortController();
    const work = (): Promise<never> => {
      stop.abort(new Error('enough'));
      return Promise.reject(away());
    };
    await expect(withRetries(work, { limits, clock: new QuickClock(), signal: stop.signal })).rejects.toThrow('enough');
  });
});
