import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openReader, unlock, verify } from '../../../src/repository/index.ts';
import { openDirectoryVault } from '../../../src/vault/directory.ts';
import type { Vault } from '../../../src/vault/vault.ts';
import { runRescue } from '../rescue.ts';
import { computeBulkUnits } from '../vectors/bulk/units.ts';
import { collect, refsOf } from './scene.ts';

const HERE = fileURLToPath(new URL('../vectors/bulk/', import.meta.url));
const RESCUE = fileURLToPath(new URL('../../../src/repository/rescue/lifeboat-rescue.mjs', import.meta.url));
const expectedSchema = z.object({ repository: z.string(), identity: z.string(), point: z.string(), volumes: z.record(z.string(), z.string()) });

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('fixed inputs for byte streams give what they always gave', () => {
  const frozen = z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(join(HERE, 'units.json'), 'utf8')));
  it.each(Object.entries(computeBulkUnits()))('%s', (name, value) => {
    expect(value).toEqual(frozen[name]);
  });
});

describe('a vault written when byte streams were added to format 1', () => {
  const expected = expectedSchema.parse(JSON.parse(readFileSync(join(HERE, 'expected.json'), 'utf8')));
  let folder: string;
  let vault: Vault;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lifeboat-vectors-'));
    await cp(join(HERE, 'vault'), join(folder, 'vault'), { recursive: true });
    vault = await openDirectoryVault({ name: 'vector', path: join(folder, 'vault') });
  });
  afterAll(async () => {
    await vault.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('reads the same', async () => {
    const { keys } = await unlock([vault], { identities: [expected.identity] });
    const reader = await openReader({ vaults: [vault], keys });
    const point = await reader.open(expected.point);
    const hashes: Record<string, string> = {};
    for (const [name, ref] of Object.entries(refsOf(point))) hashes[name] = sha256(await collect(point.read(ref)));
    expect(hashes).toEqual(expected.volumes);
    await reader.close();
    expect(await verify({ vaults: [vault], keys, depth: 'data' })).toMatchObject({ findings: [], unreferenced: 0 });
  });

  it('reads the same with the rescue reader', async () => {
    await writeFile(join(folder, 'identity'), expected.identity);
    const options = ['--vault', join(folder, 'vault'), '--identity-file', join(folder, 'identity')];
    expect(await runRescue(RESCUE, folder, ['verify', ...options])).toMatchObject({ code: 0 });
    const { stdout } = await runRescue(RESCUE, folder, ['bytes', 'latest', ...options]);
    const listed = stdout.trimEnd().split('\n').map((line) => line.split('  ')[0] ?? '');
    expect(listed.sort()).toEqual(Object.keys(expected.volumes).map((name) => `/volumes/${name}`).sort());
    for (const [name, hash] of Object.entries(expected.volumes)) {
      const file = join(folder, name);
      expect(await runRescue(RESCUE, folder, ['bytes', 'latest', `/volumes/${name}`, file, ...options])).toMatchObject({ code: 0, stderr: '' });
      expect(sha256(await readFile(file))).toBe(hash);
    }
  });
});
