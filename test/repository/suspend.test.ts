import { randomBytes } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { writeKeyOf } from '../../src/keys/index.ts';
import type { BackupSession } from '../../src/repository/api.ts';
import { openReader, openWriter } from '../../src/repository/index.ts';
import type { MemoryVault } from '../support/memory-vault.ts';
import { makeScene, readBack } from './scene.ts';
import type { Scene } from './scene.ts';

const RESUMABLE = { knownAfter: 0, packBytes: 256 * 1024 };
const POINT = { at: '2026-03-14T02:15:00.000Z', complete: true };

/** Records that nothing compresses. */
const RECORDS = Array.from({ length: 60 }, () => randomBytes(50_000));

async function begin(scene: Scene): Promise<BackupSession> {
  const writer = await openWriter({ vaults: scene.vaults, writeKey: writeKeyOf(scene.keys) });
  return writer.begin('prod', RESUMABLE);
}

/** Writes the first records, and leaves the stream open. */
async function writeSome(session: BackupSession, count: number): Promise<void> {
  const stream = session.records();
  for (const record of RECORDS.slice(0, count)) await stream.write(record);
}

async function writeAll(session: BackupSession): Promise<{ readonly newChunks: number }> {
  const stream = session.records();
  for (const record of RECORDS) await stream.write(record);
  const ref = await stream.end();
  const { header } = await session.commit({ ...POINT, manifest: { kind: 'test', streams: { all: { ...ref } } } });
  return header.stats;
}

describe('a session that is suspended', () => {
  it('leaves no point, and a later one stores nothing of it again', async () => {
    const scene = await makeScene('a', 'b');
    const first = await begin(scene);
    await writeSome(first, 40);
    const added = await first.suspend();
    expect(added.newChunks).toBeGreaterThan(0);
    const reader = await openReader({ vaults: scene.vaults, keys: scene.keys });
    expect(await reader.listPoints()).toEqual([]);

    const { newChunks } = await writeAll(await begin(scene));
    // The chunk that the stream had not come to the end of is made again.
    expect(newChunks).toBeLessThanOrEqual(Math.ceil((added.newChunks * 20) / 40) + 2);
    const streams = await readBack(await reader.open('latest'));
    expect(streams['all']).toEqual(RECORDS);
  });

  it('is of use also when it is killed instead, but for what was on its way', async () => {
    const scene = await makeScene('a');
    const killed = await begin(scene);
    await writeSome(killed, 40);
    const [vault] = scene.vaults as [MemoryVault];
    await vi.waitFor(async () => expect((await Array.fromAsync(vault.list('index/'))).length).toBeGreaterThanOrEqual(3), { timeout: 60_000 });
    await killed.abort();
    const { newChunks: whole } = await writeAll(await begin(await makeScene('a')));
    const { newChunks } = await writeAll(await begin(scene));
    expect(newChunks).toBeLessThanOrEqual(whole - 12);
  });

  it('is over: it can neither be written to nor committed', async () => {
    const session = await begin(await makeScene('a'));
    const stream = session.records();
    await stream.write(RECORDS[0] as Buffer);
    await session.suspend();
    await expect(async () => stream.write(RECORDS[1] as Buffer)).rejects.toMatchObject({ code: 'LB_INTERRUPTED' });
    await expect(session.commit({ ...POINT, manifest: {} })).rejects.toMatchObject({ code: 'LB_INTERNAL' });
    await expect(session.suspend()).rejects.toMatchObject({ code: 'LB_INTERNAL' });
  });
});
