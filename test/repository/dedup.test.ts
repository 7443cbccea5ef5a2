import { randomBytes } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { LifeboatError } from '../../src/core/errors.ts';
import { writeKeyOf } from '../../src/keys/index.ts';
import { openReader, openWriter, verify } from '../../src/repository/index.ts';
import { backUp, expectSame, madeUpList, makeScene, restore, testClock } from './scene.ts';
import type { Scene } from './scene.ts';
import type { MemoryVault } from '../support/memory-vault.ts';

function storedBytes(scene: Scene): number {
  return [...(scene.vaults[0]?.objects.values() ?? [])].reduce((sum, bytes) => sum + bytes.length, 0);
}

describe('what a backup adds', () => {
  it('is less than 3% for 1% of changed objects, and says so', async () => {
    const scene = await makeScene();
    const empty = storedBytes(scene);
    const first = await backUp(scene, { configmaps: madeUpList(10_000) });
    const one = storedBytes(scene);
    expect(first.header.stats.storedBytes).toBe(one - empty);
    const changed = madeUpList(10_000, { generation: (number) => (number % 100 === 0 ? 1 : 0) });
    const second = await backUp(scene, { configmaps: changed });
    const two = storedBytes(scene);
    expect(second.header.stats).toMatchObject({ newChunks: 100, recordsTotal: 10_000, storedBytes: two - one });
    expect(two - one).toBeLessThan(0.03 * (one - empty));
    expectSame(await restore(scene), { configmaps: changed });
  });

  it('is next to nothing when nothing changed, also when the order did', async () => {
    const scene = await makeScene();
    const records = madeUpList(2000);
    await backUp(scene, { configmaps: records });
    const second = await backUp(scene, { configmaps: records.toReversed() });
    expect(second.header.stats).toMatchObject({ newChunks: 0, packs: 0 });
    expectSame(await restore(scene), { configmaps: records.toReversed() });
  });

  it('is stored once when it is in several streams, or several times in one', async () => {
    const scene = await makeScene();
    const records = madeUpList(50);
    const point = await backUp(scene, { one: [...records, ...records], two: records });
    expect(point.header.stats).toMatchObject({ newChunks: 50, recordsTotal: 150 });
  });

  it('is shared by the sites of a repository', async () => {
    const scene = await makeScene();
    await backUp(scene, { all: madeUpList(500) }, { site: 'east' });
    const west = await backUp(scene, { all: madeUpList(500) }, { site: 'west' });
    expect(west.header.stats.newChunks).toBe(0);
    expect(west.header.previous).toEqual([]);
  });

  it('is stored again when the pack that held it is gone, so that the next point is whole', async () => {
    const scene = await makeScene();
    const [vault] = scene.vaults;
    await backUp(scene, { all: madeUpList(500) });
    for (const key of vault?.objects.keys() ?? []) if (key.startsWith('packs/')) vault?.objects.delete(key);
    const second = await backUp(scene, { all: madeUpList(500) });
    expect(second.header.stats.newChunks).toBe(500);
    expectSame(await restore(scene), { all: madeUpList(500) });
  });

  it('is stored again, and nothing is lost, when index objects are gone or damaged', async () => {
    const scene = await makeScene();
    const [vault] = scene.vaults;
    await backUp(scene, { all: madeUpList(100) });
    for (const [key, bytes] of vault?.objects ?? [])
      if (key.startsWith('index/')) vault?.objects.set(key, bytes.subarray(1));
    const warnings: { kind: string }[] = [];
    const second = await backUp(scene, { all: madeUpList(100) }, { warnings: warnings as [] });
    expect(second.header.stats.newChunks).toBe(100);
    expect(warnings).toMatchObject([{ kind: 'index-unreadable' }]);
  });

  it('is nothing that a backup had stored which failed just before its point', async () => {
    const scene = await makeScene();
    const [vault] = scene.vaults as [MemoryVault];
    vault.interfere = (operation, key) => {
      if (operation === 'put' && key.startsWith('points/')) throw new LifeboatError('LB_VAULT_FULL', 'no room');
    };
    await expect(backUp(scene, { all: madeUpList(500) })).rejects.toMatchObject({ code: 'LB_VAULT_FULL' });
    vault.interfere = undefined;
    const report = await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' });
    expect(report).toMatchObject({ findings: [], unreferenced: 2, vaults: [{ points: 0 }] });
    const next = await backUp(scene, { all: madeUpList(500) });
    expect(next.header.stats.newChunks).toBe(0);
    expectSame(await restore(scene), { all: madeUpList(500) });
  });

  it('is only the rest of what a long backup had stored which was stopped', async () => {
    const scene = await makeScene();
    const writer = await openWriter({ vaults: scene.vaults, writeKey: writeKeyOf(scene.keys) });
    const records = Array.from({ length: 440 }, () => randomBytes(256 * 1024 - 4));
    const stopped = await writer.begin('prod');
    const stream = stopped.records();
    for (const record of records) await stream.write(record);
    // What was written is stored by and by; what is stored is known once an index object names it.
    const [vault] = scene.vaults as [MemoryVault];
    await vi.waitUntil(() => [...vault.objects.keys()].some((key) => key.startsWith('index/')), { timeout: 60_000 });
    await stopped.abort();
    const reader = await openReader({ vaults: scene.vaults, keys: scene.keys });
    expect(await reader.listPoints()).toEqual([]);
    const next = await backUp(scene, { all: records });
    expect(next.header.stats.newChunks).toBeLessThan(220);
    expect(await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' })).toMatchObject({ findings: [] });
  });
});

describe('many small backups', () => {
  it('leave a point that needs few packs and few index objects', async () => {
    const scene = await makeScene();
    const clock = testClock();
    const generations = new Map<number, number>();
    const records = (): Buffer[] => madeUpList(400, { generation: (number) => generations.get(number) ?? 0 });
    await backUp(scene, { all: records() }, { clock });
    for (let round = 1; round <= 80; round++) {
      clock.advance(3_600_000);
      for (let i = 0; i < 4; i++) generations.set((round * 4 + i) % 400, round);
      await backUp(scene, { all: records() }, { clock });
    }
    expectSame(await restore(scene), { all: records() });
    const [vault] = scene.vaults;
    const points = [...(vault?.objects.keys() ?? [])].filter((key) => key.startsWith('points/')).sort();
    const newest =
      Buffer.from(vault?.objects.get(points.at(-1) ?? '') ?? [])
        .toString('latin1')
        .split('\n')[0] ?? '';
    const head = JSON.parse(newest) as { indexes: string[]; packTable: { bytes: number } };
    expect(head.indexes.length).toBeLessThan(40);
    expect(head.packTable.bytes / 68).toBeLessThan(40);
    expect(await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' })).toMatchObject({ findings: [] });
  });
});
