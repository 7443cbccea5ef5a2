import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { writeKeyOf } from '../../src/keys/index.ts';
import { openReader, openWriter, SeenObjects } from '../../src/repository/index.ts';
import type { CommittedPoint } from '../../src/repository/api.ts';
import type { MemoryVault } from '../support/memory-vault.ts';
import { makeScene, readBack } from './scene.ts';
import type { Scene } from './scene.ts';

const POINT = { at: '2026-03-14T02:15:00.000Z', complete: true };
/** Enough to be in memory of its own, which is given back when it is done with. */
const RECORDS = Array.from({ length: 40 }, () => randomBytes(20_000));

async function backUp(scene: Scene, site: string, records: readonly Uint8Array[], seen: SeenObjects | undefined): Promise<CommittedPoint> {
  const writer = await openWriter({ vaults: scene.vaults, writeKey: writeKeyOf(scene.keys), seen });
  const session = await writer.begin(site);
  const stream = session.records();
  for (const record of records) await stream.write(record);
  const ref = await stream.end();
  return session.commit({ ...POINT, manifest: { kind: 'test', streams: { all: { ...ref } } } });
}

/** The points and index objects that are read while something is done. */
async function readDuring(vault: MemoryVault, work: () => Promise<unknown>): Promise<readonly string[]> {
  const read: string[] = [];
  vault.interfere = (operation, key) => {
    if (operation === 'get' && /^(?:points|index)\//.test(key ?? '')) read.push(key ?? '');
  };
  await work();
  vault.interfere = undefined;
  return read;
}

describe('a process that makes many backups', () => {
  it('reads each point and index object once, and stores what another would', async () => {
    const [warm, cold] = [await makeScene('a'), await makeScene('a')];
    const [vault] = warm.vaults as [MemoryVault];
    const seen = new SeenObjects();
    for (let round = 0; round < 4; round++) {
      for (const site of ['one', 'two', 'three']) {
        const records = [...RECORDS, Buffer.from(`${site} ${round}`.repeat(100))];
        const own = await backUp(warm, site, records, seen);
        const other = await backUp(cold, site, records, undefined);
        expect({ site, round, newChunks: own.header.stats.newChunks, previous: own.header.previous.length }).toEqual({ site, round, newChunks: other.header.stats.newChunks, previous: other.header.previous.length });
      }
    }
    const known = await readDuring(vault, () => backUp(warm, 'one', RECORDS, seen));
    // What was stored since it looked last: the points of the other two, and what came with them.
    expect(known.length).toBeLessThanOrEqual(6);
    const all = await readDuring(vault, () => backUp(warm, 'one', RECORDS, undefined));
    expect(all.length).toBeGreaterThan(12);

    const reader = await openReader({ vaults: warm.vaults, keys: warm.keys });
    const { all: restored } = await readBack(await reader.open('latest', { site: 'three' }));
    expect(restored?.slice(0, RECORDS.length)).toEqual(RECORDS);
  });

  it('is not misled by what it has read of another repository', async () => {
    const seen = new SeenObjects();
    const [first, second] = [await makeScene('a'), await makeScene('a')];
    await backUp(first, 'one', RECORDS, seen);
    await backUp(second, 'one', RECORDS, seen);
    const point = await backUp(second, 'one', RECORDS, seen);
    expect(point.header.stats.newChunks).toBe(0);
    const reader = await openReader({ vaults: second.vaults, keys: second.keys });
    expect((await readBack(await reader.open('latest')))['all']).toEqual(RECORDS);
  });
});
