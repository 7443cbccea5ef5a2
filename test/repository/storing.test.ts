import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { LifeboatError } from '../../src/core/errors.ts';
import type { Warning } from '../../src/core/progress.ts';
import { openReader, verify } from '../../src/repository/index.ts';
import { withFaults } from '../support/faults.ts';
import type { Fault } from '../support/faults.ts';
import type { MemoryVault } from '../support/memory-vault.ts';
import { randomFrom, randomOfTest } from '../survival/random.ts';
import { expectSame, madeUpList, makeScene, restore } from './scene.ts';
import { bulk, contentsOf, expectOrder, hasty, store } from './storing.ts';

const three = async () => {
  const scene = await makeScene('a', 'b', 'c');
  const [a, b, c] = scene.vaults as [MemoryVault, MemoryVault, MemoryVault];
  return { scene, a, b, c };
};
const keysIn = (vault: MemoryVault, prefix: string): string[] => [...vault.objects.keys()].filter((key) => key.startsWith(prefix));

/** Makes puts below `prefix` wait until it is opened. */
function gated(vault: MemoryVault, prefix: string): () => void {
  const gate = Promise.withResolvers<void>();
  vault.interfere = (operation, key) => (operation === 'put' && key.startsWith(prefix) ? gate.promise : undefined);
  return gate.resolve;
}

describe('a vault that lags', () => {
  it('holds up neither the backup nor its memory: the point is safe without it, and it is told to be behind', async () => {
    const { scene, a, b, c } = await three();
    gated(c, 'packs/');
    const warnings: Warning[] = [];
    const records = bulk(4);
    const point = await store(scene, records, { memory: 1, patience: 0, warnings });
    expect(point).toMatchObject({ vaults: ['a', 'b'], copies: 2, safe: true, failed: [], behind: [{ vault: 'c', packs: expect.toSatisfy((packs) => packs >= 4) as number }] });
    expect(warnings.map(({ kind, where }) => [kind, where])).toEqual([['vault-behind', 'vault "c"']]);
    expect(keysIn(c, 'points/')).toEqual([]);
    for (const vault of [a, b]) await expectOrder(vault, scene);
  });

  it('gets all of it when it catches up in time, from memory and what was not kept there from the other vaults', async () => {
    const { scene, a, c } = await three();
    const open = gated(c, 'packs/');
    const records = bulk(6);
    const readFrom = a.bytesRead;
    const point = await store(scene, records, { memory: 1, patience: 60_000, beforeCommit: open });
    expect(point).toMatchObject({ vaults: ['a', 'b', 'c'], safe: true, behind: [] });
    expect(contentsOf(c)).toEqual(contentsOf(a));
    expect(a.bytesRead - readFrom).toBeGreaterThan(16_000_000);
  });

  it('is waited for when without it there are too few', async () => {
    const { scene, a, c } = await three();
    const open = gated(c, '');
    a.interfere = (operation) => {
      if (operation === 'put') throw new LifeboatError('LB_VAULT_FULL', 'no room');
    };
    const committing = store(scene, madeUpList(50), { patience: 0 });
    await sleep(300);
    open();
    expect(await committing).toMatchObject({ vaults: ['b', 'c'], safe: true, failed: [{ vault: 'a', code: 'LB_VAULT_FULL' }] });
  });

  it('gets pack, index and point in that order, however unevenly the vaults answer', async () => {
    const random = randomOfTest();
    const { scene, a, b, c } = await three();
    const paces = [0, 3, 12];
    for (const [i, vault] of scene.vaults.entries()) {
      vault.interfere = async (operation) => {
        if (operation === 'put') await sleep(random.next() * (paces[i] ?? 0));
      };
    }
    // What is there at any moment is in order.
    const looking = setInterval(() => {
      for (const vault of scene.vaults) looks.push(expectOrder(vault, scene));
    }, 25);
    const looks: Promise<void>[] = [];
    try {
      await store(scene, bulk(4), { memory: 20_000_000, patience: 60_000 });
    } finally {
      clearInterval(looking);
    }
    await Promise.all(looks);
    expect(contentsOf(b)).toEqual(contentsOf(a));
    expect(contentsOf(c)).toEqual(contentsOf(a));
  });
});

