import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_RETRY } from '../../src/vault/backoff.ts';
import type { RemoteLimits } from '../../src/vault/remote.ts';
import { withRetry } from '../../src/vault/retry.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { HaltingTime } from '../support/halting.ts';
import { startFaultProxy } from '../testbed/fault-proxy.ts';
import type { Fault, FaultProxy } from '../testbed/fault-proxy.ts';
import { codeOf, codesOf, digest, digestOf, failure, inParts, keysOf, read, someBytes } from './bytes.ts';
import { STORES } from './remote-stores.ts';
import type { RunningStore } from './remote-stores.ts';

const MIB = 1024 * 1024;
const QUICK = { ...DEFAULT_RETRY, firstPauseMs: 1, longestPauseMs: 20 };
/** For vaults that wait less for an answer than a busy machine may take. */
const PERSISTENT = { ...QUICK, attempts: 100 };

describe.each(STORES)('with $name behind a bad connection', (kind) => {
  const { isPut, isRead, isList, isPart, isCompletion, beforeCompletion, isAbort } = kind;
  let store: RunningStore;
  let proxy: FaultProxy;
  let prefixes = 0;
  const opened: Vault[] = [];

  beforeAll(async () => {
    store = await kind.start();
  });
  beforeEach(async () => {
    proxy = await startFaultProxy({ upstream: store.url });
    prefixes += 1;
  });
  afterEach(async () => {
    await proxy.close();
    await Promise.all(opened.splice(0).map((vault) => vault.close()));
  });
  afterAll(async () => {
    await store?.stop();
  });

  /** A vault behind the proxy, or directly at the server; without retries of whole calls. */
  const open = async (limits: Partial<RemoteLimits> = {}, endpoint = proxy.url): Promise<Vault> => {
    const vault = await store.open({ endpoint, prefix: `p${prefixes}`, limits, partRetry: QUICK });
    opened.push(vault);
    return vault;
  };
  const openRetrying = async (limits: Partial<RemoteLimits> = {}): Promise<Vault> => withRetry(await open(limits), QUICK);
  const direct = (): Promise<Vault> => open({}, store.url);
  const bytes = someBytes(300_000);

  it.each<[string, Fault['action']]>([
    ['is refused', { do: 'refuse' }],
    ['breaks off', { do: 'harm-request', body: { cutAfter: 100_000 } }],
    ['is garbled on the way', { do: 'harm-request', body: { flipAt: 150_000 } }],
    ['is answered with 500', { do: 'answer', status: 500 }],
    ['is answered with 503', { do: 'answer', status: 503, headers: { 'retry-after': '0' } }],
    ['is answered with 429', { do: 'answer', status: 429 }],
    ['is not answered in time', { do: 'hang' }],
  ])('stores nothing when the upload %s, and the object when it is tried again', async (_, action) => {
    // Only what hangs is to be waited for no longer than this; what is slow today must not fail.
    const hangs = action.do === 'hang';
    const vault = await open(hangs ? { answerMs: 800, bytesPerSecond: MIB } : {});
    const reader = await direct();
    proxy.inject({ action, when: isPut, times: hangs ? 2 : 3 });
    expect(codeOf(await failure(vault.put('a', bytes)))).toBe('LB_VAULT_UNAVAILABLE');
    expect(await keysOf(reader)).toEqual([]);
    expect(await withRetry(vault, PERSISTENT).put('a', inParts(bytes, 10_000))).toBe('created');
    expect(await digestOf(reader, 'a')).toBe(digest(bytes));
  });

  it('knows its own object when the answer to the upload was lost', async () => {
    proxy.inject({ action: { do: 'lose-answer' }, when: isPut });
    const vault = await openRetrying();
    expect(await vault.put('a', inParts(bytes, 10_000))).toBe('created');
    // Other bytes: a server may refuse and hang up before it has read the body, and equal bytes would then count as this put's own.
    expect(await vault.put('a', someBytes(300_000, 3))).toBe('exists');
    expect(await digestOf(vault, 'a')).toBe(digest(bytes));
  });

  it("does not take another creator's object for its own when an upload failed", async () => {
    const other = await direct();
    proxy.inject({ action: { do: 'refuse' }, when: isPut });
    const vault = withRetry(await open(), {
      ...QUICK,
      clock: {
        now: () => Date.now(),
        // The other one comes in between the two tries.
        sleep: async () => {
          await other.put('a', someBytes(300_000, 2));
        },
      },
    });
    expect(await vault.put('a', bytes)).toBe('exists');
    expect(await digestOf(vault, 'a')).toBe(digest(someBytes(300_000, 2)));
  });

  it.each<[string, Fault['action']]>([
    ['breaks off', { do: 'harm-answer', body: { cutAfter: 100_000 } }],
    ['breaks off just before its end', { do: 'harm-answer', body: { cutAfter: 299_999 } }],
    ['stalls', { do: 'harm-answer', body: { hangAfter: 50_000 } }],
  ])('says that an object that %s ended early, and goes on from there when it may', async (_, action) => {
    await (await direct()).put('a', bytes);
    proxy.inject({ action, when: isRead, times: 3 });
    const vault = await open({ idleMs: 500 });
    expect(codeOf(await failure(digestOf(vault, 'a')))).toBe('LB_VAULT_UNAVAILABLE');
    expect(await digestOf(withRetry(vault, PERSISTENT), 'a')).toBe(digest(bytes));
  });

  it('finds what was garbled on the way back', async ({ skip }) => {
    if (!kind.checksReads) skip('S3 gives no checksum with what is read that all of its relatives have; what lifeboat reads is checked by its name');
    await (await direct()).put('a', bytes);
    const vault = await openRetrying();
    // Only of whole objects there is a checksum everywhere.
    const ranges = kind.name === 'fake-gcs-server' ? [{ offset: 0 }] : [{ offset: 0 }, { offset: 100_000, length: 100_000 }];
    for (const range of ranges) {
      const end = 'length' in range ? range.offset + range.length : undefined;
      proxy.inject({ action: { do: 'harm-answer', body: { flipAt: 50_000 } }, when: isRead });
      expect(codeOf(await failure(vault.get('a', range).then(read)))).toBe('LB_VAULT_GARBLED');
      expect(digest(await read(await vault.get('a', range)))).toBe(digest(bytes.subarray(range.offset, end)));
    }
  });

  it('does not take a slow reader for a stalled server', async () => {
    const long = someBytes(3 * MIB);
    await (await direct()).put('a', long);
    const vault = await open({ idleMs: 1000 });
    // Time passes for the reader alone: what comes from the server comes in no time, however busy the machine is.
    const time = new HaltingTime();
    try {
      const { body } = await vault.get('a');
      let seen = 0;
      for await (const part of body) {
        if (seen < MIB && seen + part.byteLength >= MIB) await time.pass(1500);
        seen += part.byteLength;
      }
      expect(seen).toBe(long.length);
    } finally {
      vi.useRealTimers();
      vi.restoreAllMocks();
    }
  });

  it.each([
    [1000, 200_000],
    [-200_000, 150_000],
    [-400_000, undefined],
    [100_000, undefined],
  ])('goes on within the range from %s, %s bytes, however often it breaks off', async (offset, length) => {
    await (await direct()).put('a', bytes);
    proxy.inject({ action: { do: 'harm-answer', body: { cutAfter: 40_000 } }, when: isRead, times: 20 });
    const vault = await openRetrying();
    const from = offset < 0 ? Math.max(0, bytes.length + offset) : offset;
    const part = await read(await vault.get('a', { offset, ...(length === undefined ? {} : { length }) }));
    expect(digest(part)).toBe(digest(bytes.subarray(from, length === undefined ? undefined : from + length)));
  });

  it('lists everything once although pages fail', async () => {
    const writer = await direct();
    const keys = Array.from({ length: 60 }, (_, i) => `d${i % 6}/${i}`);
    await Promise.all(keys.map((key) => writer.put(key, someBytes(1))));
    proxy.inject({ action: { do: 'answer', status: 500 }, when: isList, after: 3, times: 2 });
    proxy.inject({ action: { do: 'harm-answer', body: { cutAfter: 50 } }, when: isList, after: 6, times: 3 });
    expect(await keysOf(await openRetrying())).toEqual(keys.toSorted());
  });

  it('gives up with the last error when the trouble does not end', async () => {
    proxy.inject({ action: { do: 'answer', status: 503 }, times: Number.POSITIVE_INFINITY });
    const vault = withRetry(await open(), { ...QUICK, attempts: 3 });
    const calls = [vault.put('a', bytes), vault.get('a'), vault.head('a'), vault.delete('a'), keysOf(vault)];
    expect(new Set(await codesOf(calls))).toEqual(new Set(['LB_VAULT_UNAVAILABLE']));
    expect(proxy.requests).toHaveLength(3 * calls.length);
  });

  it('ends at once when the signal fires, although nothing is answered', async () => {
    proxy.inject({ action: { do: 'hang' }, times: Number.POSITIVE_INFINITY });
    const vault = await openRetrying();
    const reason = new Error('enough');
    const stop = new AbortController();
    const { signal } = stop;
    setTimeout(() => stop.abort(reason), 100);
    const listing = vault.list('', { signal })[Symbol.asyncIterator]().next();
    const calls: Promise<unknown>[] = [vault.put('a', bytes, { signal }), vault.get('a', { signal }), listing];
    calls.push(vault.head('a', { signal }), vault.delete('a', { signal }));
    expect(await Promise.all(calls.map(failure))).toEqual(calls.map(() => reason));
  });

  describe('a large object', () => {
    const large = someBytes(12 * MIB + 77);
    const inSmallParts = { partSize: 5 * MIB };
    const body = () => inParts(large, 1_000_003);

    /** What is left of uploads that were given up, where it can be asked. */
    const leftovers = async (): Promise<readonly unknown[]> => (await store.leftovers(`p${prefixes}`)) ?? [];

    it('sends a part again that was lost, and only that', async ({ skip }) => {
      if (kind.cannotResume !== undefined) skip(kind.cannotResume);
      proxy.inject({ action: { do: 'harm-request', body: { cutAfter: MIB } }, when: isPart, after: 1, times: 2 });
      const vault = await open(inSmallParts);
      expect(await vault.put('a', body())).toBe('created');
      expect(await digestOf(vault, 'a')).toBe(digest(large));
      // Some stores are asked in between how far they have got.
      expect([3 + 2, 3 + 2 + 2]).toContain(proxy.requests.filter(isPart).length);
    });

    it('is given up, and its parts are removed, when a part cannot be sent', async () => {
      proxy.inject({ action: { do: 'answer', status: 403 }, when: isPart, after: 1 });
      const vault = await open(inSmallParts);
      expect(codeOf(await failure(vault.put('a', body())))).toBe('LB_VAULT_ACCESS');
      expect(await leftovers()).toEqual([]);
      expect(await keysOf(await direct())).toEqual([]);
    });

    it('is given up, and its parts are removed, when its source fails', async () => {
      const reason = new Error('the source broke');
      const failing = inParts(large, MIB, (sent) => {
        if (sent > 11 * MIB) throw reason;
      });
      expect(await failure((await open(inSmallParts)).put('a', failing))).toBe(reason);
      expect(await leftovers()).toEqual([]);
    });

    it('is given up when the signal fires; closing the vault waits until its parts are removed', async () => {
      proxy.inject({ action: { do: 'hang' }, when: isCompletion, after: beforeCompletion });
      const stop = new AbortController();
      const vault = await open(inSmallParts);
      const storing = vault.put('a', body(), { signal: stop.signal });
      const outcome = failure(storing);
      while (proxy.requests.filter(isCompletion).length <= beforeCompletion) await new Promise((resolve) => setTimeout(resolve, 10));
      const reason = new Error('enough');
      stop.abort(reason);
      expect(await outcome).toBe(reason);
      await vault.close();
      expect(proxy.requests.filter((request) => isAbort?.(request) === true)).toHaveLength(isAbort === undefined ? 0 : 1);
      expect(await leftovers()).toEqual([]);
    });

    it('is known as its own when the last answer was lost', async () => {
      proxy.inject({ action: { do: 'lose-answer' }, when: isCompletion, after: beforeCompletion });
      const vault = await openRetrying(inSmallParts);
      expect(await vault.put('a', body())).toBe('created');
      expect(await digestOf(vault, 'a')).toBe(digest(large));
    });

    it('loses to one that was created while it was sent', async () => {
      const other = await direct();
      let created = false;
      const slow = inParts(large, MIB, async (sent) => {
        if (sent < 8 * MIB || created) return;
        created = true;
        await other.put('a', Buffer.from('first'));
      });
      const vault = await open(inSmallParts);
      expect(await vault.put('a', slow)).toBe('exists');
      expect(await digestOf(vault, 'a')).toBe(digest(Buffer.from('first')));
      expect(await leftovers()).toEqual([]);
    });
  });
});
