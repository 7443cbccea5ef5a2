import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Backoff } from '../../src/vault/backoff.ts';
import { readBody } from '../../src/vault/body.ts';
import { withDeadline } from '../../src/vault/deadline.ts';
import { VaultError } from '../../src/vault/errors.ts';
import type { Remote } from '../../src/vault/remote.ts';
import { withSilenceLimit } from '../../src/vault/silence.ts';
import type { VaultObject } from '../../src/vault/vault.ts';
import { HaltingTime } from '../support/halting.ts';
import { MemoryVault } from '../support/memory-vault.ts';
import { failure, read, someBytes } from './bytes.ts';

const HOUR = 3_600_000;
const SILENCE = 30_000;

let time: HaltingTime;
beforeEach(() => {
  time = new HaltingTime();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A halt in the middle of a wait, twice. */
async function haltTwice(): Promise<void> {
  for (let i = 0; i < 2; i++) {
    await time.pass(SILENCE / 2);
    await time.halt(7 * HOUR);
  }
}

describe('a process that was halted for hours while a vault was asked', () => {
  it('takes the answer that comes when it goes on', async () => {
    const inner = new MemoryVault('far');
    const { promise, resolve } = Promise.withResolvers<{ key: string; size: number }>();
    inner.head = () => promise;
    const answer = withSilenceLimit(inner, SILENCE).head('a');
    await haltTwice();
    resolve({ key: 'a', size: 7 });
    expect(await answer).toEqual({ key: 'a', size: 7 });
  });

  it('goes on with a body that it was reading', async () => {
    const inner = new MemoryVault('far');
    const { promise, resolve } = Promise.withResolvers<Uint8Array>();
    async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
      yield someBytes(10);
      yield await promise;
    }
    inner.get = (): Promise<VaultObject> => Promise.resolve({ length: 20, body: body() });
    const whole = withSilenceLimit(inner, SILENCE).get('a').then(read);
    await haltTwice();
    resolve(someBytes(10));
    expect(await whole).toHaveLength(20);
  });

  it('takes a vault for gone that stays silent then', async () => {
    const inner = new MemoryVault('far');
    inner.head = () => new Promise(() => {});
    const error = failure(withSilenceLimit(inner, SILENCE).head('a'));
    await haltTwice();
    await time.pass(SILENCE);
    expect(await error).toMatchObject({ code: 'LB_VAULT_UNAVAILABLE' });
  });

  it('waits for the answer of a store as long as it would have, and no longer', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const answered = withDeadline(SILENCE, undefined, ({ signal, passed }) => promise.then(() => [signal.aborted, passed()]));
    const silent = withDeadline(SILENCE, undefined, ({ signal, passed }) => new Promise((done) => signal.addEventListener('abort', () => done(passed()))));
    await haltTwice();
    resolve('here');
    expect(await answered).toEqual([false, false]);
    await time.pass(SILENCE);
    expect(await silent).toBe(true);
  });

  it('reads on what a store sends then', async () => {
    const stream = new PassThrough();
    const remote = { vault: 'far', tooSlow: () => new Error('too slow'), explain: async (reason: unknown) => reason } as unknown as Remote;
    const whole = Array.fromAsync(readBody(remote, stream, { doing: 'reading', signal: undefined, length: 8, idleMs: SILENCE }));
    stream.write('half');
    await haltTwice();
    stream.end('done');
    expect(Buffer.concat(await whole).toString()).toBe('halfdone');
  });
});

describe('a try that took hours', () => {
  const policy = { attempts: 5, firstPauseMs: 100, longestPauseMs: 1000, totalMs: 60_000, random: () => 1 };

  it('is followed by another, and what hangs for long by none', async () => {
    let now = 0;
    const clock = {
      now: () => now,
      sleep: (ms: number) => {
        now += ms;
        return Promise.resolve();
      },
    };
    const error = new VaultError('LB_VAULT_UNAVAILABLE', 'far', 'the connection was reset');
    const backoff = new Backoff({ ...policy, clock }, 'get a');
    now += 7 * HOUR;
    await backoff.pause(error);
    now += 1_000;
    await backoff.pause(error);
    expect(backoff.failures).toBe(2);
    now += 50_000;
    expect(await failure(backoff.pause(error))).toBe(error);
  });
});
