import { describe, expect, it } from 'vitest';
import { verify } from '../../src/repository/index.ts';
import type { MemoryVault } from '../support/memory-vault.ts';
import { backUp, madeUpList, makeScene, restore, testClock } from './scene.ts';

describe('a point that only some vaults got, because its backup was killed', () => {
  const contents = { all: madeUpList(100) };

  it('is put into the others by the next backup', async () => {
    const scene = await makeScene('a', 'b');
    const [, b] = scene.vaults as [MemoryVault, MemoryVault];
    const clock = testClock();
    const { header } = await backUp(scene, contents, { clock });
    b.objects.delete(`points/prod/${header.id}`);
    clock.advance(60_000);
    const next = await backUp(scene, contents, { clock });
    expect(next.header.previous.map(({ id }) => id)).toEqual([header.id]);
    expect((await restore({ ...scene, vaults: [b] }, header.id))['all']).toEqual(contents.all);
    expect(await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' })).toMatchObject({ findings: [] });
  });

  it('is not put where something of it is missing, nor when it is damaged', async () => {
    const scene = await makeScene('a', 'b');
    const [a, b] = scene.vaults as [MemoryVault, MemoryVault];
    const clock = testClock();
    const first = `points/prod/${(await backUp(scene, contents, { clock })).header.id}`;
    const [pack = ''] = [...b.objects.keys()].filter((key) => key.startsWith('packs/'));
    b.objects.delete(first);
    b.objects.delete(pack);
    clock.advance(60_000);
    const second = `points/prod/${(await backUp(scene, contents, { clock })).header.id}`;
    expect(b.objects.has(first)).toBe(false);
    b.objects.delete(second);
    a.objects.set(
      second,
      (a.objects.get(second) ?? new Uint8Array()).map((byte, at) => (at === 30 ? byte ^ 1 : byte)),
    );
    clock.advance(60_000);
    await backUp(scene, contents, { clock });
    expect(b.objects.has(second)).toBe(false);
  });
});
