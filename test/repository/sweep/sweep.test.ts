import { beforeEach, describe, expect, it, vi } from 'vitest';
import { LifeboatError } from '../../../src/core/errors.ts';
import type { Warning } from '../../../src/core/progress.ts';
import { maintainKeyOf, slotId, sealSlot, writeKeyOf } from '../../../src/keys/index.ts';
import { addSlot, findLivePoints, openWriter, removePoint, sweep, verify } from '../../../src/repository/index.ts';
import type { SweepReport } from '../../../src/repository/index.ts';
import { encodeLease, leaseKey } from '../../../src/repository/sweep/lease-object.ts';
import { Lease } from '../../../src/repository/sweep/lease.ts';
import { encodeMark } from '../../../src/repository/sweep/mark.ts';
import { VaultError } from '../../../src/vault/errors.ts';
import type { Vault } from '../../../src/vault/vault.ts';
import type { MemoryVault } from '../../support/memory-vault.ts';
import { backUp, expectSame, madeUpList, makeScene, restore, testClock, WORK_FACTOR } from '../scene.ts';
import type { Scene } from '../scene.ts';

const HOUR = 3_600_000;
const GRACE = 48 * HOUR;

let scene: Scene;
let vault: MemoryVault;
let clock: ReturnType<typeof testClock>;
beforeEach(async () => {
  scene = await makeScene('a', 'b');
  [vault] = scene.vaults as [MemoryVault, MemoryVault];
  clock = testClock();
});

const run = (options: Partial<Parameters<typeof sweep>[0]> = {}): Promise<SweepReport> =>
  sweep({ vaults: scene.vaults, key: maintainKeyOf(scene.keys), clock, ...options });
const count = (prefix: string, of: MemoryVault = vault): number => [...of.objects.keys()].filter((key) => key.startsWith(prefix)).length;
/** A backup whose objects all differ from those of other generations. */
const point = async (generation: number, vaults: readonly Vault[] = scene.vaults): Promise<string> => {
  clock.advance(HOUR);
  return (await backUp(scene, { all: madeUpList(30, { generation: () => generation }) }, { clock, vaults })).header.id;
};
const removeAt = async (id: string): Promise<void> => {
  const found = (await findLivePoints(scene.vaults, undefined, scene.keys, {})).find((one) => one.id === id);
  if (found !== undefined) await removePoint(scene.vaults, scene.keys, found, 'a test', { clock });
};
/** Leaves packs behind that no point needs, as a killed backup does. */
const leaveGarbage = async (generation: number): Promise<void> => {
  const session = await (await openWriter({ vaults: scene.vaults, writeKey: writeKeyOf(scene.keys), clock })).begin('prod');
  const stream = session.records();
  for (const record of madeUpList(30, { generation: () => generation })) await stream.write(record);
  await stream.end();
  // Stored, and not committed: the point is refused.
  await session.commit({ at: 'no time', complete: true, manifest: {} }).catch(() => undefined);
};

