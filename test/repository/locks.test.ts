import { describe, expect, it } from 'vitest';
import type { Warning } from '../../src/core/progress.ts';
import { writeKeyOf } from '../../src/keys/index.ts';
import { replicatePlans } from '../../src/pipeline/replicate.ts';
import { retain } from '../../src/pipeline/retain/retain.ts';
import { extendLocks, findLivePoints, openReader, openWriter } from '../../src/repository/index.ts';
import { withLock } from '../../src/vault/locking.ts';
import type { MemoryVault } from '../support/memory-vault.ts';
import { backUp, expectSame, madeUpList, makeScene, restore, testClock } from './scene.ts';
import type { Scene } from './scene.ts';

const DAY = 86_400_000;

/** A repository in a vault that locks, and one that does not, with a clock that both the vault and backups go by. */
async function lockingScene(): Promise<{ scene: Scene; locking: MemoryVault; plain: MemoryVault; clock: ReturnType<typeof testClock> }> {
  const clock = testClock(Date.now());
  const scene = await makeScene('locking', 'plain');
  const [locking, plain] = scene.vaults as [MemoryVault, MemoryVault];
  locking.locks = true;
  locking.now = () => clock.now();
  return { scene, locking, plain, clock };
}

const under = (vault: MemoryVault, ...prefixes: readonly string[]): string[] =>
  [...vault.objects.keys()].filter((key) => prefixes.some((prefix) => key.startsWith(prefix))).sort();

describe('a backup of a plan with a lock', () => {
  it('locks all that it stores, from the moment that it is there, in vaults that lock', async () => {
    const { scene, locking, plain, clock } = await lockingScene();
    const before = new Set(locking.objects.keys());
    const unlocked: string[] = [];
    locking.interfere = (operation, key) => {
      // Each call finds everything that was stored by the calls before it locked.
      if (operation !== 'put') return;
      for (const stored of locking.objects.keys()) if (!before.has(stored) && !locking.retained.has(stored) && stored !== key) unlocked.push(stored);
    };
    const vaults = scene.vaults.map((vault) => withLock(vault, 30 * DAY, clock));
    const { vaults: holders } = await backUp(scene, { all: madeUpList(3000) }, { vaults, clock });
    expect([...holders].sort()).toEqual(['locking', 'plain']);
    const stored = under(locking, 'packs/', 'index/', 'points/');
    expect(new Set(stored.map((key) => key.slice(0, key.indexOf('/'))))).toEqual(new Set(['packs', 'index', 'points']));
    expect(unlocked).toEqual([]);
    expect(stored.map((key) => [key, locking.retained.get(key)])).toEqual(stored.map((key) => [key, new Date(clock.now() + 30 * DAY)]));
    expect(plain.retained.size).toBe(0);
    for (const key of stored) await expect(locking.delete(key)).rejects.toMatchObject({ code: 'LB_VAULT_LOCKED' });
  });

  it('locks what it copies for a point that a vault had missed', async () => {
    const { scene, locking, plain, clock } = await lockingScene();
    await backUp(scene, { all: madeUpList(2000) }, { vaults: [plain], clock });
    clock.advance(60_000);
    await backUp(scene, { all: madeUpList(2001) }, { vaults: scene.vaults.map((vault) => withLock(vault, DAY, clock)), clock });
    const packs = under(locking, 'packs/');
    expect(packs.length).toBeGreaterThan(1);
    expect(packs.filter((key) => !locking.retained.has(key))).toEqual([]);
  });
});

