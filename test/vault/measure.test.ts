import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDirectoryVault } from '../../src/vault/directory.ts';
import { withCounts } from '../../src/vault/measure.ts';
import { failure, inParts, keysOf, read, someBytes } from './bytes.ts';

let path: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'lifeboat-measure-'));
});
afterEach(async () => {
  await rm(path, { recursive: true });
});

it('counts calls and the bytes that were really stored and read', async () => {
  const vault = withCounts(await openDirectoryVault({ name: 'disk', path }));
  await vault.put('a', someBytes(1000));
  await vault.put('b', inParts(someBytes(500), 100));
  await vault.put('a', someBytes(9000));
  await read(await vault.get('a', { offset: 900 }));
  await vault.head('a');
  await keysOf(vault);
  await failure(vault.get('none'));
  await failure(keysOf(vault, '/'));
  await vault.delete('a');
  expect(vault.counts).toEqual({
    calls: { put: 3, get: 2, head: 1, list: 2, retain: 0, delete: 1, uncover: 0 },
    created: 2,
    bytesStored: 1500,
    bytesRead: 100,
    failed: 2,
  });
  await vault.close();
});
