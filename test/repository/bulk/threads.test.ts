import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { LifeboatError } from '../../../src/core/errors.ts';
import { writeKeyOf } from '../../../src/keys/index.ts';
import { END } from '../../../src/repository/bulk/thread.ts';
import { openReader, openWriter, verify } from '../../../src/repository/index.ts';
import type { MemoryVault } from '../../support/memory-vault.ts';
import { makeScene } from '../scene.ts';
import { imageOf, inParts, noise } from './made.ts';
import { backUpBytes, collect, memoryTarget, refsOf, withPoint } from './scene.ts';

const MIB = 1024 * 1024;
/** Enough for threads of their own, and for several packs. */
const LARGE = Buffer.concat([noise(30 * MIB, 'large'), Buffer.alloc(5 * MIB, 'text '), Buffer.alloc(6 * MIB), noise(9 * MIB + 77, 'end')]);

/** The threads that are started from now on, until it is disposed of. */
function threadsStarted(): Disposable & { readonly workers: Worker[]; endThemselves(): Promise<void>; allEnded(): Promise<void> } {
  const workers: Worker[] = [];
  const note = (message: unknown): void => {
    if (message !== null && typeof message === 'object' && 'worker' in message && message.worker instanceof Worker) workers.push(message.worker);
  };
  subscribe('worker_threads', note);
  return {
    workers,
    /** Has them end by themselves, which whoever uses them did not ask for. */
    async endThemselves() {
      for (const worker of workers) worker.postMessage(END, []);
      await this.allEnded();
    },
    async allEnded() {
      // One that has ended has no number any more.
      while (workers.some(({ threadId }) => threadId >= 0)) await sleep(10);
    },
    [Symbol.dispose]: () => void unsubscribe('worker_threads', note),
  };
}