describe('the sweep', () => {
  it('marks what no point needs, and deletes it a grace period later', async () => {
    await point(1);
    await leaveGarbage(2);
    const packs = count('packs/');
    const kept = packs - 1;
    expect(packs).toBeGreaterThan(kept);
    const first = await run();
    expect(first).toMatchObject({ marked: 2, waiting: 2, vaults: [{ deleted: 0 }, { deleted: 0 }] });
    expect(first.next).toBe(new Date(clock.now() + GRACE).toISOString());
    clock.advance(GRACE - 1);
    expect(await run()).toMatchObject({ marked: 0, waiting: 2, vaults: [{ deleted: 0 }, { deleted: 0 }] });
    expect(count('packs/')).toBe(packs);
    clock.advance(1);
    expect(await run()).toMatchObject({ marked: 0, waiting: 0, vaults: [{ deleted: 2, locked: 0, failed: [] }, { deleted: 2 }] });
    for (const one of scene.vaults) {
      expect(count('packs/', one)).toBe(kept);
      expect(count('leases/', one)).toBe(0);
      expect([...one.objects.keys()].filter((key) => key.startsWith('marks/') && !key.endsWith('.done'))).toEqual([]);
    }
    expectSame(await restore(scene), { all: madeUpList(30, { generation: () => 1 }) });
    expect(await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' })).toMatchObject({ findings: [], unreferenced: 0 });
  });

  it('changes nothing in a dry run', async () => {
    await leaveGarbage(1);
    const before = [...vault.objects.keys()];
    expect(await run({ dryRun: true })).toMatchObject({ marked: 2, waiting: 2 });
    expect(await run({ dryRun: true, grace: 0 })).toMatchObject({ marked: 2, waiting: 0, vaults: [{ deleted: 2 }, { deleted: 2 }] });
    expect([...vault.objects.keys()]).toEqual(before);
  });

  it('deletes in one run when it is told not to wait', async () => {
    await point(1);
    await leaveGarbage(2);
    expect(await run({ grace: 0 })).toMatchObject({ marked: 2, waiting: 0, vaults: [{ deleted: 2 }, { deleted: 2 }] });
    expect((await verify({ vaults: scene.vaults, depth: 'structure' })).unreferenced).toBe(0);
  });

  it('takes away a removed point, and later what only it needed', async () => {
    const [old, fresh] = [await point(1), await point(2)];
    await removeAt(old);
    const packs = count('packs/');
    await run();
    expect(vault.objects.has(`points/prod/${old}`)).toBe(true);
    clock.advance(GRACE);
    expect(await run()).toMatchObject({ marked: expect.any(Number) as number, vaults: [{ deleted: 1 }, { deleted: 1 }] });
    expect(vault.objects.has(`points/prod/${old}`)).toBe(false);
    clock.advance(GRACE);
    await run();
    expect(count('packs/')).toBe(packs - 1);
    expectSame(await restore(scene, fresh), { all: madeUpList(30, { generation: () => 2 }) });
    expect(await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' })).toMatchObject({ findings: [], unreferenced: 0 });
  });

  it('deletes key slots that are out of use', async () => {
    const slot = await sealSlot(scene.keys, { kind: 'passphrase', passphrase: 'spare', workFactor: WORK_FACTOR });
    await addSlot(scene.vaults, scene.keys, { kind: 'passphrase', passphrase: 'other', workFactor: WORK_FACTOR });
    const { removeSlot } = await import('../../../src/repository/index.ts');
    for (const one of scene.vaults) one.objects.set(`keys/${slotId(slot)}`, slot);
    await removeSlot(scene.vaults, scene.keys, slotId(slot));
    vault.objects.set(`keys/${slotId(slot)}`, slot);
    expect(await run()).toMatchObject({ vaults: [{ deleted: 1 }, { deleted: 0 }] });
    expect(vault.objects.has(`keys/${slotId(slot)}`)).toBe(false);
  });

  it('keeps in every vault what a point of any vault needs', async () => {
    const id = await point(1);
    for (const key of [`points/prod/${id}`]) scene.vaults[1]?.objects.delete(key);
    expect(await run({ grace: 0 })).toMatchObject({ marked: 0 });
  });

  it('does not touch what a lock holds, and takes it when the lock has ended', async () => {
    await leaveGarbage(1);
    vault.locks = true;
    vault.now = () => clock.now();
    const [pack] = [...vault.objects.keys()].filter((key) => key.startsWith('packs/'));
    vault.retained.set(pack ?? '', new Date(clock.now() + 10 * GRACE));
    expect(await run({ grace: 0 })).toMatchObject({ vaults: [{ deleted: 1, locked: 1, failed: [] }, { deleted: 2, locked: 0 }] });
    expect(vault.objects.has(pack ?? '')).toBe(true);
    expect(await run({ grace: 0 })).toMatchObject({ vaults: [{ locked: 1 }, {}] });
    clock.advance(10 * GRACE);
    expect(await run({ grace: 0 })).toMatchObject({ vaults: [{ deleted: 1, locked: 0 }, {}] });
    expect(vault.objects.has(pack ?? '')).toBe(false);
  });

  it('deletes nothing, and says so, when it cannot tell what a point needs', async () => {
    const [first, second] = [await point(1), await point(2)];
    await leaveGarbage(3);
    await run();
    clock.advance(GRACE);
    const packs = count('packs/');
    const refused = { code: 'LB_REPO_DAMAGED' };
    const good = vault.objects.get(`points/prod/${second}`) ?? new Uint8Array();
    for (const one of scene.vaults) one.objects.set(`points/prod/${second}`, good.subarray(0, 100));
    await expect(run()).rejects.toMatchObject(refused);
    for (const one of scene.vaults) one.objects.set(`points/prod/${second}`, good);
    for (const one of scene.vaults) one.objects.delete(`points/prod/${first}`);
    await expect(run()).rejects.toMatchObject({ ...refused, message: expect.stringContaining(first) as string });
    expect(count('packs/')).toBe(packs);
    expect(count('leases/')).toBe(0);
    await run({ despiteLost: true });
    expect(count('packs/')).toBe(packs - 1);
  });

  it('deletes nothing while a vault cannot be read', async () => {
    await point(1);
    await leaveGarbage(2);
    await run();
    clock.advance(GRACE);
    (scene.vaults[1] as MemoryVault).interfere = (operation) => {
      if (operation === 'list') throw new Error('away');
    };
    await expect(run()).rejects.toThrow('away');
    expect((await run({ vaults: [vault] })).vaults).toMatchObject([{ deleted: 2 }]);
  });

  it('goes on when another sweep deals with a mark while it looks at it', async () => {
    await point(1);
    await leaveGarbage(2);
    await run();
    // As a sweep that was killed leaves it: in the vaults, without a note that it is in all of them.
    const marks = (): string[] => [...vault.objects.keys()].filter((key) => /^marks\/[^.]+$/.test(key));
    for (const one of scene.vaults) for (const key of one.objects.keys()) if (key.endsWith('.seen')) one.objects.delete(key);
    const [mark = ''] = marks();
    let looks = 0;
    vault.interfere = (operation, key) => {
      // The first look is to know what is marked, the second whether what has the name is the mark.
      if (operation === 'get' && key === mark && ++looks === 2) vault.objects.delete(mark);
    };
    expect(await run()).toMatchObject({ vaults: [{ failed: [] }, { failed: [] }] });
    expect(looks).toBe(2);
    vault.interfere = undefined;
    clock.advance(2 * GRACE);
    for (let round = 0; round < 3; round++) await run({ grace: 0 });
    expect(await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' })).toMatchObject({ findings: [], unreferenced: 0 });
  });

  it('takes no mark for one that the maintain key did not sign, or that was put under another name, or put back', async () => {
    const id = await point(1);
    const needed = [...vault.objects.keys()].filter((key) => key.startsWith('packs/'));
    await leaveGarbage(2);
    const garbage = [...vault.objects.keys()].filter((key) => key.startsWith('packs/') && !needed.includes(key));
    const forged = encodeMark(0, garbage, { ...scene.keys, maintainKey: scene.keys.signingKey });
    const genuine = encodeMark(0, garbage, scene.keys);
    vault.objects.set(`marks/${forged.mark.name}`, forged.bytes);
    vault.objects.set(`marks/19700101T000000Z-${'0'.repeat(64)}`, genuine.bytes);
    const warnings: Warning[] = [];
    expect(await run({ onWarning: (warning) => warnings.push(warning) })).toMatchObject({ marked: 2, vaults: [{ deleted: 0 }, {}] });
    expect(warnings.map(({ kind }) => kind)).toEqual(['mark-unreadable', 'mark-unreadable']);
    // A mark that named the point's own packs before it came is dealt with; put back, it counts for nothing.
    const early = encodeMark(clock.now(), needed, scene.keys);
    for (const one of scene.vaults) one.objects.set(`marks/${early.mark.name}`, early.bytes);
    await run();
    const copies = [...vault.objects].filter(([key]) => key.startsWith('marks/'));
    clock.advance(GRACE);
    await run();
    for (const [key, bytes] of copies) vault.objects.set(key, bytes);
    await removeAt(id);
    clock.advance(GRACE);
    await run();
    expect(needed.every((key) => vault.objects.has(key))).toBe(true);
    expect([...vault.objects.keys()].filter((key) => key === `marks/${early.mark.name}`)).toEqual([]);
  });
});

describe('the lease of the sweep', () => {
  it('lets one sweep work at a time, and ends by itself when its holder dies', async () => {
    await leaveGarbage(1);
    vault.interfere = async (operation, key) => {
      if (operation !== 'put' || !key.startsWith('marks/')) return;
      vault.interfere = undefined;
      await expect(run()).rejects.toMatchObject({ code: 'LB_REPO_BUSY' });
      throw new Error('killed');
    };
    await expect(run()).rejects.toThrow('killed');
    // As a process that is killed leaves it.
    await Lease.take(vault, scene.keys, clock, undefined);
    await expect(run()).rejects.toMatchObject({ code: 'LB_REPO_BUSY' });
    clock.advance(HOUR);
    expect(await run()).toMatchObject({ waiting: 2 });
    expect(count('leases/')).toBe(0);
  });

  it('is free again five minutes after its holder was killed', async () => {
    await Lease.take(vault, scene.keys, clock, undefined);
    clock.advance(5 * 60_000 - 1);
    await expect(run()).rejects.toMatchObject({ code: 'LB_REPO_BUSY' });
    clock.advance(1);
    await run();
    expect(count('leases/')).toBe(0);
  });

  it('is given back by a sweep that is stopped as soon as it has it', async () => {
    await Lease.take(vault, scene.keys, clock, undefined);
    clock.advance(HOUR);
    const stop = new AbortController();
    vault.interfere = (operation, key) => {
      if (operation !== 'delete' || key !== leaseKey(1)) return;
      stop.abort(new LifeboatError('LB_INTERRUPTED', 'Ctrl-C'));
      stop.signal.throwIfAborted();
    };
    await expect(run({ signal: stop.signal })).rejects.toMatchObject({ code: 'LB_INTERRUPTED' });
    vault.interfere = undefined;
    await run();
    expect(count('leases/')).toBe(0);
  });

  it('is renewed while the sweep works, also after the vault could not be reached', async () => {
    await leaveGarbage(1);
    let failures = 0;
    let renewed = false;
    vault.interfere = async (operation, key) => {
      // Remembered: a renewal may be gone again, for the next one, before anybody looks.
      if (operation === 'put' && key === 'leases/sweep-0000000005') renewed = true;
      if (operation === 'put' && key === 'leases/sweep-0000000002' && failures++ === 0) throw new VaultError('LB_VAULT_UNAVAILABLE', 'a', 'away');
      if (operation !== 'put' || !key.startsWith('marks/') || renewed) return;
      await vi.waitUntil(() => renewed, { timeout: 60_000 });
      expect(count('leases/')).toBeLessThanOrEqual(2);
      await expect(run()).rejects.toMatchObject({ code: 'LB_REPO_BUSY' });
    };
    expect(await run({ lease: 30 })).toMatchObject({ marked: 2 });
    expect(failures).toBeGreaterThan(1);
    expect(count('leases/')).toBe(0);
  });

  it('ends a sweep that lost it to another', async () => {
    await leaveGarbage(1);
    const seen = Promise.withResolvers<void>();
    let others: string | undefined;
    vault.interfere = async (operation, key) => {
      if (operation === 'get' && key === others) setImmediate(seen.resolve);
      if (operation !== 'put' || !key.startsWith('marks/') || others !== undefined) return;
      // As after hours in which this one was halted.
      const generation = Number([...vault.objects.keys()].filter((name) => name.startsWith('leases/')).toSorted().at(-1)?.slice(-10)) + 1;
      others = leaseKey(generation);
      vault.objects.set(others, encodeLease({ generation, holder: 'aa'.repeat(8), takenAt: clock.now(), expiresAt: clock.now() + HOUR }, scene.keys));
      await seen.promise;
    };
    await expect(run({ lease: 30 })).rejects.toMatchObject({ code: 'LB_REPO_BUSY', where: expect.stringContaining('leases/sweep-') as string });
    // That of the other.
    expect([...vault.objects.keys()].filter((key) => key.startsWith('leases/'))).toEqual([others]);
    expect(count('marks/')).toBe(0);
  });

  it('is not held up by objects that the maintain key did not sign', async () => {
    for (let generation = 1; generation < 4; generation++) vault.objects.set(`leases/sweep-000000000${generation}`, Buffer.from('mine'));
    await run();
    expect(count('leases/')).toBe(3);
  });
});

describe('a backup', () => {
  it('does not build on what is marked', async () => {
    await point(1);
    await leaveGarbage(2);
    await run();
    const packs = count('packs/');
    await point(2);
    expect(count('packs/')).toBe(packs + 1);
    clock.advance(GRACE);
    await run();
    expectSame(await restore(scene), { all: madeUpList(30, { generation: () => 2 }) });
    expect(await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' })).toMatchObject({ findings: [], unreferenced: 0 });
  });

  it('builds on what was marked while the backup before it ran', async () => {
    const session = await (await openWriter({ vaults: scene.vaults, writeKey: writeKeyOf(scene.keys), clock })).begin('prod');
    const stream = session.records();
    for (const record of madeUpList(30)) await stream.write(record);
    const all = { ...(await stream.end()) };
    vault.interfere = async (operation, key) => {
      if (operation !== 'put' || !key.startsWith('points/')) return;
      vault.interfere = undefined;
      expect((await run()).marked).toBeGreaterThan(0);
    };
    await session.commit({ at: '2026-03-14T02:15:00.000Z', complete: true, manifest: { streams: { all } } });
    const packs = count('packs/');
    clock.advance(HOUR);
    await backUp(scene, { all: madeUpList(30) }, { clock });
    expect(count('packs/')).toBe(packs);
    clock.advance(GRACE);
    await run();
    expect(count('packs/')).toBe(packs);
    expect((await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' })).findings).toEqual([]);
  });

  it('that took too long is refused when what it needs was marked long ago, or is gone', async () => {
    for (const hours of [25, 80]) {
      const session = await (await openWriter({ vaults: scene.vaults, writeKey: writeKeyOf(scene.keys), clock })).begin('prod');
      const stream = session.records();
      for (const record of madeUpList(30, { generation: () => hours })) await stream.write(record);
      await stream.end();
      vault.interfere = async (operation, key) => {
        if (operation !== 'put' || !key.startsWith('index/')) return;
        vault.interfere = undefined;
        await run();
        clock.advance(hours * HOUR);
        if (hours > 48) await run();
      };
      await expect(session.commit({ at: '2026-03-14T02:15:00.000Z', complete: true, manifest: {} })).rejects.toMatchObject({ code: 'LB_BACKUP_TOO_LONG' });
    }
  });
});