describe('a vault that fails', () => {
  it('is tried again while the backup goes on, and gets what it missed', async () => {
    const { scene, a, b } = await three();
    const c = withFaults(scene.vaults[2] as MemoryVault);
    const warnings: Warning[] = [];
    const before = async (record: number): Promise<void> => {
      if (record === 10) c.change({ random: randomFrom(1), chances: { unavailable: 1 } });
      // The threads that seal may be slow: it is there again only once it was missed.
      if (record === 150) await vi.waitUntil(() => c.happened.length > 0, { timeout: 60_000 });
      if (record === 150) c.change();
      // The pauses between its tries are shorter than what follows.
      if (record > 150) await sleep(2);
    };
    const point = await store(scene, bulk(4), { vaults: [a, b, c], clock: hasty, patience: 6_000_000, warnings, before });
    expect(point).toMatchObject({ vaults: ['a', 'b', 'c'], failed: [], behind: [] });
    expect(warnings.map(({ kind }) => kind)).toEqual(['vault-away']);
    expect(contentsOf(scene.vaults[2] as MemoryVault)).toEqual(contentsOf(a));
  });

  it('is left out when it is not there at the end either', async () => {
    const { scene, a, b } = await three();
    const c = withFaults(scene.vaults[2] as MemoryVault);
    const warnings: Warning[] = [];
    const before = (record: number): void => {
      if (record === 10) c.change({ random: randomFrom(1), chances: { unavailable: 1 } });
    };
    const point = await store(scene, bulk(2), { vaults: [a, b, c], warnings, before });
    expect(point).toMatchObject({ vaults: ['a', 'b'], safe: true, failed: [{ vault: 'c', code: 'LB_VAULT_UNAVAILABLE' }] });
    expect(warnings.map(({ kind }) => kind)).toEqual(['vault-away', 'vault-dropped']);
  });

  it('leaves a point that is kept where it is, and not called safe, when too few are left', async () => {
    const { scene, a, b, c } = await three();
    for (const vault of [b, c]) {
      vault.interfere = (operation, key) => {
        if (operation === 'put' && key.startsWith('points/')) throw new LifeboatError('LB_VAULT_READ_ONLY', 'read-only');
      };
    }
    expect(await store(scene, madeUpList(50))).toMatchObject({ vaults: ['a'], copies: 2, safe: false });
    expectSame(await restore({ ...scene, vaults: [a] }), { all: madeUpList(50) });
  });

  it.each(['hang', 'unavailable', 'refused', 'full'] as const)('(%s) at any step does not keep the point from the others', async (fault) => {
    for (const prefix of ['lifeboat.json', 'keys/', 'packs/', 'index/', 'points/']) {
      for (const of of [0, 1, 2]) {
        const { scene } = await three();
        const faulty = scene.vaults.map((vault, i) =>
          i === of ? withFaults(vault, { random: randomFrom(1), chances: { [fault]: 1 }, only: (key) => key.startsWith(prefix) }) : vault,
        );
        const point = await store(scene, madeUpList(50), { vaults: faulty, silence: 200, patience: 60_000 });
        expect(point.safe, `${fault} of ${prefix} in ${of}`).toBe(true);
        expect(point.vaults).toEqual(expect.arrayContaining(['a', 'b', 'c'].filter((_, i) => i !== of)));
        for (const vault of scene.vaults) await expectOrder(vault, scene);
      }
    }
  });

  it.each(['forgotten', 'halved'] as const)('to store a pack that it said it had stored (%s) shows no point', async (fault) => {
    const { scene, a, b } = await three();
    const liar = withFaults(scene.vaults[2] as MemoryVault, { random: randomFrom(1), chances: { [fault]: 1 }, only: (key) => key.startsWith('packs/') });
    const point = await store(scene, madeUpList(50), { vaults: [a, b, liar] });
    expect(point).toMatchObject({ vaults: ['a', 'b'], safe: true, failed: [{ vault: 'c' }] });
    expect(keysIn(scene.vaults[2] as MemoryVault, 'points/')).toEqual([]);
  });

  it.each(['forgotten', 'halved'] as const)('to store the point that it said it had stored (%s) is not said to hold it', async (fault) => {
    const { scene, a, b } = await three();
    const liar = withFaults(scene.vaults[2] as MemoryVault, { random: randomFrom(1), chances: { [fault]: 1 }, only: (key) => key.startsWith('points/prod/') });
    const point = await store(scene, madeUpList(50), { vaults: [a, b, liar] });
    expect(point).toMatchObject({ vaults: ['a', 'b'], safe: true, failed: [{ vault: 'c' }] });
  });
});

