import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PointListing } from '../../src/repository/api.ts';
import { openReader } from '../../src/repository/index.ts';
import { PackSet } from '../../src/repository/pack-set.ts';
import { withFaults } from '../support/faults.ts';
import { MemoryVault } from '../support/memory-vault.ts';
import { randomFrom } from '../survival/random.ts';
import { backUp, flipBit, madeUpList, makeScene, testClock } from './scene.ts';
import type { Scene } from './scene.ts';

async function list(scene: Scene): Promise<readonly PointListing[]> {
  const reader = await openReader({ vaults: scene.vaults });
  return reader.listPoints({ copies: true });
}

/** Point and vault, by what is said of them. */
const states = (listing: readonly PointListing[]): string[] =>
  listing.flatMap(({ copies = [] }, i) => copies.map(({ vault, state, missing }) => `${i} ${vault} ${state}${missing === undefined ? '' : ` ${missing}`}`));

async function twoPoints(): Promise<{ scene: Scene; a: MemoryVault; b: MemoryVault; keys: readonly string[] }> {
  const scene = await makeScene('a', 'b');
  const clock = testClock();
  await backUp(scene, { all: madeUpList(100) }, { clock });
  clock.advance(60_000);
  await backUp(scene, { all: madeUpList(110) }, { clock });
  const [a, b] = scene.vaults as [MemoryVault, MemoryVault];
  return { scene, a, b, keys: [...a.objects.keys()].filter((key) => key.startsWith('points/')).sort() };
}

describe('how points are in each vault', () => {
  it('is said of every vault that has them: complete, without some packs, or damaged', async () => {
    const { scene, a, b, keys } = await twoPoints();
    expect(states(await list(scene))).toEqual(['0 a complete', '0 b complete', '1 a complete', '1 b complete']);
    const [first = '', second = ''] = keys;
    a.objects.delete(second);
    const packs = [...b.objects.keys()].filter((key) => key.startsWith('packs/'));
    const [lost = ''] = packs;
    b.objects.set(lost, (b.objects.get(lost) ?? new Uint8Array()).subarray(1));
    a.objects.set(first, flipBit(a.objects.get(first) ?? new Uint8Array(), 100));
    const listing = await list(scene);
    // The pack may be of the first point or of both.
    const needed = [first, second].map((key) => (Buffer.from(b.objects.get(key) ?? []).includes(Buffer.from(lost.slice(-64), 'hex')) ? 'partial 1' : 'complete'));
    expect(states(listing)).toEqual(['0 a damaged', `0 b ${needed[0]}`, `1 b ${needed[1]}`]);
    expect(listing[0]).toMatchObject({ header: { site: 'prod' }, copies: [{ problem: expect.stringContaining('signature') as string }, {}] });
    expect(listing[0]?.problem).toBeUndefined();
  });

  it('is a problem of the point when no vault has it intact', async () => {
    const { scene, a, b, keys } = await twoPoints();
    const [first = ''] = keys;
    for (const vault of [a, b]) vault.objects.set(first, flipBit(vault.objects.get(first) ?? new Uint8Array(), 100));
    const [listing] = await list(scene);
    expect(listing).toMatchObject({ problem: expect.stringContaining('signature') as string, copies: [{ state: 'damaged' }, { state: 'damaged' }] });
    expect(listing?.header).toBeUndefined();
  });

  it('is found without reading any pack, and little of a large point', async () => {
    const scene = await makeScene('a', 'b');
    const [a, b] = scene.vaults as [MemoryVault, MemoryVault];
    await backUp(scene, { all: madeUpList(10) }, { manifest: { large: randomBytes(400_000).toString('base64') } });
    const [key = ''] = [...a.objects.keys()].filter((one) => one.startsWith('points/'));
    const size = a.objects.get(key)?.length ?? 0;
    for (const vault of scene.vaults) vault.bytesRead = 0;
    expect(states(await list(scene))).toEqual(['0 a complete', '0 b complete']);
    for (const vault of scene.vaults) expect(vault.bytesRead).toBeLessThan(100_000);
    // What is cut off shows by its size.
    b.objects.set(key, (b.objects.get(key) ?? new Uint8Array()).subarray(0, size - 1));
    a.objects.set(key, flipBit(a.objects.get(key) ?? new Uint8Array(), 100));
    expect(states(await list(scene))).toEqual(['0 a damaged', '0 b damaged']);
  });

  it('leaves out a vault that does not answer, with a warning', async () => {
    const { scene, a, b } = await twoPoints();
    const silent = withFaults(b, { random: randomFrom(1), chances: { unavailable: 1 }, only: (key) => key.startsWith('packs') });
    const kinds: string[] = [];
    const reader = await openReader({ vaults: [a, silent], onWarning: ({ kind, where }) => kinds.push(`${kind} ${where}`) });
    expect(states(await reader.listPoints({ copies: true }))).toEqual(['0 a complete', '1 a complete']);
    expect(kinds).toEqual(['vault-unavailable vault "b"']);
    expect(scene.vaults).toHaveLength(2);
  });
});

describe('a set of packs', () => {
  const packs = Array.from({ length: 3000 }, (_, i) => ({ id: randomBytes(32).toString('hex'), size: i + 1 }));
  const keyOf = (id: string): string => `packs/${id.slice(0, 2)}/${id}`;

  it.each([0, 1, 2, 3000])('of %d finds each by its id, and no other', async (count) => {
    const some = packs.slice(0, count);
    const vault = new MemoryVault('a', some.map(({ id, size }) => [keyOf(id), new Uint8Array(size)]));
    vault.objects.set('packs/zz/not-a-pack', new Uint8Array(1));
    const set = await PackSet.list(vault);
    expect(set.length).toBe(count);
    for (const { id, size } of some) {
      const number = set.find(Buffer.from(id, 'hex'));
      expect([set.id(number), set.size(number)]).toEqual([id, size]);
    }
    for (let i = 0; i < 100; i++) expect(set.find(randomBytes(32))).toBe(-1);
    for (const extreme of [0, 255]) expect(set.find(new Uint8Array(32).fill(extreme))).toBe(-1);
    expect(some.every(({ id, size }) => set.has(Buffer.from(id, 'hex'), size) && !set.has(Buffer.from(id, 'hex'), size + 1))).toBe(true);
  });

  it('does not depend on the order in which a store lists', async () => {
    const vault = new MemoryVault('a');
    vault.list = async function* () {
      for (const { id, size } of packs) yield { key: keyOf(id), size };
    };
    const set = await PackSet.list(vault);
    expect(packs.every(({ id, size }) => set.has(Buffer.from(id, 'hex'), size))).toBe(true);
  });
});
