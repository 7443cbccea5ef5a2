import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VaultSettings } from '../../src/vault/config.ts';
import { openVault } from '../../src/vault/open.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { codeOf, codesOf, digest, digestOf, failure, inParts, keysOf, read, someBytes } from './bytes.ts';
import { killedUpload } from './killed-upload.ts';

/** A kind of storage that vaults can be opened on. */
export interface Storage {
  /** Fresh, empty storage. */
  create(): Promise<VaultSettings>;
  /** Ends the server and removes everything. */
  stop(): Promise<void>;
}

const MIB = 1024 * 1024;
const LARGE = 40 * MIB;
/** Keys whose order differs when folders are sorted by name: `-` and `.` come before `/`, digits and letters after it. */
const TRICKY =
  'A/b a-b a-b.c/d a-c/d a.b a/b a/b-c a/c/d- a/c/d.e a/c/d/f a0 a_b aB ab b/- b/_ b/0 x.y/z x/y'.split(' ');
const INVALID_KEYS = ['', '/', 'a/', '/a', 'a//b', '.', '..', '../a', 'a/../b', 'a/.b', '.tmp/a', 'a b', 'a\\b', 'ä', 'a\n', 'a'.repeat(256), `${'a/'.repeat(256)}a`];
const INVALID_PREFIXES = ['..', '../', '/', 'a//', './', 'a/../', 'ü'];

/** More than any store gives in one page (Azure: 5,000). */
const MANY = 5200;

