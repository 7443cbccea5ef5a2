import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatWriteKey, writeKeyOf } from '../../src/keys/index.ts';
import { openReader, replicate, verify } from '../../src/repository/index.ts';
import { openDirectoryVault } from '../../src/vault/directory.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { generationRecords, runAndKill } from './killed.ts';
import { backUp, expectSame, makeSceneIn, readBack } from './scene.ts';
import type { Scene } from './scene.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-killed-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function sceneIn(name: string, vaults: number): Promise<Scene<Vault> & { readonly paths: readonly string[] }> {
  const paths = Array.from({ length: vaults }, (_, i) => join(folder, name, `${i}`));
  for (const path of paths) await mkdir(path, { recursive: true });
  const scene = await makeSceneIn(await Promise.all(paths.map((path, i) => openDirectoryVault({ name: `vault-${i}`, path }))));
  return { ...scene, paths };
}

/** Every point that a vault shows can be restored from it alone, and is what was backed up. Gives the ids. */
async function expectWhole(vault: Vault, { keys }: Scene<Vault>): Promise<string[]> {
  const reader = await openReader({ vaults: [vault], keys });
  const ids = (await reader.listPoints()).map((point) => point.id);
  for (const id of ids) {
    const point = await reader.open(id);
    const { generation } = point.manifest as { generation: number };
    const expected = Object.fromEntries([0, 1, 2].map((part) => [`part-${part}`, generationRecords(generation, part)]));
    expectSame(await readBack(point), expected);
  }
  return ids;
}

describe('backups that are killed at any moment', () => {
  it('leave whole points only, in every vault, which the next ones build on', { timeout: 600_000 }, async () => {
    const scene = await sceneIn('backups', 3);
    await writeFile(join(folder, 'key'), formatWriteKey(writeKeyOf(scene.keys)), { mode: 0o600 });
    const reported: string[] = [];
    for (let round = 0; round < 20; round++) {
      const lines = await runAndKill('backup.child.ts', [join(folder, 'key'), String(round), ...scene.paths], round % 3 === 0 ? 1 : 0, (round * 37) % 200);
      reported.push(...lines);
    }
    const report = await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' });
    // The slow vault, or one whose backup was killed just then, lacks points that another one has.
    expect(report.findings.filter(({ kind, object }) => kind !== 'missing' || object.startsWith('packs/'))).toEqual([]);
    const shown = new Map<string, string[]>();
    for (const vault of scene.vaults) shown.set(vault.name, await expectWhole(vault, scene));
    // What was acknowledged is there, in every vault it was said to be in.
    for (const line of reported) {
      const [id = '', vaults = ''] = line.split(' ');
      expect(vaults).toContain('vault-0,vault-1');
      for (const vault of vaults.split(',')) expect(shown.get(vault)).toContain(id);
    }
    const next = await backUp(scene, { all: generationRecords(0, 0) });
    expect(next).toMatchObject({ safe: true, vaults: ['vault-0', 'vault-1', 'vault-2'] });
    expect(next.header.previous.length).toBeGreaterThan(0);
    expect((await replicate({ vaults: scene.vaults })).vaults.map(({ state }) => state)).toEqual(['level', 'level', 'level']);
    expect((await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' })).findings).toEqual([]);
    for (const vault of scene.vaults) await vault.close();
  });
});

describe('replicate that is killed at any moment', () => {
  it('leaves whole points only, and goes on from there', async () => {
    const scene = await sceneIn('replicate', 1);
    for (let generation = 0; generation < 6; generation++) {
      const streams = Object.fromEntries([0, 1, 2].map((part) => [`part-${part}`, generationRecords(generation, part)]));
      await backUp(scene, streams, { manifest: { generation } });
    }
    const ids = await expectWhole(scene.vaults[0] as Vault, scene);
    let kills = 0;
    for (let round = 0; round < 4; round++) {
      const path = join(folder, 'replicate', `fresh-${round}`);
      await mkdir(path);
      const fresh = await openDirectoryVault({ name: 'fresh', path });
      for (let attempt = 0; ; attempt++) {
        const [done] = await runAndKill('replicate.child.ts', [...scene.paths, path], 0, round * 17 + attempt * 90);
        if (done !== undefined) break;
        kills++;
        // As long as it has no header it is no repository.
        const shown = (await fresh.head('lifeboat.json')) === undefined ? [] : await expectWhole(fresh, scene);
        expect(ids).toEqual(expect.arrayContaining(shown));
      }
      expect(await expectWhole(fresh, scene)).toEqual(ids);
      expect((await verify({ vaults: [fresh], keys: scene.keys, depth: 'data' })).findings).toEqual([]);
      await fresh.close();
    }
    expect(kills).toBeGreaterThan(0);
  });
});
