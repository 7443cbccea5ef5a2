import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listInOrder } from '../../src/vault/s3/list.ts';
import type { ReadFolderPage } from '../../src/vault/s3/list.ts';

/** Small alphabets make keys that share beginnings; `-` and `.` sort before `/`, `0` and `a` after it. */
const segment = fc.stringMatching(/^[0a_-][0a._-]{0,2}$/);
const key = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('/'));
const keySet = fc
  .uniqueArray(key, { maxLength: 40 })
  .map((keys) => keys.filter((one) => !keys.some((other) => other.startsWith(`${one}/`))));

const start = fc.oneof(fc.constant(''), key);

/** How a server sorts what is directly in a folder: by key, where a folder counts as `name/`, or by name. */
type Order = 'keys' | 'names';

/** A server that lists `keys` folder by folder, in pages of so many entries. */
function serverOf(keys: readonly string[], order: Order, pageSize: number): ReadFolderPage {
  const nameOf = (entry: string): string => (order === 'names' && entry.endsWith('/') ? entry.slice(0, -1) : entry);
  return async (prefix, { startAfter = '', next = '' }) => {
    const entries = keys.filter((one) => one.startsWith(prefix)).map((one) => {
      const slash = one.indexOf('/', prefix.length);
      return slash === -1 ? one : one.slice(0, slash + 1);
    });
    const sorted = [...new Set(entries)].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    const rest = sorted.filter((entry) => nameOf(entry) > startAfter && nameOf(entry) > next);
    const page = rest.slice(0, pageSize);
    const last = page.at(-1);
    return {
      files: page.filter((entry) => !entry.endsWith('/')).map((one) => ({ key: one, size: one.length })),
      folders: page.filter((entry) => entry.endsWith('/')),
      next: rest.length > pageSize && last !== undefined ? nameOf(last) : undefined,
    };
  };
}

describe('listing a server folder by folder', () => {
  it.each<Order>(['keys', 'names'])('gives whole keys in the order of their bytes when folders are sorted by %s', async (order) => {
    await fc.assert(
      fc.asyncProperty(keySet, fc.integer({ min: 1, max: 5 }), start, fc.nat(3), async (keys, pageSize, startAfter, cut) => {
        const prefix = (keys[0] ?? '').slice(0, cut);
        const found: string[] = [];
        for await (const { key } of listInOrder(serverOf(keys, order, pageSize), prefix, startAfter)) found.push(key);
        expect(found).toEqual(keys.filter((one) => one.startsWith(prefix) && one > startAfter).toSorted());
      }),
      { numRuns: 1000 },
    );
  });

  it('reads no more pages of a folder than it must to start after a key', async () => {
    const keys = Array.from({ length: 1000 }, (_, i) => `f/${String(i).padStart(4, '0')}`);
    let pages = 0;
    const server = serverOf(keys, 'names', 100);
    const counting: ReadFolderPage = (prefix, from) => {
      pages += 1;
      return server(prefix, from);
    };
    const found: string[] = [];
    for await (const { key } of listInOrder(counting, 'f/', 'f/0949')) found.push(key);
    expect(found).toEqual(keys.slice(950));
    expect(pages).toBe(1);
  });
});
