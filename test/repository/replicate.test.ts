import { describe, expect, it } from 'vitest';
import { LifeboatError } from '../../src/core/errors.ts';
import type { Progress } from '../../src/core/progress.ts';
import { addSlot, createRepository, listSlots, removeSlot, replicate, verify } from '../../src/repository/index.ts';
import type { ReplicateReport } from '../../src/repository/index.ts';
import { encodePointTombstone, pointTombstoneKey } from '../../src/repository/removal/tombstone.ts';
import type { RemovedPoint } from '../../src/repository/removal/tombstone.ts';
import { withFaults } from '../support/faults.ts';
import type { Fault } from '../support/faults.ts';
import { MemoryVault } from '../support/memory-vault.ts';
import { randomFrom, randomOfTest } from '../survival/random.ts';
import { backUp, expectSame, flipBit, madeUpList, makeScene, PASSPHRASE, restore, testClock, WORK_FACTOR } from './scene.ts';
import type { Scene } from './scene.ts';
import { contentsOf, expectOrder } from './storing.ts';

const keysIn = (vault: MemoryVault, prefix: string): string[] => [...vault.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
const stateOf = (report: ReplicateReport): Record<string, string> => Object.fromEntries(report.vaults.map(({ name, state }) => [name, state]));
const records = (generation: number): Buffer[] => madeUpList(120, { generation: (number) => (number % 6 === generation ? generation : 0) });

/** Three vaults; the third was away for the second and third of four points. */
async function behind(): Promise<{ scene: Scene; a: MemoryVault; b: MemoryVault; c: MemoryVault; ids: string[] }> {
  const scene = await makeScene('a', 'b', 'c');
  const [a, b, c] = scene.vaults as [MemoryVault, MemoryVault, MemoryVault];
  const clock = testClock();
  const ids: string[] = [];
  for (const generation of [0, 1, 2, 3]) {
    const vaults = generation === 1 || generation === 2 ? [a, b] : [a, b, c];
    ids.push((await backUp({ ...scene, vaults }, { all: records(generation) }, { clock })).header.id);
    clock.advance(3_600_000);
  }
  return { scene, a, b, c, ids };
}

describe('replicate', () => {
  it('gives a vault that was away the points it missed, byte for byte, without a key', async () => {
    const { scene, a, c, ids } = await behind();
    expect(keysIn(c, 'points/')).toHaveLength(2);
    const progress: Progress[] = [];
    const report = await replicate({ vaults: scene.vaults, onProgress: (state) => progress.push(state) });
    expect(report).toMatchObject({ repository: scene.keys.repositoryId, problems: [], moreProblems: 0 });
    expect(stateOf(report)).toEqual({ a: 'level', b: 'level', c: 'level' });
    expect(report.vaults[2]).toMatchObject({ lacked: { points: 2 }, copied: { points: 2 } });
    for (const [i, id] of ids.entries()) expectSame(await restore({ ...scene, vaults: [c] }, id), { all: records(i) });
    expect((await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' })).findings).toEqual([]);
    for (const key of keysIn(c, 'packs/').concat(keysIn(c, 'points/'))) expect(a.objects.get(key)).toEqual(c.objects.get(key));
    const told = progress.filter(({ phase }) => phase === 'replicate');
    expect(told.at(-1)).toMatchObject({ done: told.at(-1)?.total, unit: 'bytes' });
  });

  it('does nothing when all are level', async () => {
    const { scene } = await behind();
    await replicate({ vaults: scene.vaults });
    const before = scene.vaults.map(contentsOf);
    const report = await replicate({ vaults: scene.vaults });
    expect(report.vaults.map(({ lacked, copied }) => [lacked, copied.objects])).toEqual(Array.from({ length: 3 }, () => [{ points: 0, packs: 0, bytes: 0 }, 0]));
    expect(scene.vaults.map(contentsOf)).toEqual(before);
  });

  it('fills a new, empty vault, which then is enough by itself', async () => {
    const { scene, a, ids } = await behind();
    const fresh = new MemoryVault('fresh');
    const report = await replicate({ vaults: [a, fresh], to: ['fresh'] });
    expect(stateOf(report)).toEqual({ fresh: 'level' });
    const { findings } = await verify({ vaults: [fresh], keys: scene.keys, depth: 'data' });
    expect(findings).toEqual([]);
    for (const [i, id] of ids.entries()) expectSame(await restore({ ...scene, vaults: [fresh] }, id), { all: records(i) });
    // Leavings that no point needs stay where they are.
    expect(keysIn(fresh, 'rescue/')).toEqual(keysIn(a, 'rescue/'));
    expect(keysIn(fresh, 'keys/')).toEqual(keysIn(a, 'keys/'));
    // The next backup finds everything there.
    expect((await backUp({ ...scene, vaults: [a, fresh] }, { all: records(3) })).header.stats.newChunks).toBe(0);
  });

  it('says what it would copy, and copies nothing, when only asked to look', async () => {
    const { scene, c } = await behind();
    const before = contentsOf(c);
    const looked = await replicate({ vaults: scene.vaults, dryRun: true });
    expect(contentsOf(c)).toEqual(before);
    expect(stateOf(looked)).toEqual({ a: 'level', b: 'level', c: 'behind' });
    const done = await replicate({ vaults: scene.vaults });
    expect(done.vaults.map(({ lacked }) => lacked)).toEqual(looked.vaults.map(({ lacked }) => lacked));
  });

  it('copies only from and to the vaults that were named, and only points of the sites that were', async () => {
    const { scene, a, b, c } = await behind();
    await backUp({ ...scene, vaults: [b] }, { all: records(5) }, { site: 'other' });
    const report = await replicate({ vaults: scene.vaults, from: ['b'], to: ['c'], sites: ['prod'] });
    expect(stateOf(report)).toEqual({ c: 'level' });
    expect(keysIn(c, 'points/')).toEqual(keysIn(a, 'points/'));
    expect(keysIn(b, 'points/')).toHaveLength(5);
    await expect(replicate({ vaults: scene.vaults, from: ['a'], to: ['a'] })).rejects.toMatchObject({ code: 'LB_USAGE' });
  });

  it('puts back packs that a vault has lost under a point it has', async () => {
    const { scene, c } = await behind();
    await replicate({ vaults: scene.vaults });
    const before = contentsOf(c);
    for (const key of keysIn(c, 'packs/')) c.objects.delete(key);
    const report = await replicate({ vaults: scene.vaults });
    expect(report.vaults[2]).toMatchObject({ state: 'level', lacked: { points: 0 } });
    expect(contentsOf(c)).toEqual(before);
  });

  it('adds slots, and brings the removal of one to where it is not known; never the slot back', async () => {
    const { scene, a, b, c } = await behind();
    const secret = { kind: 'passphrase', passphrase: PASSPHRASE, workFactor: WORK_FACTOR } as const;
    const added = await addSlot([a], scene.keys, secret);
    const gone = await addSlot([a, b, c], scene.keys, secret);
    await removeSlot([a], scene.keys, gone.id);
    expect(await replicate({ vaults: scene.vaults })).toMatchObject({ problems: [] });
    for (const vault of scene.vaults) {
      expect(keysIn(vault, 'keys/')).toEqual(expect.arrayContaining([`keys/${added.id}`, `keys/${gone.id}.removed`]));
      const live = await listSlots([vault], scene.keys);
      expect(live.map(({ id }) => id)).not.toContain(gone.id);
    }
    expect(a.objects.has(`keys/${gone.id}`)).toBe(false);
  });
});

/** As the maintain role would say of a point. */
function removal(name: { readonly site: string; readonly id: string }): RemovedPoint {
  return { ...name, sha256: 'a'.repeat(64), removedAt: '2026-03-20T00:00:00.000Z', reason: 'no rule keeps it', previous: [] };
}

describe('replicate and points that were removed on purpose', () => {
  it('does not copy them back, and makes the removal known everywhere', async () => {
    const { scene, a, b, c, ids } = await behind();
    const [removed = ''] = ids;
    const name = { site: 'prod', id: removed };
    a.objects.set(pointTombstoneKey(name.site, name.id), encodePointTombstone(removal(name), scene.keys));
    a.objects.delete(`points/prod/${removed}`);
    const fresh = new MemoryVault('fresh');
    expect(stateOf(await replicate({ vaults: [a, b, c, fresh] }))).toEqual({ a: 'level', b: 'level', c: 'level', fresh: 'level' });
    for (const vault of [a, fresh]) expect(keysIn(vault, 'points/').filter((key) => key.endsWith(removed))).toEqual([]);
    for (const vault of [b, c, fresh]) expect(vault.objects.get(pointTombstoneKey(name.site, name.id))).toEqual(a.objects.get(pointTombstoneKey(name.site, name.id)));
  });

  it('copies them when the removal is not signed by who may remove, and says so', async () => {
    const { scene, a, b, c, ids } = await behind();
    const name = { site: 'prod', id: ids[1] ?? '' };
    const forged = encodePointTombstone(removal(name), { ...scene.keys, maintainKey: scene.keys.signingKey });
    a.objects.set(pointTombstoneKey(name.site, name.id), forged);
    const report = await replicate({ vaults: [a, b, c] });
    expect(report.problems).toMatchObject([{ vault: 'a', object: pointTombstoneKey(name.site, name.id), kind: 'forged' }]);
    expect(c.objects.has(`points/prod/${name.id}`)).toBe(true);
    expect(c.objects.has(pointTombstoneKey(name.site, name.id))).toBe(false);
  });

  it('waits with what may have been removed until that can be read', async () => {
    const { scene, a, b, c, ids } = await behind();
    const name = { site: 'prod', id: ids[1] ?? '' };
    const key = pointTombstoneKey(name.site, name.id);
    a.objects.set(key, encodePointTombstone(removal(name), scene.keys));
    const silent = withFaults(a, { random: randomFrom(1), chances: { unavailable: 1 }, only: (one) => one === key });
    const report = await replicate({ vaults: [silent, b, c] });
    expect(report.problems).toMatchObject([{ vault: 'a', object: key, kind: 'unreadable' }]);
    expect(c.objects.has(`points/prod/${name.id}`)).toBe(false);
  });
});

describe('replicate and what is damaged or forged', () => {
  it.each(['packs/', 'points/', 'index/', 'keys/', 'rescue/'])('never copies a damaged object below %s, takes it from elsewhere, and says so', async (prefix) => {
    const { scene, a, b } = await behind();
    const fresh = new MemoryVault('fresh');
    const [key = ''] = keysIn(a, prefix);
    const bytes = a.objects.get(key) ?? new Uint8Array();
    a.objects.set(key, flipBit(bytes, bytes.length >> 1));
    const report = await replicate({ vaults: [a, b, fresh], to: ['fresh'] });
    expect(stateOf(report)).toEqual({ fresh: 'level' });
    expect(report.problems).toMatchObject([{ vault: 'a', object: key, kind: expect.stringMatching(/damaged|forged/) as string }]);
    expect(fresh.objects.get(key)).toEqual(b.objects.get(key));
    expect((await verify({ vaults: [fresh], keys: scene.keys, depth: 'data' })).findings).toEqual([]);
  });

  it('leaves out a point that needs a pack which is nowhere whole, and brings the others', async () => {
    const { scene, a, b, ids } = await behind();
    const fresh = new MemoryVault('fresh');
    // What only the newest point needs.
    const newest = keysIn(a, 'packs/').find((key) => countNaming(a, key) === 1) ?? '';
    for (const vault of [a, b]) vault.objects.set(newest, flipBit(vault.objects.get(newest) ?? new Uint8Array(), 2000));
    const report = await replicate({ vaults: [a, b, fresh], to: ['fresh'] });
    expect(stateOf(report)).toEqual({ fresh: 'behind' });
    expect(report.problems.map(({ vault, object, kind }) => [vault, object, kind])).toEqual([
      ['a', newest, 'damaged'],
      ['b', newest, 'damaged'],
      ['fresh', newest, 'missing'],
    ]);
    expect(keysIn(fresh, 'points/')).toHaveLength(ids.length - 1);
    await expectOrder(fresh, scene, false);
  });

  it('refuses vaults of different repositories, and a repository that is not that of the key', async () => {
    const [scene, other] = await Promise.all([makeScene('a'), makeScene('b')]);
    await expect(replicate({ vaults: [...scene.vaults, ...other.vaults] })).rejects.toMatchObject({ code: 'LB_REPO_FORGED' });
    const vaults = [...scene.vaults, new MemoryVault('fresh')];
    await expect(replicate({ vaults, keys: other.keys })).rejects.toMatchObject({ code: 'LB_KEY_WRONG' });
    await expect(replicate({ vaults: [new MemoryVault('x'), new MemoryVault('y')] })).rejects.toMatchObject({ code: 'LB_REPO_MISSING' });
  });

  it('puts a lost header back, but none where something else lies', async () => {
    const { scene, a, b, c } = await behind();
    b.objects.delete('lifeboat.json');
    const foreign = new MemoryVault('foreign', (await makeScene('z')).vaults[0]?.objects);
    foreign.objects.delete('lifeboat.json');
    const report = await replicate({ vaults: [a, b, c, foreign] });
    expect(stateOf(report)).toEqual({ a: 'level', b: 'level', c: 'level', foreign: 'failed' });
    expect(report.vaults[3]?.failure?.code).toBe('LB_REPO_HEADER_LOST');
    expect(b.objects.get('lifeboat.json')).toEqual(a.objects.get('lifeboat.json'));
    expect(foreign.objects.has('lifeboat.json')).toBe(false);
    expect(scene.keys.repositoryId).toBe(report.repository);
  });

  it('goes on from where it was after what made a vault', async () => {
    const { scene, a } = await behind();
    const fresh = new MemoryVault('fresh');
    let puts = 0;
    for (let stop = 1; stateOf(await replicate({ vaults: [a, fresh], to: ['fresh'] }))['fresh'] !== 'level'; stop += 2) {
      puts = 0;
      fresh.interfere = (operation) => {
        if (operation === 'put' && ++puts > stop) throw new LifeboatError('LB_VAULT_UNAVAILABLE', 'gone');
      };
      await replicate({ vaults: [a, fresh], to: ['fresh'] });
      await expectOrder(fresh, scene);
      fresh.interfere = undefined;
      if (stop > 100) throw new Error('it never ends');
    }
    expect((await verify({ vaults: [fresh], keys: scene.keys, depth: 'data' })).findings).toEqual([]);
  });
});

describe('replicate, whatever the vaults do', () => {
  const SEEDS = 30;
  const FAULTS: readonly Fault[] = ['unavailable', 'refused', 'full', 'lost-answer', 'slow', 'forgotten', 'halved', 'truncated', 'corrupted', 'missing', 'stale'];

  it(`shows points only where they are whole, and brings all level in the end (${SEEDS} seeds)`, async () => {
    const random = randomOfTest();
    const { scene, a, b, c } = await behind();
    for (let round = 0; round < SEEDS; round++) {
      const vaults = [a.copy('a'), b.copy('b'), c.copy('c'), new MemoryVault('fresh')];
      const faulty = vaults.map((vault) => {
        const chances = Object.fromEntries(FAULTS.map((fault) => [fault, random.next() < 0.3 ? random.next() * 0.3 : 0]));
        return withFaults(vault, { random, chances, only: (key) => !key.startsWith('points/prod/') && key !== 'lifeboat.json' });
      });
      // Two at once, as two machines may run it.
      const runs = [replicate({ vaults: faulty, silence: 2_000 }), replicate({ vaults: faulty, silence: 2_000 })];
      for (const run of await Promise.allSettled(runs)) if (run.status === 'rejected' && !(run.reason instanceof LifeboatError && run.reason.code !== 'LB_INTERNAL')) throw run.reason;
      for (const vault of vaults) await expectOrder(vault, scene, false);
      // What was stored halved is in the way: removing it is what people do.
      for (const vault of vaults) for (const [key, bytes] of vault.objects) if (bytes.length !== (a.objects.get(key)?.length ?? bytes.length)) vault.objects.delete(key);
      expect(stateOf(await replicate({ vaults }))).toEqual({ a: 'level', b: 'level', c: 'level', fresh: 'level' });
      expect((await verify({ vaults, keys: scene.keys, depth: 'data' })).findings).toEqual([]);
    }
  });

  it.each(['from', 'to'] as const)('does not wait for ever for a vault that hangs (%s)', async (side) => {
    const { a, b, c } = await behind();
    const hanging = withFaults(side === 'from' ? a : c, { random: randomFrom(1), chances: { hang: 1 }, only: (key) => key.startsWith('packs/') && key !== 'packs/' });
    const vaults = side === 'from' ? [hanging, b, c] : [a, b, hanging];
    const report = await replicate({ vaults, silence: 100 });
    expect(stateOf(report)['c']).toBe(side === 'from' ? 'level' : 'failed');
  });
});

/** How many points name this pack. */
function countNaming(vault: MemoryVault, pack: string): number {
  const raw = Buffer.from(pack.slice(-64), 'hex');
  return keysIn(vault, 'points/').filter((key) => Buffer.from(vault.objects.get(key) ?? []).includes(raw)).length;
}

describe('a repository that was made in one vault', () => {
  it('is brought to another that init has prepared', async () => {
    const scene = await makeScene('a');
    await backUp(scene, { all: records(1) });
    const added = new MemoryVault('b');
    const vaults = [...scene.vaults, added];
    await createRepository({ vaults, keys: scene.keys, slots: [] });
    expect(stateOf(await replicate({ vaults }))).toEqual({ a: 'level', b: 'level' });
    expect(contentsOf(added)).toEqual(contentsOf(scene.vaults[0] as MemoryVault));
  });
});
