import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { formatMaintainKey, maintainKeyOf, parseMaintainKey } from '../../src/keys/index.ts';
import type { MaintainKey } from '../../src/keys/index.ts';
import { findLivePoints, openReader, removePoint, verify } from '../../src/repository/index.ts';
import type { PointRemoval } from '../../src/repository/index.ts';
import { encodePointTombstone } from '../../src/repository/removal/tombstone.ts';
import { openDirectoryVault } from '../../src/vault/directory.ts';
import type { Vault } from '../../src/vault/vault.ts';
import type { Warning } from '../../src/core/progress.ts';
import { rescueReaderIn, runRescue } from './rescue.ts';
import { backUp, expectSame, makeScene, makeSceneIn, restore, testClock } from './scene.ts';
import type { Scene } from './scene.ts';
import type { MemoryVault } from '../support/memory-vault.ts';

const HOUR = 3_600_000;

async function threePoints(scene: Scene<Vault>): Promise<string[]> {
  const clock = testClock();
  const ids: string[] = [];
  for (const text of ['one', 'two', 'three']) {
    clock.advance(HOUR);
    ids.push((await backUp(scene, { all: [text] }, { clock })).header.id);
  }
  return ids;
}

async function remove(scene: Scene<Vault>, id: string, vaults = scene.vaults): Promise<PointRemoval> {
  const key = maintainKeyOf(scene.keys);
  const found = (await findLivePoints(vaults, 'prod', key, {})).find((point) => point.id === id);
  if (found === undefined) throw new Error(`there is no point ${id}`);
  return removePoint(vaults, key, found, 'a test', { clock: testClock() });
}

async function listed(vaults: readonly Vault[], warnings: Warning[] = []): Promise<string[]> {
  const reader = await openReader({ vaults, onWarning: (warning) => warnings.push(warning) });
  return (await reader.listPoints()).map((point) => point.id);
}