/** What every vault promises (src/vault/vault.ts), as tests. `many` is how many keys are listed; fewer where storing them takes too long. */
export function describeVault(kind: string, start: () => Promise<Storage>, many = MANY): void {
  describe(`a vault in ${kind}`, () => {
    let storage: Storage;
    const opened: Vault[] = [];

    beforeAll(async () => {
      storage = await start();
    });
    afterAll(async () => {
      await Promise.all(opened.map((vault) => vault.close()));
      await storage?.stop();
    });

    const open = async (config: VaultSettings): Promise<Vault> => {
      const vault = await openVault({ ...config, name: 'test' });
      opened.push(vault);
      return vault;
    };
    const fresh = async (): Promise<Vault> => open(await storage.create());

    it('gives back what was stored, whole and in part', async () => {
      const vault = await fresh();
      const segment = fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,20}$/);
      let n = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(segment, { minLength: 1, maxLength: 4 }),
          fc.oneof(fc.nat(20), fc.nat(200_000)),
          fc.integer({ min: -250_000, max: 250_000 }),
          fc.nat(250_000),
          async (segments, size, offset, length) => {
            // A number first, so that no key is a folder of another.
            const key = [`n${n}`, ...segments].join('/');
            const bytes = someBytes(size, (n += 1));
            const body = n % 2 === 0 ? bytes : inParts(bytes, 30_000);
            expect(await vault.put(key, body)).toBe('created');
            expect(await vault.head(key)).toEqual({ key, size });
            expect(await digestOf(vault, key)).toBe(digest(bytes));
            const from = offset < 0 ? Math.max(0, size + offset) : offset;
            const part = await read(await vault.get(key, { offset, length }));
            expect(digest(part)).toBe(digest(bytes.subarray(from, from + length)));
          },
        ),
        { numRuns: 40 },
      );
    });

    it('reads ranges that touch, cross and lie beyond both ends', async () => {
      const vault = await fresh();
      await vault.put('ten', Buffer.from('0123456789'));
      await vault.put('none', new Uint8Array(0));
      const text = async (key: string, offset?: number, length?: number): Promise<string> => {
        const options = { ...(offset === undefined ? {} : { offset }), ...(length === undefined ? {} : { length }) };
        return Buffer.from(await read(await vault.get(key, options))).toString();
      };
      expect(await text('ten', 0, 1)).toBe('0');
      expect(await text('ten', 9)).toBe('9');
      expect(await text('ten', 8, 5)).toBe('89');
      expect(await text('ten', 10)).toBe('');
      expect(await text('ten', 11, 3)).toBe('');
      expect(await text('ten', 4, 0)).toBe('');
      expect(await text('ten', -3)).toBe('789');
      expect(await text('ten', -3, 2)).toBe('78');
      expect(await text('ten', -3, 9)).toBe('789');
      expect(await text('ten', -12, 4)).toBe('0123');
      expect(await text('ten', -12)).toBe('0123456789');
      for (const [offset, length] of [[0], [0, 0], [0, 4], [3], [-3], [-3, 1]]) expect(await text('none', offset, length)).toBe('');
    });

    it('creates an object once and never changes it', async () => {
      const config = await storage.create();
      const [vault, other] = [await open(config), await open(config)];
      expect(await vault.put('a', Buffer.from('first'))).toBe('created');
      expect(await vault.put('a', Buffer.from('second'))).toBe('exists');
      expect(await other.put('a', inParts(someBytes(3 * MIB), 100_000))).toBe('exists');
      expect(Buffer.from(await read(await other.get('a'))).toString()).toBe('first');
      expect(await keysOf(other)).toEqual(['a']);
    });

    it.each([
      ['small', 100],
      ['large', 3 * MIB],
    ])('lets exactly one of 20 concurrent creators of a %s object win', async (_, size) => {
      const config = await storage.create();
      const vaults = await Promise.all(Array.from({ length: 4 }, () => open(config)));
      const bodies = Array.from({ length: 20 }, (_, i) => someBytes(size, i + 1));
      const outcomes = await Promise.all(
        bodies.map((body, i) => pick(vaults, i).put('race/it', i % 3 === 0 ? inParts(body, 1000) : body)),
      );
      expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome === 'exists')).toHaveLength(19);
      const winner = bodies[outcomes.indexOf('created')] ?? new Uint8Array(0);
      for (const vault of vaults) expect(await digestOf(vault, 'race/it')).toBe(digest(winner));
    });

    it('has nothing where nothing was stored', async () => {
      const vault = await fresh();
      const error = await failure(vault.get('no/such'));
      expect(codeOf(error)).toBe('LB_VAULT_OBJECT_MISSING');
      expect(error).toHaveProperty('where', 'vault "test", object no/such');
      expect(await vault.head('no/such')).toBeUndefined();
      expect(await keysOf(vault)).toEqual([]);
      expect(await keysOf(vault, 'no/such/')).toEqual([]);
    });

    it('does not take a beginning of a key for an object', async () => {
      const vault = await fresh();
      await vault.put('a/b/c', Buffer.from('x'));
      expect(await vault.head('a/b')).toBeUndefined();
      expect(codeOf(await failure(vault.get('a')))).toBe('LB_VAULT_OBJECT_MISSING');
      await vault.delete('a/b');
      expect(await keysOf(vault)).toEqual(['a/b/c']);
    });

    it('keeps an object unharmed when a key below or above it is tried', async () => {
      const vault = await fresh();
      await vault.put('p', Buffer.from('p'));
      await vault.put('d/q', Buffer.from('q'));
      for (const key of ['p/q', 'd']) {
        const outcome = await vault.put(key, Buffer.from('new')).catch((error: unknown) => codeOf(error));
        expect(['created', 'exists', 'LB_VAULT_INVALID_KEY']).toContain(outcome);
      }
      expect(await digestOf(vault, 'p')).toBe(digest(Buffer.from('p')));
      expect(await digestOf(vault, 'd/q')).toBe(digest(Buffer.from('q')));
    });

    it('lists keys in the order of their bytes, for any prefix and start', async () => {
      const vault = await fresh();
      for (const key of TRICKY) await vault.put(key, Buffer.from(key));
      const sorted = [...TRICKY].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      const prefixes = ['', 'a', 'a-', 'a/', 'a/c', 'a/c/d', 'a/c/d/', 'b', 'x.y', 'zz', 'a-b.c/d'];
      const starts = ['', 'a', 'a-b', 'a-c/d', 'a.', 'a/b', 'a/c/d', 'a/c/d/f', 'a0', 'b', 'zz', ...TRICKY];
      for (const prefix of prefixes) {
        expect(await keysOf(vault, prefix)).toEqual(sorted.filter((key) => key.startsWith(prefix)));
      }
      for (const start of starts) {
        expect(await keysOf(vault, '', start)).toEqual(sorted.filter((key) => key > start));
        expect(await keysOf(vault, 'a', start)).toEqual(sorted.filter((key) => key.startsWith('a') && key > start));
        expect(await keysOf(vault, 'a/c/', start)).toEqual(sorted.filter((key) => key.startsWith('a/c/') && key > start));
      }
      for await (const { key, size } of vault.list('')) expect(size).toBe(key.length);
    });

    it(`lists ${many} keys, from anywhere, as far as one likes`, { timeout: 600_000 }, async () => {
      const vault = await fresh();
      const keys = Array.from({ length: many }, (_, i) => (i < many / 2 ? `many/${i}` : `k${i % 50}/${i}`));
      const todo = [...keys];
      const work = async (): Promise<void> => {
        for (let key = todo.pop(); key !== undefined; key = todo.pop()) await vault.put(key, new Uint8Array(1));
      };
      await Promise.all(Array.from({ length: 24 }, work));
      const sorted = keys.toSorted();
      expect(await keysOf(vault)).toEqual(sorted);
      expect(await keysOf(vault, 'many/', 'many/2')).toEqual(sorted.filter((key) => key.startsWith('many/') && key > 'many/2'));
      const middle = Math.round(many * 0.52);
      expect(await keysOf(vault, '', sorted[middle])).toEqual(sorted.slice(middle + 1));
      const some: string[] = [];
      for await (const { key } of vault.list('many/')) {
        some.push(key);
        if (some.length === 1001) break;
      }
      expect(some).toEqual(sorted.filter((key) => key.startsWith('many/')).slice(0, 1001));
    });

    it('stores a large object that comes as a stream, and reads across its parts', async () => {
      const vault = await fresh();
      const bytes = someBytes(LARGE + 12_345);
      expect(await vault.put('large', inParts(bytes, 700_001))).toBe('created');
      expect(await vault.put('large', inParts(bytes, 700_001))).toBe('exists');
      expect(await digestOf(vault, 'large')).toBe(digest(bytes));
      const offset = 16 * MIB - 10;
      expect(digest(await read(await vault.get('large', { offset, length: 20 })))).toBe(digest(bytes.subarray(offset, offset + 20)));
    });

    it('shows an object only when all of it is there', async () => {
      const config = await storage.create();
      const [vault, reader] = [await open(config), await open(config)];
      let looks = 0;
      const look = async (sent: number): Promise<void> => {
        if (sent % MIB !== 0) return;
        looks += 1;
        expect(await reader.head('slow/one')).toBeUndefined();
        expect(await keysOf(reader)).toEqual([]);
      };
      const bytes = someBytes(2 * MIB);
      expect(await vault.put('slow/one', inParts(bytes, MIB / 4, look))).toBe('created');
      expect(looks).toBe(2);
      expect(await digestOf(reader, 'slow/one')).toBe(digest(bytes));
    });

    it.each([
      ['small', 1000],
      ['large', LARGE],
    ])('leaves nothing of a %s object whose source fails, and passes its error on', async (_, size) => {
      const vault = await fresh();
      const reason = new Error('the source broke');
      const body = inParts(someBytes(size), Math.ceil(size / 4), (sent) => {
        if (sent > size / 2) throw reason;
      });
      expect(await failure(vault.put('broken', body))).toBe(reason);
      expect(await vault.head('broken')).toBeUndefined();
      expect(await keysOf(vault)).toEqual([]);
      expect(await vault.put('broken', Buffer.from('whole'))).toBe('created');
    });

    it.each([
      ['fewer', 900],
      ['more', 1100],
    ])('refuses a stream that gives %s bytes than it announced', async (_, size) => {
      const vault = await fresh();
      const body = { size, stream: inParts(someBytes(1000), 100).stream };
      expect(codeOf(await failure(vault.put('odd', body)))).toBe('LB_INTERNAL');
      expect(await keysOf(vault)).toEqual([]);
    });

    it.each([
      ['small', 1000],
      ['large', LARGE],
    ])('stops storing a %s object when its signal fires, even while the source hangs', async (_, size) => {
      const vault = await fresh();
      const reason = new Error('enough');
      const stop = new AbortController();
      const hang = new Promise<void>(() => {});
      const body = inParts(someBytes(size), Math.ceil(size / 4), (sent) => {
        if (sent > size / 2) setTimeout(() => stop.abort(reason), 10);
        return sent > size / 2 ? hang : undefined;
      });
      expect(await failure(vault.put('stopped', body, { signal: stop.signal }))).toBe(reason);
      expect(await vault.head('stopped')).toBeUndefined();
      expect(await vault.put('stopped', Buffer.from('again'))).toBe('created');
      expect(await keysOf(vault)).toEqual(['stopped']);
    });

    it('does nothing for a signal that has fired', async () => {
      const vault = await fresh();
      await vault.put('there', Buffer.from('x'));
      const reason = new Error('enough');
      const signal = AbortSignal.abort(reason);
      expect(await failure(vault.put('a', Buffer.from('x'), { signal }))).toBe(reason);
      expect(await failure(vault.get('there', { signal }))).toBe(reason);
      expect(await failure(vault.head('there', { signal }))).toBe(reason);
      expect(await failure(vault.delete('there', { signal }))).toBe(reason);
      expect(await failure(vault.list('', { signal })[Symbol.asyncIterator]().next())).toBe(reason);
      expect(await keysOf(vault)).toEqual(['there']);
    });

    it('stops reading when the signal fires', async () => {
      const vault = await fresh();
      await vault.put('long', someBytes(4 * MIB));
      const reason = new Error('enough');
      const stop = new AbortController();
      const { body } = await vault.get('long', { signal: stop.signal });
      const reading = (async () => {
        for await (const _ of body) stop.abort(reason);
      })();
      expect(await failure(reading)).toBe(reason);
    });

    it('loses nothing when bodies are left unread', async () => {
      const vault = await fresh();
      await vault.put('long', someBytes(2 * MIB));
      for (let i = 0; i < 40; i += 1) {
        const { body } = await vault.get('long');
        const iterator = body[Symbol.asyncIterator]();
        if (i % 2 === 0) await iterator.next();
        await iterator.return?.();
      }
      expect(await vault.put('next', Buffer.from('x'))).toBe('created');
    });

    it('deletes an object, also one that is gone, and lets it be created again', async () => {
      const vault = await fresh();
      await vault.put('d/a', Buffer.from('one'));
      await vault.put('d/b', Buffer.from('b'));
      await vault.delete('d/a');
      await vault.delete('d/a');
      await vault.delete('never/was');
      expect(await vault.head('d/a')).toBeUndefined();
      expect(await keysOf(vault)).toEqual(['d/b']);
      expect(await vault.put('d/a', Buffer.from('two'))).toBe('created');
      expect(await digestOf(vault, 'd/a')).toBe(digest(Buffer.from('two')));
    });

    it('does not lock unless it is told to in its configuration', async () => {
      const vault = await fresh();
      expect(vault.locks).toBe(false);
      const retainUntil = new Date(Date.now() + 3_600_000);
      await vault.put('a', Buffer.from('x'));
      const calls = [vault.put('b', Buffer.from('x'), { retainUntil }), vault.retain('a', retainUntil)];
      expect(new Set(await codesOf(calls))).toEqual(new Set(['LB_VAULT_LOCK_UNSUPPORTED']));
      expect(await vault.head('a')).toEqual({ key: 'a', size: 1 });
      expect(await keysOf(vault)).toEqual(['a']);
    });

    it('shows what is there as the original where no versions are kept', async () => {
      const vault = await fresh();
      for (const key of TRICKY) await vault.put(key, Buffer.from(key));
      await vault.delete('a.b');
      const original = { original: true };
      const sorted = TRICKY.filter((key) => key !== 'a.b').toSorted();
      expect(await Array.fromAsync(vault.list('', original))).toEqual(sorted.map((key) => ({ key, size: key.length })));
      const after = { original: true, startAfter: 'a/b' };
      expect((await Array.fromAsync(vault.list('a', after))).map(({ key }) => key)).toEqual(
        sorted.filter((key) => key.startsWith('a') && key > 'a/b'),
      );
      expect(Buffer.from(await read(await vault.get('x.y/z', original))).toString()).toBe('x.y/z');
      expect(Buffer.from(await read(await vault.get('x.y/z', { ...original, offset: -3 }))).toString()).toBe('y/z');
      expect(await vault.head('x.y/z', original)).toEqual({ key: 'x.y/z', size: 5 });
      expect(await vault.head('a.b', original)).toBeUndefined();
      expect(codeOf(await failure(vault.get('a.b', original)))).toBe('LB_VAULT_OBJECT_MISSING');
      for (const key of ['x.y/z', 'a.b', 'never/was']) expect(await vault.uncover(key)).toBe(0);
      expect(await vault.head('x.y/z')).toEqual({ key: 'x.y/z', size: 5 });
    });

    it('takes keys of the greatest length', async () => {
      const vault = await fresh();
      const key = `${'k'.repeat(255)}/${'l'.repeat(254)}/m`;
      expect(key).toHaveLength(512);
      await vault.put(key, Buffer.from('x'));
      expect(await keysOf(vault)).toEqual([key]);
      expect(await digestOf(vault, key)).toBe(digest(Buffer.from('x')));
    });

    it('refuses what cannot be a key, or the beginning of one', async () => {
      const vault = await fresh();
      for (const key of INVALID_KEYS) {
        const calls = [vault.put(key, new Uint8Array(1)), vault.get(key), vault.head(key), vault.delete(key), vault.uncover(key)];
        expect([key, new Set(await codesOf(calls))]).toEqual([key, new Set(['LB_VAULT_INVALID_KEY'])]);
      }
      for (const prefix of INVALID_PREFIXES) {
        const error = await failure(keysOf(vault, prefix));
        expect([prefix, codeOf(error)]).toEqual([prefix, 'LB_VAULT_INVALID_KEY']);
      }
    });

    it.each([
      ['before its first byte is stored', LARGE, 0],
      ['in its middle', LARGE, LARGE - 4 * MIB],
      ['before its last byte is stored', LARGE, LARGE - 128 * 1024],
    ])('never shows an object whose writer is killed %s', async (_, size, killAt) => {
      const config = await storage.create();
      await killedUpload(config, 'killed/one', size, killAt);
      const vault = await open(config);
      expect(await vault.head('killed/one')).toBeUndefined();
      expect(await keysOf(vault)).toEqual([]);
      expect(await vault.put('killed/one', Buffer.from('again'))).toBe('created');
      expect(await keysOf(vault)).toEqual(['killed/one']);
    });

    it('can be closed twice', async () => {
      const vault = await fresh();
      await vault.close();
      await vault.close();
    });
  });
}

function pick(vaults: readonly Vault[], i: number): Vault {
  const vault = vaults[i % vaults.length];
  if (vault === undefined) throw new Error('there are no vaults');
  return vault;
}
