import { beforeEach, describe, expect, it } from 'vitest';
import type { Warning } from '../../src/core/progress.ts';
import { writeKeyOf } from '../../src/keys/index.ts';
import { extendLocks, findLivePoints, openReader, sweep, verify } from '../../src/repository/index.ts';
import { encodePackTable } from '../../src/repository/pack-table.ts';
import { decodePoint, encodePoint } from '../../src/repository/point.ts';
import type { MemoryVault } from '../support/memory-vault.ts';
import { backUp, expectSame, makeScene, readBack } from './scene.ts';
import type { Scene } from './scene.ts';

const STREAMS = { all: ['genuine'] };

let scene: Scene;
let [near, far, third]: MemoryVault[] = [];
let key: string;
let lie: Buffer;
beforeEach(async () => {
  scene = await makeScene('near', 'far', 'third');
  [near, far, third] = scene.vaults;
  const { header } = await backUp(scene, STREAMS);
  key = `points/prod/${header.id}`;
  lie = lieAbout(header.id);
});

/** What a thief of the write key may sign: a point of the same id that needs nothing. */
function lieAbout(id: string): Buffer {
  const { repositoryId, signingPublicKey, signingKey } = writeKeyOf(scene.keys);
  const genuine = decodePoint(near?.objects.get(key) ?? new Uint8Array(), { repositoryId, site: 'prod', id }, signingPublicKey);
  return encodePoint({ ...genuine, repositoryId, packTable: encodePackTable([]), indexes: [] }, signingKey);
}

async function open(): Promise<{ readonly read: Awaited<ReturnType<typeof readBack>>; readonly warnings: readonly Warning[] }> {
  const warnings: Warning[] = [];
  const reader = await openReader({ vaults: scene.vaults, keys: scene.keys, onWarning: (warning) => warnings.push(warning) });
  const point = await reader.open('latest');
  return { read: await readBack(point), warnings };
}

describe('a point under whose id another vault holds a different one', () => {
  it('is warned about by the reader, and the one of a vault that locks is read, wherever that stands', async () => {
    near?.objects.set(key, lie);
    if (third !== undefined) third.locks = true;
    const { read, warnings } = await open();
    expectSame(read, STREAMS);
    expect(warnings).toMatchObject([{ kind: 'point-disputed', where: key }]);
    expect(warnings[0]?.message).toContain('one is in third, far; another in near');
  });

  it('is warned about where no vault locks', async () => {
    third?.objects.set(key, lie);
    const { read, warnings } = await open();
    expectSame(read, STREAMS);
    expect(warnings[0]?.message).toContain('one is in near, far; another in third');
  });

  it('is shown by `points`, with the vaults that hold each', async () => {
    far?.objects.set(key, lie);
    const reader = await openReader({ vaults: scene.vaults });
    expect(await reader.listPoints({ copies: true })).toMatchObject([{ disputed: [['near', 'third'], ['far']] }]);
    far?.objects.set(key, near?.objects.get(key) ?? lie);
    expect((await reader.listPoints({ copies: true }))[0]).not.toHaveProperty('disputed');
  });

  it('is found by `verify` in each of these vaults, and nothing is healed from the one or the other', async () => {
    far?.objects.set(key, lie);
    if (near !== undefined) near.locks = true;
    const report = await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'structure', heal: 'heal' });
    expect(report.findings.map(({ vault, kind, object, points }) => [vault, kind, object, points.length])).toEqual([
      ['far', 'disputed', key, 1],
      ['near', 'disputed', key, 0],
      ['third', 'disputed', key, 0],
    ]);
    expect(report.findings[0]?.message).toContain('one is in near, third; another in far');
    expect(report.repairs).toEqual([]);
    expect(far?.objects.get(key)).toEqual(lie);
  });

  it('takes no packs of the genuine one along when it is swept', async () => {
    for (const vault of [near, far]) vault?.objects.set(key, lie);
    expect(await sweep({ vaults: scene.vaults, key: scene.keys, grace: 0 })).toMatchObject({ marked: 0 });
  });

  it('does not keep a vault that locks from locking what the genuine one needs', async () => {
    near?.objects.set(key, lie);
    if (far === undefined) throw new Error('there is no vault');
    far.locks = true;
    const points = await findLivePoints(scene.vaults, 'prod', scene.keys, {});
    await extendLocks(points, scene.keys, 86_400_000, Date.now());
    const packs = [...far.objects.keys()].filter((object) => object.startsWith('packs/'));
    expect(packs.filter((pack) => far?.retained.has(pack) !== true)).toEqual([]);
  });
});

describe('a locked point over which a thief of the write key put another', () => {
  beforeEach(() => {
    for (const vault of scene.vaults) {
      vault.locks = true;
      vault.shadow(key, lie);
    }
  });

  it('is read, not what was put over it, and that is warned about', async () => {
    const { read, warnings } = await open();
    expectSame(read, STREAMS);
    expect(warnings.map(({ kind }) => kind)).toEqual(['point-disputed']);
    expect(warnings[0]?.message).toContain('one is in near, far, third; another in near (put over it), far (put over it), third (put over it)');
  });

  it('is shown by `points` and found by `verify`, which takes away what was put over it', async () => {
    const reader = await openReader({ vaults: scene.vaults });
    expect(await reader.listPoints({ copies: true })).toMatchObject([
      { disputed: [['near', 'far', 'third'], ['near (put over it)', 'far (put over it)', 'third (put over it)']], copies: [{ shadowed: 1 }, { shadowed: 1 }, { shadowed: 1 }] },
    ]);
    const report = await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'structure', heal: 'heal' });
    expect(report.findings.map(({ kind, points }) => [kind, points])).toEqual([['disputed', []], ['disputed', []], ['disputed', []]]);
    expect(report.repairs?.map(({ vault, outcome }) => [vault, outcome])).toEqual([['far', 'healed'], ['near', 'healed'], ['third', 'healed']]);
    expect((await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'structure' })).findings).toEqual([]);
    expect(near?.objects.get(key)).not.toEqual(lie);
  });

  it('keeps its packs when the vaults are swept', async () => {
    expect(await sweep({ vaults: scene.vaults, key: scene.keys, grace: 0 })).toMatchObject({ marked: 0 });
  });
});
