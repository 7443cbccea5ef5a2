import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
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
import { imageOf, noise } from './made.ts';
import { backUpBytes, collect, withPoint } from './scene.ts';

const MIB = 1024 * 1024;

describe('a process that stores a byte stream', () => {
  let folder: string;
  let scene: Scene<Vault>;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lifeboat-interrupted-'));
    scene = await makeSceneIn([await openDirectoryVault({ name: 'vault', path: join(folder, 'vault'), create: true })]);
    await writeFile(join(folder, 'key'), formatWriteKey(writeKeyOf(scene.keys)));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('ends with one error when it is interrupted, and leaves nothing unfinished', async () => {
    await using child = new Child(new URL('endless.child.ts', import.meta.url), [join(folder, 'key'), join(folder, 'vault')]);
    await child.until('stored');
    child.signal('SIGINT');
    // It ends by itself: no thread and no upload keeps it.
    const { lines } = await child.finished();
    expect(lines.at(-1)).toBe('ended LB_INTERRUPTED');
    expect(await readdir(join(folder, 'vault', '.tmp'))).toEqual([]);
    expect(await readdir(join(folder, 'vault'))).not.toContain('points');
  });

  it('leaves what the next one can build on', async () => {
    const data = Buffer.concat([noise(4 * MIB, 0), noise(9 * MIB, 'more')]);
    const point = await backUpBytes(scene, async (session) => ({ image: await session.image(imageOf(data), data.length) }));
    expect(point.vaults).toEqual(['vault']);
    await withPoint(scene, async (opened, refs) => {
      expect((await collect(opened.read(refs['image'] ?? { bytes: 0, map: '' }))).equals(data)).toBe(true);
    });
    expect(await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' })).toMatchObject({ findings: [] });
  });
});
