import { describe, expect, it } from 'vitest';
import { findLivePoints, removePoint, verify } from '../../src/repository/index.ts';
import { MemoryVault } from '../support/memory-vault.ts';
import { backUp, madeUpList, makeSceneIn, testClock } from './scene.ts';
import type { Scene } from './scene.ts';

/** A vault that lists in pages: something happens between what comes before points, and points. */
class PagedVault extends MemoryVault {
  meanwhile: (() => Promise<unknown>) | undefined;
  listings = 0;

  override async *list(...args: Parameters<MemoryVault['list']>): ReturnType<MemoryVault['list']> {
    const { meanwhile } = this;
    if (args[0] === '') this.listings += 1;
    if (args[0] !== '' || meanwhile === undefined) {
      yield* super.list(...args);
      return;
    }
    this.meanwhile = undefined;
    for await (const entry of super.list(...args)) if (entry.key < 'points/') yield entry;
    await meanwhile();
    for await (const entry of super.list(...args)) if (entry.key >= 'points/') yield entry;
  }
}

async function place(): Promise<{ readonly scene: Scene; readonly paged: PagedVault; readonly other: MemoryVault; readonly again: () => Promise<unknown> }> {
  const [paged, other] = [new PagedVault('paged'), new MemoryVault('other')];
  const scene = await makeSceneIn([paged, other]);
  const clock = testClock();
  await backUp(scene, { configmaps: madeUpList(20) }, { clock });
  clock.advance(60_000);
  return { scene, paged, other, again: () => backUp(scene, { secrets: madeUpList(50) }, { clock }) };
}

describe('verifying while something else is at work', () => {
  it('finds nothing wrong with a backup that ends meanwhile', async () => {
    const { scene, paged, again } = await place();
    paged.meanwhile = again;
    expect(await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' })).toMatchObject({ findings: [], vaults: [{ points: 2, intactPoints: 2 }, {}] });
  });

  it('finds nothing wrong with points that are removed meanwhile', async () => {
    const { scene, paged, again } = await place();
    await again();
    const [oldest] = (await findLivePoints(scene.vaults, 'prod', scene.keys, {})).toSorted((a, b) => (a.id < b.id ? -1 : 1));
    if (oldest === undefined) throw new Error('there is no point');
    paged.meanwhile = () => removePoint(scene.vaults, scene.keys, oldest, 'a test');
    expect(await verify({ vaults: scene.vaults, depth: 'structure' })).toMatchObject({ findings: [] });
    expect(paged.objects.has(`points/prod/${oldest.id}.removed`)).toBe(true);
  });

  it('still finds what is missing, and looks again only then', async () => {
    const { scene, paged, other, again } = await place();
    await again();
    paged.listings = 0;
    await verify({ vaults: scene.vaults, depth: 'structure' });
    expect(paged.listings).toBe(1);
    const pack = [...paged.objects.keys()].find((key) => key.startsWith('packs/')) ?? '';
    paged.objects.delete(pack);
    paged.meanwhile = again;
    expect(await verify({ vaults: scene.vaults, depth: 'structure' })).toMatchObject({ findings: [{ vault: 'paged', object: pack, kind: 'missing' }] });
    expect(paged.listings).toBe(3);
    let listings = 0;
    paged.interfere = (operation, key) => {
      if (operation === 'list' && key === '' && (listings += 1) > 1) throw new Error('no answer any more');
    };
    expect(await verify({ vaults: [paged, other], depth: 'structure' })).toMatchObject({ findings: [{ vault: 'paged', object: pack, kind: 'missing' }] });
  });
});