describe('large byte streams', () => {
  it('are stored and read by threads, in several packs', async () => {
    const scene = await makeScene('a', 'b');
    const point = await backUpBytes(scene, async (session) => {
      const [image, stream] = await Promise.all([session.image(imageOf(LARGE), LARGE.length), session.stream(inParts(LARGE, [MIB, 33 * MIB]))]);
      return { image, stream };
    });
    expect(point.header.stats.packs).toBeGreaterThan(2);
    expect(point.vaults).toEqual(['a', 'b']);
    await withPoint(scene, async (opened, refs) => {
      for (const ref of Object.values(refs)) {
        expect((await collect(opened.read(ref))).equals(LARGE)).toBe(true);
        const target = memoryTarget(LARGE.length);
        await opened.restore(ref, target);
        expect(target.bytes.equals(LARGE)).toBe(true);
      }
    });
    expect(await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' })).toMatchObject({ findings: [], unreferenced: 0 });
    const again = await backUpBytes(scene, async (session) => ({ image: await session.image(imageOf(LARGE), LARGE.length) }));
    expect(again.header.stats).toMatchObject({ newChunks: 0, packs: 0 });
  });

  it('are stored many at a time', async () => {
    const scene = await makeScene('a');
    const data = Array.from({ length: 8 }, (_, i) => Buffer.concat([noise(18 * MIB, `volume ${i}`), Buffer.alloc(7 * MIB, `${i} text `)]));
    await backUpBytes(scene, async (session) => {
      const refs = data.map(async (bytes, i) => [
        `volume ${i}`,
        await (i % 2 === 0 ? session.image(imageOf(bytes), bytes.length) : session.stream(inParts(bytes, [i * MIB]))),
      ] as const);
      return Object.fromEntries(await Promise.all(refs));
    });
    await withPoint(scene, async (opened, refs) => {
      for (const [i, bytes] of data.entries()) expect((await collect(opened.read(refs[`volume ${i}`] ?? { bytes: 0, map: '' }))).equals(bytes)).toBe(true);
    });
    expect(await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' })).toMatchObject({ findings: [], unreferenced: 0 });
  });

  it('are read no faster than they can be stored', async () => {
    const scene = await makeScene('a');
    const [vault] = scene.vaults as [MemoryVault];
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    vault.interfere = (operation, key) => (operation === 'put' && key.startsWith('packs/') ? held : undefined);
    let given = 0;
    const source = async function* (): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 400; i++) {
        given += MIB;
        yield noise(MIB, i);
      }
    };
    const done = backUpBytes(scene, async (session) => ({ stream: await session.stream(source()) }));
    let before = -1;
    while (before !== given) {
      before = given;
      await sleep(500);
    }
    // Packs being filled and stored, and segments: all of it bounded by the number of threads, which is 8 at most.
    expect(given).toBeLessThan(399 * MIB);
    release();
    expect((await done).header.stats.plaintextBytes).toBe(400 * MIB);
  });

  it('end at once when they are stopped, and leave the session fit for others when only they are', async () => {
    const scene = await makeScene('a');
    const writer = await openWriter({ vaults: scene.vaults, writeKey: writeKeyOf(scene.keys) });
    const session = await writer.begin('prod');
    const stop = new AbortController();
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      for (let i = 0; ; i++) {
        if (i === 40) stop.abort(new LifeboatError('LB_INTERRUPTED', 'enough'));
        yield noise(MIB, i);
      }
    };
    await expect(session.stream(endless(), { signal: stop.signal })).rejects.toMatchObject({ code: 'LB_INTERRUPTED' });
    const hanging = session.image(() => new Promise(() => {}), 100 * MIB, { signal: AbortSignal.timeout(100) });
    await expect(hanging).rejects.toMatchObject({ name: 'TimeoutError' });
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield noise(3 * MIB, 1);
      throw new Error('the disk is gone');
    };
    await expect(session.stream(failing())).rejects.toThrow('the disk is gone');
    await expect(session.image(imageOf(noise(MIB, 1)), 2 * MIB)).rejects.toMatchObject({ code: 'LB_INTERNAL' });
    const ref = await session.stream(inParts(LARGE, []));
    const point = await session.commit({ at: '2026-03-14T02:15:00.000Z', complete: true, manifest: { volumes: { ref: { ...ref } } } });
    expect(point.vaults).toEqual(['a']);
    await withPoint(scene, async (opened, refs) => {
      expect((await collect(opened.read(refs['ref'] ?? ref))).equals(LARGE)).toBe(true);
    });
  });

  it('end with the session, and with the reader', async () => {
    const scene = await makeScene('a');
    const writer = await openWriter({ vaults: scene.vaults, writeKey: writeKeyOf(scene.keys) });
    const session = await writer.begin('prod');
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      for (let i = 0; ; i++) yield noise(MIB, i);
    };
    const running = session.stream(endless());
    running.catch(() => {});
    await sleep(300);
    await session.abort();
    await expect(running).rejects.toMatchObject({ code: 'LB_INTERRUPTED' });
    await expect(session.stream(endless())).rejects.toMatchObject({ code: 'LB_INTERRUPTED' });

    await backUpBytes(scene, async (fresh) => ({ image: await fresh.image(imageOf(LARGE), LARGE.length) }));
    const reader = await openReader({ vaults: scene.vaults, keys: scene.keys });
    const point = await reader.open('latest');
    const { image = { bytes: 0, map: '' } } = refsOf(point);
    let read = 0;
    const reading = (async () => {
      for await (const part of point.read(image)) {
        read += part.length;
        await reader.close();
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'LB_INTERNAL' });
    expect(read).toBeLessThan(LARGE.length);
    // Leaving early is fine too.
    const other = await openReader({ vaults: scene.vaults, keys: scene.keys });
    for await (const part of (await other.open('latest')).read(image)) {
      expect(part.length).toBeGreaterThan(0);
      break;
    }
    await other.close();
  });

  it('fail with what happened when threads die while they are stored, and leave no thread', async () => {
    const scene = await makeScene('a');
    const writer = await openWriter({ vaults: scene.vaults, writeKey: writeKeyOf(scene.keys) });
    using started = threadsStarted();
    const session = await writer.begin('prod');
    const stored = session.image(async (into, offset) => {
      // No pack is whole yet: what one is filled with is lost.
      if (offset >= 12 * MIB) await started.endThemselves();
      return imageOf(LARGE)(into, offset);
    }, LARGE.length);
    await expect(stored).rejects.toThrow('A thread failed');
    await expect(session.commit({ at: '2026-03-14T02:15:00.000Z', complete: true, manifest: {} })).rejects.toMatchObject({ code: 'LB_INTERNAL' });
    await session.abort();
    expect(started.workers.length).toBeGreaterThan(0);
    await started.allEnded();
    const [vault] = scene.vaults as [MemoryVault];
    expect([...vault.objects.keys()].filter((key) => key.startsWith('points/'))).toEqual([]);
    // What was stored is whole: the next backup uses it.
    await backUpBytes(scene, async (next) => ({ image: await next.image(imageOf(LARGE), LARGE.length) }));
    expect(await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' })).toMatchObject({ findings: [] });
  });

  it('fail with what happened when threads die while they are read: it is not taken for damage', async () => {
    const scene = await makeScene('a', 'b');
    await backUpBytes(scene, async (session) => ({ image: await session.image(imageOf(LARGE), LARGE.length) }));
    const reader = await openReader({ vaults: scene.vaults, keys: scene.keys });
    const point = await reader.open('latest');
    const { image = { bytes: 0, map: '' } } = refsOf(point);
    using started = threadsStarted();
    const warnings: string[] = [];
    const target = memoryTarget(LARGE.length);
    const killing = { ...target, write: async (bytes: Uint8Array, offset: number) => {
      await started.endThemselves();
      await target.write(bytes, offset);
    } };
    const restoring = point.restore(image, killing, { onWarning: ({ kind }) => warnings.push(kind) });
    await expect(restoring).rejects.toThrow('A thread failed');
    expect(warnings).toEqual([]);
    await reader.close();
    await started.allEnded();
  });

  it('fail when no vault can take them', async () => {
    const scene = await makeScene('a');
    const [vault] = scene.vaults as [MemoryVault];
    vault.interfere = (operation, key) => {
      if (operation === 'put' && key.startsWith('packs/')) throw new LifeboatError('LB_VAULT_FULL', 'no room');
    };
    const stored = backUpBytes(scene, async (session) => ({ image: await session.image(imageOf(LARGE), LARGE.length) }));
    await expect(stored).rejects.toMatchObject({ code: 'LB_VAULT_FULL' });
  });
});
