import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Backoff, retrying } from '../../src/vault/backoff.ts';
import type { RetryEvent, RetryPolicy } from '../../src/vault/backoff.ts';
import { LifeboatError } from '../../src/core/errors.ts';
import { VaultError } from '../../src/vault/errors.ts';
import { failure } from './bytes.ts';

/** A policy on a clock that jumps ahead by what is slept, and the pauses it made. */
function onFakeClock(policy: Partial<RetryPolicy> = {}): { policy: RetryPolicy; pauses: number[]; events: RetryEvent[] } {
  const pauses: number[] = [];
  const events: RetryEvent[] = [];
  let now = 1_000_000;
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      pauses.push(ms);
      now += ms;
    },
  };
  const onRetry = (event: RetryEvent): void => void events.push(event);
  return {
    policy: { attempts: 5, firstPauseMs: 100, longestPauseMs: 1000, totalMs: 60_000, clock, random: () => 1, onRetry, ...policy },
    pauses,
    events,
  };
}

const passing = (retryAfterMs?: number): Error => new VaultError('LB_VAULT_UNAVAILABLE', 'v', 'not now', { retryAfterMs });
const failing = (error: () => Error) => async (): Promise<never> => {
  throw error();
};

describe('trying again', () => {
  it('doubles the bound of the pause each time, up to the longest', async () => {
    const { policy, pauses } = onFakeClock({ attempts: 7 });
    await failure(retrying(policy, 'put a', undefined, failing(passing)));
    expect(pauses).toEqual([100, 200, 400, 800, 1000, 1000]);
  });

  it('pauses for a random time within the bound', async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), async (random) => {
        const { policy, pauses } = onFakeClock({ attempts: 4, random: () => random });
        await failure(retrying(policy, 'put a', undefined, failing(passing)));
        expect(pauses).toEqual([100 * random, 200 * random, 400 * random]);
      }),
    );
  });

  it('stops after so many tries, and throws the last error as it was', async () => {
    const { policy } = onFakeClock({ attempts: 3 });
    let tries = 0;
    const error = await failure(
      retrying(policy, 'put a', undefined, async (failures) => {
        expect(failures).toBe(tries);
        tries += 1;
        throw new VaultError('LB_VAULT_UNAVAILABLE', 'v', `try ${tries}`);
      }),
    );
    expect(error).toHaveProperty('message', 'try 3');
    expect(tries).toBe(3);
  });

  it('begins no try after the total time', async () => {
    const { policy, pauses } = onFakeClock({ attempts: 1000, totalMs: 3000 });
    await failure(retrying(policy, 'put a', undefined, failing(passing)));
    expect(pauses.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(3000);
    expect(pauses.length).toBeGreaterThan(3);
  });

  it('does not try again what cannot pass', async () => {
    for (const error of [new VaultError('LB_VAULT_ACCESS', 'v', 'no'), new LifeboatError('LB_INTERNAL', 'no'), new Error('no')]) {
      const { policy, pauses } = onFakeClock();
      expect(await failure(retrying(policy, 'put a', undefined, failing(() => error)))).toBe(error);
      expect(pauses).toEqual([]);
    }
  });

  it('waits as long as the store asks for, but not longer than the longest pause', async () => {
    for (const [asked, waited] of [[500, 500], [90_000, 1000], [10, 100]] as const) {
      const { policy, pauses } = onFakeClock({ attempts: 2 });
      await failure(retrying(policy, 'put a', undefined, failing(() => passing(asked))));
      expect(pauses).toEqual([waited]);
    }
  });

  it('ends with the reason of the signal when that fires in a pause', async () => {
    const stop = new AbortController();
    const reason = new Error('enough');
    const { policy } = onFakeClock();
    const clock = {
      now: () => 0,
      sleep: async (_ms: number, signal?: AbortSignal) => {
        stop.abort(reason);
        signal?.throwIfAborted();
      },
    };
    expect(await failure(retrying({ ...policy, clock }, 'put a', stop.signal, failing(passing)))).toBe(reason);
  });

  it('says what it does before every pause', async () => {
    const { policy, events } = onFakeClock({ attempts: 3 });
    await failure(retrying(policy, 'put a', undefined, failing(passing)));
    expect(events.map(({ what, attempt, pauseMs, error }) => [what, attempt, pauseMs, error.message])).toEqual([
      ['put a', 1, 100, 'not now'],
      ['put a', 2, 200, 'not now'],
    ]);
  });

  it('counts anew when the work has got further', async () => {
    const { policy, pauses } = onFakeClock({ attempts: 2 });
    const backoff = new Backoff(policy, 'list', undefined);
    for (let i = 0; i < 4; i += 1) {
      await backoff.pause(passing());
      backoff.progressed();
    }
    expect(pauses).toEqual([100, 100, 100, 100]);
    expect(backoff.failures).toBe(4);
  });
});