describe('making locks longer', () => {
  it('does so for every pack that a point needs, those that it took over from older points among them', async () => {
    const { scene, locking, clock } = await lockingScene();
    const vaults = scene.vaults.map((vault) => withLock(vault, 30 * DAY, clock));
    await backUp(scene, { all: madeUpList(2000) }, { vaults, clock });
    const old = under(locking, 'packs/');
    clock.advance(20 * DAY);
    // Nearly all chunks are in the packs of the first point.
    const second = await backUp(scene, { all: [...madeUpList(2000), Buffer.from('one more')] }, { vaults, clock });
    const fresh = under(locking, 'packs/').filter((key) => !old.includes(key));
    const until = (keys: readonly string[]): number[] => keys.map((key) => ((locking.retained.get(key)?.getTime() ?? 0) - clock.now()) / DAY);
    expect([until(old), until(fresh)]).toEqual([old.map(() => 10), fresh.map(() => 30)]);
    const points = (await findLivePoints(scene.vaults, 'prod', scene.keys, {})).filter(({ id }) => id === second.header.id);
    const [extension, ...more] = await extendLocks(points, scene.keys, 30 * DAY, clock.now());
    expect(more).toEqual([]);
    expect(extension).toMatchObject({ vault: 'locking', failed: [] });
    expect(until([...old, ...fresh])).toEqual([...old, ...fresh].map(() => 30));
    // The point, what it needs, header and slot; what was locked for long enough was left alone.
    expect(extension?.objects).toBeGreaterThan(old.length + fresh.length);
    expect(extension?.extended).toBeLessThan(extension?.objects ?? 0);
    expect(until(['lifeboat.json'])).toEqual([30]);
    clock.advance(25 * DAY);
    for (const key of [...old, ...fresh]) await expect(locking.delete(key)).rejects.toMatchObject({ code: 'LB_VAULT_LOCKED' });
  });

  it('is what `retain` does, also for points that somebody hid', async () => {
    const { scene, locking, plain, clock } = await lockingScene();
    const { header } = await backUp(scene, { all: madeUpList(500) }, { vaults: scene.vaults.map((vault) => withLock(vault, 10 * DAY, clock)), clock });
    locking.hide(`points/prod/${header.id}`);
    plain.objects.delete(`points/prod/${header.id}`);
    clock.advance(9 * DAY);
    const { points, locks } = await retain({ vaults: scene.vaults, key: scene.keys, sites: [{ site: 'prod', policies: [undefined], copies: 1, lock: 10 * DAY }], clock });
    expect(points).toMatchObject([{ id: header.id, fate: 'kept' }]);
    expect(locks).toMatchObject([{ vault: 'locking', failed: [] }]);
    expect(under(locking, 'packs/').map((key) => locking.retained.get(key))).toEqual(under(locking, 'packs/').map(() => new Date(clock.now() + 10 * DAY)));
  });
});

describe('replicate for a plan with a lock', () => {
  it('locks what it copies, in the request that stores it', async () => {
    const { scene, locking, plain, clock } = await lockingScene();
    await backUp(scene, { all: madeUpList(1000) }, { vaults: [plain], clock });
    const before = Date.now();
    const [run] = await replicatePlans({ vaults: scene.vaults, plans: [{ name: 'p', site: 'prod', vaults: ['locking', 'plain'], lock: DAY }] });
    expect(run?.vaults).toMatchObject([{ name: 'locking', state: 'level' }, { name: 'plain', state: 'level' }]);
    const copied = under(locking, 'packs/', 'index/', 'points/');
    expect(copied).toEqual(under(plain, 'packs/', 'index/', 'points/'));
    expect(copied.filter((key) => (locking.retained.get(key)?.getTime() ?? 0) < before + DAY)).toEqual([]);
    expect(plain.retained.size).toBe(0);
  });

  it('copies what lifeboat stored, and not what somebody put over it or in its place', async () => {
    const { scene, locking, plain, clock } = await lockingScene();
    const { header } = await backUp(scene, { all: ['genuine'] }, { vaults: [locking], clock });
    const objects = under(locking, 'packs/', 'index/', 'points/');
    for (const key of objects.slice(1)) locking.shadow(key, Buffer.from('a shadow'));
    locking.hide(objects[0] ?? '');
    const [run] = await replicatePlans({ vaults: scene.vaults, plans: [{ name: 'p', site: 'prod', vaults: ['locking', 'plain'] }] });
    expect(run).toMatchObject({ problems: [], vaults: [{ name: 'locking', state: 'level' }, { name: 'plain', state: 'level', copied: { points: 1 } }] });
    expectSame(await restore({ vaults: [plain], keys: scene.keys }, header.id), { all: ['genuine'] });
  });
});

describe('a backup to a vault where somebody hid things', () => {
  it('builds on what is beneath, and follows the genuine point', async () => {
    const { scene, locking, clock } = await lockingScene();
    const only = { vaults: [withLock(locking, DAY, clock)], clock };
    const first = await backUp(scene, { all: madeUpList(1000) }, only);
    const packs = under(locking, 'packs/');
    for (const key of [...packs, `points/prod/${first.header.id}`]) locking.hide(key);
    clock.advance(60_000);
    const warnings: Warning[] = [];
    const writer = await openWriter({ vaults: only.vaults, writeKey: writeKeyOf(scene.keys), clock });
    const session = await writer.begin('prod', { onWarning: (warning) => warnings.push(warning) });
    const stream = session.records();
    for (const record of madeUpList(1000)) await stream.write(record);
    const ref = await stream.end();
    const second = await session.commit({ at: '2026-03-14T02:15:00.000Z', complete: true, manifest: { kind: 'test', streams: { all: { ...ref } } } });
    expect(second.header.previous.map(({ id }) => id)).toEqual([first.header.id]);
    expect(second.header.stats.newChunks).toBe(0);
    expect(warnings).toEqual([]);
    const reader = await openReader({ vaults: [locking], keys: scene.keys });
    expect((await reader.listPoints()).map(({ id }) => id)).toEqual([first.header.id, second.header.id]);
  });
});
