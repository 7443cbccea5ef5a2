import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { verify } from '../../../src/repository/index.ts';
import { makeScene } from '../scene.ts';
import type { Scene } from '../scene.ts';
import { anyPieces, bytesOf, imageOf, inParts, noise } from './made.ts';
import { backUpBytes, collect, memoryTarget, withPoint } from './scene.ts';

const MIB = 1024 * 1024;

describe('byte streams and images', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await makeScene('a');
  });

  it('give back what was put in, whole and in any part', async () => {
    await fc.assert(
      fc.asyncProperty(anyPieces, fc.array(fc.nat()), fc.array(fc.nat(), { minLength: 2, maxLength: 2 }), async (pieces, ends, range) => {
        const data = bytesOf(pieces);
        await backUpBytes(scene, async (session) => {
          const stream = session.stream(inParts(data, ends));
          return { stream: await stream, image: await session.image(imageOf(data), data.length) };
        });
        const [from = 0, to = 0] = range.map((place) => place % (data.length + 10)).sort((a, b) => a - b);
        await withPoint(scene, async (point, refs) => {
          for (const ref of Object.values(refs)) {
            expect(ref.bytes).toBe(data.length);
            expect((await collect(point.read(ref))).equals(data)).toBe(true);
            const part = await collect(point.read(ref, { offset: from, length: to - from }));
            expect(part.equals(data.subarray(from, to))).toBe(true);
            const target = memoryTarget(data.length);
            await point.restore(ref, target);
            expect([target.bytes.equals(data), target.told]).toEqual([true, data.length]);
          }
        });
      }),
      { numRuns: 30 },
    );
    expect(await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' })).toMatchObject({ findings: [], unreferenced: 0 });
  });

  it('store no zeros', async () => {
    const data = Buffer.concat([Buffer.alloc(3 * MIB), noise(2 * MIB, 'data'), Buffer.alloc(9 * MIB)]);
    const point = await backUpBytes(scene, async (session) => ({
      image: await session.image(imageOf(data), data.length),
      stream: await session.stream(inParts(data, [])),
      nothing: await session.stream(inParts(Buffer.alloc(0), [])),
    }));
    expect(point.header.stats.newPlaintextBytes).toBeLessThan(2 * MIB + 2 * 4 * MIB);
    await withPoint(scene, async (opened, refs) => {
      const zeros: number[] = [];
      const target = { ...memoryTarget(0), write: () => Promise.resolve(), zero: async (_: number, length: number) => void zeros.push(length) };
      await opened.restore(refs['image'] ?? { bytes: 0, map: '' }, target);
      expect(zeros).toEqual([3 * MIB, 9 * MIB]);
      expect(await collect(opened.read(refs['nothing'] ?? { bytes: 1, map: '' }))).toHaveLength(0);
    });
  });

  it('store once what is in several of them, and nothing of it again', async () => {
    const own = await makeScene('own');
    const data = noise(12 * MIB, 'shared');
    const store = (): ReturnType<typeof backUpBytes> =>
      backUpBytes(own, async (session) => {
        const [one, two] = await Promise.all([session.image(imageOf(data), data.length), session.image(imageOf(data), data.length)]);
        return { one, two };
      });
    const first = await store();
    expect(first.header.stats).toMatchObject({ newChunks: 12, newPlaintextBytes: data.length, plaintextBytes: 2 * data.length });
    expect((await store()).header.stats).toMatchObject({ newChunks: 0, packs: 0 });
    // One chunk of an image changes in place.
    data[5 * MIB + 7] = (data[5 * MIB + 7] ?? 0) ^ 1;
    expect((await store()).header.stats).toMatchObject({ newChunks: 1, newPlaintextBytes: MIB });
  });

  it('find what is known again in a stream into which bytes were inserted', async () => {
    const own = await makeScene('own');
    const data = noise(20 * MIB, 'inserted');
    const store = (bytes: Buffer): ReturnType<typeof backUpBytes> =>
      backUpBytes(own, async (session) => ({ stream: await session.stream(inParts(bytes, [])) }));
    await store(data);
    const edited = Buffer.concat([data.subarray(0, 7 * MIB), Buffer.from('inserted'), data.subarray(7 * MIB)]);
    const second = await store(edited);
    expect(second.header.stats.newPlaintextBytes).toBeLessThan(8 * MIB);
    await withPoint(own, async (point, refs) => {
      expect((await collect(point.read(refs['stream'] ?? { bytes: 0, map: '' }))).equals(edited)).toBe(true);
    });
  });

  it('share blocks of records with them where they are small', async () => {
    const own = await makeScene('own');
    const point = await backUpBytes(own, async (session) => {
      const refs = await Promise.all(
        Array.from({ length: 50 }, async (_, i) => [`file ${i}`, await session.stream(inParts(noise(2000 + i, i), [500]))] as const),
      );
      return Object.fromEntries(refs);
    });
    expect(point.header.stats).toMatchObject({ newChunks: 50, packs: 1 });
    await withPoint(own, async (opened, refs) => {
      for (let i = 0; i < 50; i++) expect((await collect(opened.read(refs[`file ${i}`] ?? { bytes: 0, map: '' }))).equals(noise(2000 + i, i))).toBe(true);
    });
  });
});
