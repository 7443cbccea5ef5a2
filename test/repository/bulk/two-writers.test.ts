import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatWriteKey, writeKeyOf } from '../../../src/keys/index.ts';
import { verify } from '../../../src/repository/index.ts';
import { openDirectoryVault } from '../../../src/vault/directory.ts';
import type { Vault } from '../../../src/vault/vault.ts';
import { Child } from '../../survival/child.ts';
import { makeSceneIn } from '../scene.ts';
import type { Scene } from '../scene.ts';
import { imageOf, inParts } from './made.ts';
import { backUpBytes, collect, withPoint } from './scene.ts';
import { imageFor, streamFor } from './two-writers.ts';

const SEEDS = ['one', 'two'];
const SCRIPT = new URL('writer.child.ts', import.meta.url);

describe('two processes that store byte streams into one vault at the same time', () => {
  let folder: string;
  let scene: Scene<Vault>;
  const ids: string[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lifeboat-writers-'));
    scene = await makeSceneIn([await openDirectoryVault({ name: 'shared', path: join(folder, 'vault'), create: true })]);
    await writeFile(join(folder, 'key'), formatWriteKey(writeKeyOf(scene.keys)));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('both make their point, without seeing what the other stores', async () => {
    const args = [join(folder, 'key'), join(folder, 'vault')];
    await using one = new Child(SCRIPT, [...args, 'one']);
    await using two = new Child(SCRIPT, [...args, 'two']);
    const pair = [one, two];
    await Promise.all(pair.map((child) => child.until('begun')));
    for (const child of pair) child.tell();
    for (const [i, child] of pair.entries()) {
      const [, id = '', fresh] = (await child.until('point')).split(' ');
      const seed = SEEDS[i] ?? '';
      ids.push(id);
      // All that is not zero: nothing was known when they began.
      expect(Number(fresh)).toBe(streamFor(seed).length + imageFor(seed).length - 3 * 1024 * 1024);
      await child.finished();
    }
  });

  it('and all of both is there', async () => {
    for (const [i, id] of ids.entries()) {
      const seed = SEEDS[i] ?? '';
      await withPoint(
        scene,
        async (point, refs) => {
          expect((await collect(point.read(refs['stream'] ?? { bytes: 0, map: '' }))).equals(streamFor(seed))).toBe(true);
          expect((await collect(point.read(refs['image'] ?? { bytes: 0, map: '' }))).equals(imageFor(seed))).toBe(true);
        },
        { id },
      );
    }
    const report = await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' });
    expect(report).toMatchObject({ findings: [], unreferenced: 0, vaults: [{ intactPoints: 2 }] });
  });

  it('and the next backup follows both, and stores nothing that either did', async () => {
    const next = await backUpBytes(scene, async (session) => {
      const refs = SEEDS.map(async (seed) => [
        [`stream ${seed}`, await session.stream(inParts(streamFor(seed), []))] as const,
        [`image ${seed}`, await session.image(imageOf(imageFor(seed)), imageFor(seed).length)] as const,
      ]);
      return Object.fromEntries((await Promise.all(refs)).flat());
    });
    expect(next.header.previous.map(({ id }) => id).sort()).toEqual([...ids].sort());
    expect(next.header.stats).toMatchObject({ newChunks: 0, packs: 0 });
    expect(await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' })).toMatchObject({ findings: [], unreferenced: 0 });
  });
});