describe('a vault that was away', () => {
  it('for a day does not make the next backup store anything again, and gets what that needs', async () => {
    const { scene, a, b, c } = await three();
    const generation = (changed: number) => (number: number): number => (number < changed ? 1 : 0);
    await store(scene, madeUpList(300));
    c.interfere = () => {
      throw new LifeboatError('LB_VAULT_UNAVAILABLE', 'away');
    };
    const missed = await store(scene, madeUpList(300, { generation: generation(40) }));
    expect(missed).toMatchObject({ vaults: ['a', 'b'], safe: true });
    c.interfere = undefined;
    const warnings: Warning[] = [];
    const next = await store(scene, madeUpList(300, { generation: generation(45) }), { warnings });
    expect(next).toMatchObject({ vaults: ['a', 'b', 'c'], safe: true, header: { stats: { newChunks: 5 } } });
    expect(warnings).toEqual([]);
    expectSame(await restore({ ...scene, vaults: [c] }, next.header.id), { all: madeUpList(300, { generation: generation(45) }) });
    for (const vault of [a, b, c]) await expectOrder(vault, scene);
  });

  it('and has nothing yet is filled, instead of everything being stored again', async () => {
    const scene = await makeScene('a', 'b');
    const [a, b] = scene.vaults as [MemoryVault, MemoryVault];
    const records = madeUpList(300);
    await store(scene, records, { vaults: [a], copies: 1 });
    expect(keysIn(b, 'packs/')).toEqual([]);
    const next = await store(scene, records);
    expect(next).toMatchObject({ vaults: ['a', 'b'], safe: true, header: { stats: { newChunks: 0, packs: 0 } } });
    expectSame(await restore({ ...scene, vaults: [b] }, next.header.id), { all: records });
  });

  it('gets no point whose packs are nowhere whole, and does not keep it from the others', async () => {
    const { scene, a, b, c } = await three();
    await store(scene, madeUpList(300));
    const [pack = ''] = keysIn(c, 'packs/');
    c.objects.set(pack, (c.objects.get(pack) ?? new Uint8Array()).subarray(1));
    const warnings: Warning[] = [];
    const next = await store(scene, madeUpList(301), { warnings });
    expect(next).toMatchObject({ vaults: ['a', 'b'], safe: true, behind: [{ vault: 'c', packs: 1 }], header: { stats: { newChunks: 1 } } });
    expect(warnings.map(({ kind }) => kind)).toEqual(['object-damaged', 'vault-behind']);
    for (const vault of [a, b]) await expectOrder(vault, scene);
  });
});

describe('whatever the vaults do', () => {
  const SEEDS = 25;
  const FAULTS: readonly Fault[] = ['unavailable', 'refused', 'full', 'lost-answer', 'slow', 'forgotten', 'halved', 'truncated', 'corrupted', 'missing', 'stale'];

  it(`a point is shown only where it is whole, and safe only where it can be restored from (${SEEDS} seeds)`, async () => {
    const random = randomOfTest();
    for (let round = 0; round < SEEDS; round++) {
      const { scene } = await three();
      const faulty = scene.vaults.map((vault) => withFaults(vault));
      const written = new Map<string, Buffer[]>();
      for (let generation = 0; generation < 3; generation++) {
        for (const vault of faulty) {
          // A vault that lies about a point itself cannot be told from one that has it.
          const chances = Object.fromEntries(FAULTS.map((fault) => [fault, random.next() < 0.3 ? random.next() * 0.3 : 0]));
          vault.change({ random, chances, only: (key) => !key.startsWith('points/prod/') });
        }
        const records = madeUpList(60, { generation: (number) => (number % 5 === generation ? generation : 0) });
        const point = await store(scene, records, { vaults: faulty, clock: hasty, patience: 5_000, silence: 2_000 }).catch((error: unknown) => {
          if (error instanceof LifeboatError && error.code !== 'LB_INTERNAL') return undefined;
          throw error;
        });
        for (const vault of scene.vaults) await expectOrder(vault, scene, false);
        if (point === undefined) continue;
        expect(point.safe).toBe(point.vaults.length >= 2);
        written.set(point.header.id, records);
        for (const name of point.vaults) {
          const vaults = scene.vaults.filter((vault) => vault.name === name);
          expectSame(await restore({ ...scene, vaults }, point.header.id), { all: records });
        }
      }
      for (const [id, records] of written) expectSame(await restore(scene, id), { all: records });
      expect((await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'structure' })).findings.filter(({ kind }) => kind === 'forged')).toEqual([]);
      await (await openReader({ vaults: scene.vaults })).close();
    }
  });
});
