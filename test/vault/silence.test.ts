import { describe, expect, it } from 'vitest';
import { withSilenceLimit } from '../../src/vault/silence.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { withFaults } from '../support/faults.ts';
import { MemoryVault } from '../support/memory-vault.ts';
import { randomFrom } from '../survival/random.ts';
import { digest, failure, keysOf, read, someBytes } from './bytes.ts';

/** Every call of a vault that takes a signal. */
const CALLS = {
  put: (vault: Vault, signal?: AbortSignal) => vault.put('b', someBytes(10), { signal }),
  get: (vault: Vault, signal?: AbortSignal) => vault.get('a', { signal }),
  head: (vault: Vault, signal?: AbortSignal) => vault.head('a', { signal }),
  list: (vault: Vault, signal?: AbortSignal) => Array.fromAsync(vault.list('', { signal })),
  retain: (vault: Vault, signal?: AbortSignal) => vault.retain('a', new Date(), { signal }),
  delete: (vault: Vault, signal?: AbortSignal) => vault.delete('a', { signal }),
  uncover: (vault: Vault, signal?: AbortSignal) => vault.uncover('a', { signal }),
} as const;

function silent(): Vault {
  return withFaults(new MemoryVault('far', [['a', someBytes(100)]]), { random: randomFrom(1), chances: { hang: 1 } });
}

describe('a vault that may not stay silent', () => {
  it.each(Object.entries(CALLS))('fails when there is no answer: %s', async (_, call) => {
    const error = await failure(call(withSilenceLimit(silent(), 20)));
    expect(error).toMatchObject({ code: 'LB_VAULT_UNAVAILABLE', where: expect.stringContaining('vault "far"') as string });
  });

  it.each(Object.entries(CALLS))('ends with the reason of the caller when that comes first: %s', async (_, call) => {
    const stop = new AbortController();
    const ended = call(withSilenceLimit(silent(), 60_000), stop.signal);
    stop.abort(new Error('enough'));
    await expect(ended).rejects.toThrow('enough');
  });

  it('fails when a body or a listing stops in the middle, and frees what it held', async () => {
    let freed = 0;
    const inner = new MemoryVault('far');
    async function* stopping<T>(first: T, signal: AbortSignal | undefined): AsyncGenerator<T, void, undefined> {
      try {
        yield first;
        await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));
      } finally {
        freed++;
      }
    }
    inner.get = (_, options) => Promise.resolve({ length: 20, body: stopping(someBytes(10), options?.signal) });
    inner.list = (_, options) => stopping({ key: 'a', size: 1 }, options?.signal);
    const vault = withSilenceLimit(inner, 20);
    expect(await failure(vault.get('a').then(read))).toMatchObject({ code: 'LB_VAULT_UNAVAILABLE' });
    expect(await failure(keysOf(vault))).toMatchObject({ code: 'LB_VAULT_UNAVAILABLE' });
    expect(freed).toBe(2);
  });

  it('is the same vault otherwise, however slow, as long as something comes', async () => {
    const inner = withFaults(new MemoryVault('far'), { random: randomFrom(2), chances: { slow: 1 }, slowMs: 5 });
    const vault = withSilenceLimit(inner, 10_000);
    expect(await vault.put('a', someBytes(500))).toBe('created');
    expect(await vault.put('a', someBytes(1))).toBe('exists');
    expect(digest(await read(await vault.get('a', { offset: 490 })))).toBe(digest(someBytes(500).subarray(490)));
    expect(await vault.head('a')).toEqual({ key: 'a', size: 500 });
    expect(await keysOf(vault)).toEqual(['a']);
    await vault.delete('a');
    expect(await vault.head('a')).toBeUndefined();
    await vault.close();
  });
});
