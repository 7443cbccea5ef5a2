import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { MAX_CHUNK } from '../../src/repository/chunker.ts';
import { openReader } from '../../src/repository/index.ts';
import { backUp, expectSame, madeUpList, makeScene, restore, streamsOf } from './scene.ts';
import type { Scene, Streams } from './scene.ts';

describe('a repository gives back what was put in', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await makeScene('a');
  });

  it('for any streams of any records', async () => {
    const record = fc.oneof(
      { weight: 8, arbitrary: fc.uint8Array({ maxLength: 300 }) },
      { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 2000 }).map((text) => Buffer.from(text)) },
      { weight: 1, arbitrary: fc.nat(40).map((length) => randomBytes(length * 20_000)) },
      { weight: 1, arbitrary: fc.constantFrom(-5, -4, -3, 0, 1).map((more) => Buffer.alloc(MAX_CHUNK + more, 'ab')) },
    );
    // The schema that the test reads manifests with drops a property of this name.
    const name = fc.string({ minLength: 1 }).filter((text) => text !== '__proto__');
    const streams = fc.dictionary(name, fc.array(record, { maxLength: 30 }), {
      maxKeys: 5,
      noNullPrototype: true,
    });
    await fc.assert(
      fc.asyncProperty(streams, async (given: Streams) => {
        await backUp(scene, given);
        expectSame(await restore(scene), given);
      }),
      { numRuns: 40 },
    );
  });

  it('over the boundaries of packs', async () => {
    const records = Array.from({ length: 24 }, (_, i) => randomBytes(900_000 + i));
    const point = await backUp(scene, { big: records, small: madeUpList(50) });
    expect(point.header.stats.packs).toBeGreaterThan(1);
    const read = await restore(scene);
    expect(read['small']).toEqual(madeUpList(50));
    expect(read['big']?.map((record, i) => record.equals(records[i] ?? Buffer.alloc(0)))).toEqual(
      records.map(() => true),
    );
  });

  it('when a stream is empty, and when there is none', async () => {
    await backUp(scene, { nothing: [], empty: [''] });
    expect(await restore(scene)).toEqual({ nothing: [], empty: [Buffer.alloc(0)] });
    await backUp(scene, {});
    expect(await restore(scene)).toEqual({});
  });

  it('when an extent list is so long that it is stored as a stream itself', async () => {
    const many = await makeScene('many');
    const records = madeUpList(30_000, { bytes: 150 });
    await backUp(many, { all: records });
    // Every other record is new, so that no two neighbours lie together.
    const mixed = madeUpList(30_000, { bytes: 150, generation: (number) => number % 2 });
    const point = await backUp(many, { all: mixed });
    const reader = await openReader({ vaults: many.vaults, keys: many.keys });
    const streams = streamsOf(await reader.open('latest'));
    expect(streams['all']?.extents.length).toBeLessThan(2000);
    expect(point.header.stats.newChunks).toBeGreaterThan(15_000);
    expectSame(await restore(many), { all: mixed });
  });

  it('as often as one asks, also two streams at once', async () => {
    await backUp(scene, { one: madeUpList(300), two: madeUpList(300, { generation: () => 1 }) });
    const [first, second] = await Promise.all([restore(scene), restore(scene)]);
    expect(first).toEqual(second);
  });
});