describe('a point that was removed', () => {
  let scene: Scene;
  let ids: string[];
  beforeEach(async () => {
    scene = await makeScene('a', 'b');
    ids = await threePoints(scene);
  });

  it('is no longer listed, opened or built on, and its absence is no loss', async () => {
    expect(await remove(scene, ids[1] ?? '')).toMatchObject({ vaults: ['a', 'b'], failed: [] });
    expect(await listed(scene.vaults)).toEqual([ids[0], ids[2]]);
    await expect(restore(scene, ids[1])).rejects.toMatchObject({ code: 'LB_POINT_NOT_FOUND' });
    expect(await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' })).toMatchObject({ findings: [], vaults: [{ points: 2 }, { points: 2 }] });
    for (const vault of scene.vaults) vault.objects.delete(`points/prod/${ids[1]}`);
    expect(await verify({ vaults: scene.vaults, depth: 'structure' })).toMatchObject({ findings: [], vaults: [{ points: 2 }, { points: 2 }] });
    // The newest one is removed, and another follows what is left.
    await remove(scene, ids[2] ?? '');
    const next = await backUp(scene, { all: ['four'] }, { clock: testClock(Date.parse('2026-03-15T00:00:00.000Z')) });
    expect(next.header.previous.map(({ id }) => id)).toEqual([ids[0]]);
    expectSame(await restore(scene), { all: ['four'] });
    expect((await verify({ vaults: scene.vaults, depth: 'structure' })).findings).toEqual([]);
  });

  it('stays removed though a vault was away and knows nothing of it', async () => {
    const [a, b] = scene.vaults as [MemoryVault, MemoryVault];
    await remove(scene, ids[1] ?? '', [a]);
    a.objects.delete(`points/prod/${ids[1]}`);
    expect(await listed([a, b])).toEqual([ids[0], ids[2]]);
    await backUp(scene, { all: ['four'] });
    expect(a.objects.has(`points/prod/${ids[1]}`)).toBe(false);
    expect((await verify({ vaults: [a, b], depth: 'structure' })).findings).toMatchObject([{ vault: 'b', object: `points/prod/${ids[1]}.removed`, kind: 'missing' }]);
  });

  it('is known to have been removed by the chain also when those that followed it are gone too', async () => {
    for (const id of ids.slice(0, 2)) await remove(scene, id);
    for (const vault of scene.vaults) for (const id of ids.slice(0, 2)) vault.objects.delete(`points/prod/${id}`);
    expect((await verify({ vaults: scene.vaults, depth: 'structure' })).findings).toEqual([]);
    for (const vault of scene.vaults) vault.objects.delete(`points/prod/${ids[0]}.removed`);
    expect((await verify({ vaults: scene.vaults, depth: 'structure' })).findings).toMatchObject([
      { object: `points/prod/${ids[0]}`, kind: 'chain' },
      { object: `points/prod/${ids[0]}`, kind: 'chain' },
    ]);
  });

  it('is removed again without harm', async () => {
    const point = (await findLivePoints(scene.vaults, 'prod', scene.keys, {}))[0];
    if (point === undefined) throw new Error('there is no point');
    for (let i = 0; i < 2; i++) expect((await removePoint(scene.vaults, scene.keys, point, 'again')).failed).toEqual([]);
  });

  it('is left as it is while a lock holds it in any vault', async () => {
    const [, b] = scene.vaults as [MemoryVault, MemoryVault];
    b.locks = true;
    const until = new Date(testClock().now() + HOUR);
    await b.retain(`points/prod/${ids[0]}`, until);
    expect(await remove(scene, ids[0] ?? '')).toEqual({ site: 'prod', id: ids[0], vaults: [], failed: [], lockedUntil: until.toISOString() });
    expect(await listed(scene.vaults)).toEqual(ids);
  });
});

describe('a tombstone that the maintain key did not sign', () => {
  it('removes nothing: of the write key, of another repository, of another point, or made up', async () => {
    const [scene, other] = [await makeScene('a'), await makeScene('a')];
    const ids = await threePoints(scene);
    const [vault] = scene.vaults as [MemoryVault];
    const id = ids[0] ?? '';
    const claim = { site: 'prod', id, sha256: '0'.repeat(64), removedAt: '2026-03-14T02:15:00.000Z', reason: '', previous: [] };
    const signedBy = (maintainKey: MaintainKey['maintainKey'], more: object = {}): Buffer => encodePointTombstone({ ...claim, ...more }, { ...scene.keys, maintainKey });
    for (const forged of [
      signedBy(scene.keys.signingKey),
      signedBy(scene.keys.reportKey),
      signedBy(other.keys.maintainKey),
      encodePointTombstone(claim, { ...scene.keys, repositoryId: other.keys.repositoryId }),
      signedBy(scene.keys.maintainKey, { id: ids[1] }),
      signedBy(scene.keys.maintainKey, { site: 'other' }),
      Buffer.from('made up'),
      Buffer.alloc(0),
    ]) {
      vault.objects.set(`points/prod/${id}.removed`, forged);
      const warnings: Warning[] = [];
      expect(await listed([vault], warnings)).toEqual(ids);
      expect(warnings).toMatchObject([{ kind: 'tombstone-unreadable' }]);
      expectSame(await restore(scene, id), { all: ['one'] });
      const { findings } = await verify({ vaults: [vault], keys: scene.keys, depth: 'structure' });
      expect(findings).toMatchObject([{ object: `points/prod/${id}.removed` }]);
      // What a thief put there first does not pass for a removal.
      expect(await remove(scene, id)).toMatchObject({ vaults: [], failed: [{ vault: 'a' }] });
    }
  });

  it('but that a maintain key alone signed does', async () => {
    const scene = await makeScene('a');
    const [first] = await threePoints(scene);
    const key = parseMaintainKey(formatMaintainKey(scene.keys));
    const [point] = await findLivePoints(scene.vaults, 'prod', key, {});
    if (point === undefined) throw new Error('there is no point');
    await removePoint(scene.vaults, key, point, 'a test');
    expect(await listed(scene.vaults)).not.toContain(first);
  });
});

describe('the rescue reader', () => {
  it('passes over points that were removed, and takes no other tombstone for one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lifeboat-removed-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const vault = await openDirectoryVault({ name: 'a', path: folder });
    const scene = await makeSceneIn([vault]);
    const ids = await threePoints(scene);
    await remove(scene, ids[1] ?? '');
    const claim = { site: 'prod', id: ids[0] ?? '', sha256: '0'.repeat(64), removedAt: '2026-03-14T02:15:00.000Z', reason: '', previous: [] };
    await vault.put(`points/prod/${ids[0]}.removed`, encodePointTombstone(claim, { ...scene.keys, maintainKey: scene.keys.signingKey }));
    const script = await rescueReaderIn(folder);
    const { stdout } = await runRescue(script, folder, ['list']);
    expect(stdout.split('\n').map((line) => line.split(' ')[0])).toEqual([ids[0], ids[2], '']);
    for (const gone of [false, true]) {
      if (gone) await vault.delete(`points/prod/${ids[1]}`);
      expect(await runRescue(script, folder, ['verify'])).toMatchObject({ code: 0, stdout: expect.stringContaining('2 points read, 0 of them bad') as string });
    }
    await vault.close();
  });
});
