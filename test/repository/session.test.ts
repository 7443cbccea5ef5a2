import { randomBytes } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { writeKeyOf } from '../../src/keys/index.ts';
import { openReader, openWriter } from '../../src/repository/index.ts';
import type { BackupSession } from '../../src/repository/api.ts';
import type { MemoryVault } from '../support/memory-vault.ts';
import { backUp, madeUpList, makeScene, readBack } from './scene.ts';
import type { Scene } from './scene.ts';

async function begin(scene: Scene, signal?: AbortSignal): Promise<BackupSession> {
  const writer = await openWriter({ vaults: scene.vaults, writeKey: writeKeyOf(scene.keys) });
  return writer.begin('prod', { signal });
}

const POINT = { at: '2026-03-14T02:15:00.000Z', complete: true, manifest: {} };

describe('a backup session', () => {
  it('makes writers wait while vaults are slow, so that memory is bounded', async () => {
    const scene = await makeScene();
    const [vault] = scene.vaults as [MemoryVault];
    const gate = Promise.withResolvers<void>();
    vault.interfere = (operation) => (operation === 'put' ? gate.promise : undefined);
    const session = await begin(scene);
    const stream = session.records();
    let written = 0;
    const writing = (async () => {
      for (; written < 400; written++) await stream.write(randomBytes(250_000));
      return stream.end();
    })();
    // However slow the threads are that compress: so much is taken in any case.
    await vi.waitUntil(() => written * 250_000 > 32 * 1024 * 1024, { timeout: 60_000 });
    let seen = -1;
    while (written !== seen) {
      seen = written;
      await sleep(300);
    }
    // Two packs on their way, one being filled, and the blocks being compressed.
    expect(written * 250_000).toBeLessThan(60 * 1024 * 1024);
    gate.resolve();
    await session.commit({ ...POINT, manifest: { all: { ...(await writing) } } });
    expect(written).toBe(400);
  });

  it('ends promptly when its signal fires, and leaves no point', async () => {
    const scene = await makeScene();
    const [vault] = scene.vaults as [MemoryVault];
    const stop = new AbortController();
    const session = await begin(scene, stop.signal);
    const stream = session.records();
    for (const record of madeUpList(100)) await stream.write(record);
    const ref = await stream.end();
    vault.interfere = (operation) => {
      if (operation === 'put') stop.abort(new Error('stopped by the test'));
    };
    await expect(session.commit({ ...POINT, manifest: { all: { ...ref } } })).rejects.toThrow('stopped by the test');
    const reader = await openReader({ vaults: scene.vaults, keys: scene.keys });
    expect(await reader.listPoints()).toEqual([]);
  });

  it('leaves nothing at the signal of its caller when it has ended, however: a process that makes many must not grow', async () => {
    const scene = await makeScene();
    const [vault] = scene.vaults as [MemoryVault];
    const { signal } = new AbortController();
    await (await begin(scene, signal)).commit(POINT);
    const session = await begin(scene, signal);
    expect(getEventListeners(signal, 'abort').length).toBeGreaterThan(0);
    await session.abort();
    vault.interfere = () => {
      throw new Error('away');
    };
    await expect(begin(scene, signal)).rejects.toThrow('away');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('refuses to begin with a signal that has fired', async () => {
    const scene = await makeScene();
    await expect(begin(scene, AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
  });

  it('can be given up at any time, more than once', async () => {
    const session = await begin(await makeScene());
    const stream = session.records();
    await stream.write(Buffer.from('x'));
    await session.abort();
    await session.abort();
    await expect(async () => stream.write(Buffer.from('y'))).rejects.toMatchObject({ code: 'LB_INTERRUPTED' });
    await expect(session.commit(POINT)).rejects.toMatchObject({ code: 'LB_INTERRUPTED' });
  });

  it('refuses to commit while a stream is open, or twice', async () => {
    const session = await begin(await makeScene());
    const stream = session.records();
    await expect(session.commit(POINT)).rejects.toMatchObject({ code: 'LB_INTERNAL' });
    await stream.end();
    await expect(session.commit(POINT)).rejects.toMatchObject({ code: 'LB_INTERNAL' });
  });

  it('refuses a site whose name cannot be part of a key', async () => {
    const scene = await makeScene();
    const writer = await openWriter({ vaults: scene.vaults, writeKey: writeKeyOf(scene.keys) });
    for (const site of ['', 'a/b', '..', '.x', 'ä', 'x'.repeat(64)])
      await expect(writer.begin(site)).rejects.toMatchObject({ code: 'LB_USAGE' });
  });

  it('lets the caller use its buffer again after each write', async () => {
    const scene = await makeScene();
    const session = await begin(scene);
    const stream = session.records();
    const buffer = Buffer.alloc(100);
    for (let i = 0; i < 1000; i++) {
      buffer.fill(i % 256).writeUInt32LE(i);
      await stream.write(buffer);
    }
    await session.commit({ ...POINT, manifest: { streams: { all: { ...(await stream.end()) } } } });
    const reader = await openReader({ vaults: scene.vaults, keys: scene.keys });
    const point = await reader.open('latest');
    let i = 0;
    for (const record of (await readBack(point))['all'] ?? []) {
      buffer.fill(i % 256).writeUInt32LE(i);
      expect(buffer.equals(record)).toBe(true);
      i++;
    }
    expect(i).toBe(1000);
  });

  it('never puts two things under one nonce: each pack has a key of its own', async () => {
    const scene = await makeScene();
    const commitments = new Set<string>();
    for (let i = 0; i < 5; i++) await backUp(scene, { all: [`${i}`] });
    const packs = [...(scene.vaults[0]?.objects ?? [])].filter(([key]) => key.startsWith('packs/'));
    for (const [, bytes] of packs) commitments.add(Buffer.from(bytes).toString('hex', 1176, 1208));
    expect(commitments.size).toBe(5);
  });
});
