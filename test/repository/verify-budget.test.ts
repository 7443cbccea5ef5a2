import { beforeAll, describe, expect, it } from 'vitest';
import type { Warning } from '../../src/core/progress.ts';
import type { VerifyReport } from '../../src/repository/api.ts';
import { verify } from '../../src/repository/index.ts';
import type { BudgetOptions } from '../../src/repository/verify/budget.ts';
import type { MemoryVault } from '../support/memory-vault.ts';
import { backUp, flipBit, madeUpList, makeScene, testClock } from './scene.ts';
import type { Scene } from './scene.ts';

const REPORTS = 'reports/verify/';
const DAY = 86_400_000;

let made: Scene;
let clock: ReturnType<typeof testClock>;
beforeAll(async () => {
  made = await makeScene('a');
  clock = testClock();
  for (let generation = 0; generation < 6; generation++) {
    // All of it changes each time, so that no pack is needed by two points and none is like another.
    await backUp(made, { all: madeUpList(40 + 5 * generation, { generation: () => generation }) }, { clock });
    clock.advance(60_000);
  }
});

/** A copy of the vault, as it is after the six backups, and its own clock. */
function fresh(...names: readonly string[]): { readonly vaults: MemoryVault[]; readonly clock: ReturnType<typeof testClock> } {
  const own = testClock();
  own.advance(clock.now() - own.now() + DAY);
  const vaults = (names.length === 0 ? ['a'] : names).map((name) => (made.vaults[0] as MemoryVault).copy(name));
  return { vaults, clock: own };
}

const dataKeys = (vault: MemoryVault): string[] => [...vault.objects.keys()].filter((key) => /^(?:packs|index|rescue)\//.test(key));
const reportsIn = (vault: MemoryVault): string[] => [...vault.objects.keys()].filter((key) => key.startsWith(REPORTS));
const sizeOf = (vault: MemoryVault, keys: readonly string[]): number => keys.reduce((sum, key) => sum + (vault.objects.get(key)?.length ?? 0), 0);

interface Run {
  readonly report: VerifyReport;
  /** Packs, index objects and rescue files that were read. */
  readonly read: readonly string[];
  readonly warnings: readonly Warning[];
}

/** One verification within a budget; each takes place an hour after the one before. */
async function run({ vaults, clock: own }: ReturnType<typeof fresh>, budget: BudgetOptions | undefined, withKeys = true): Promise<Run> {
  own.advance(3_600_000);
  const read: string[] = [];
  const warnings: Warning[] = [];
  for (const vault of vaults) {
    vault.interfere = (operation, key) => {
      if (operation === 'get' && /^(?:packs|index|rescue)\//.test(key)) read.push(`${vault.name} ${key}`);
    };
  }
  const report = await verify({
    vaults,
    depth: 'data',
    remember: true,
    clock: own,
    onWarning: (warning) => warnings.push(warning),
    ...(budget !== undefined && { budget }),
    ...(withKeys && { keys: made.keys }),
  });
  // The contents of points are compared from what was read before; that reads some again.
  return { report, read: [...new Set(read)], warnings };
}

describe('verifying within a budget', () => {
  it('reads everything in as many runs as the budget needs, and then begins with what was read first', async () => {
    const scene = fresh();
    const [vault] = scene.vaults as [MemoryVault];
    const keys = dataKeys(vault);
    const largest = Math.max(...keys.map((key) => vault.objects.get(key)?.length ?? 0));
    const budget = { bytes: Math.ceil(sizeOf(vault, keys) / 4) + largest };
    const runs: Run[] = [];
    while (runs.flatMap(({ read }) => read).length < keys.length) runs.push(await run(scene, budget));
    expect(runs.length).toBeLessThanOrEqual(4);
    // No fewer than the bytes take: the rescue reader is most of them.
    expect(runs.length).toBeGreaterThanOrEqual(Math.ceil(sizeOf(vault, keys) / budget.bytes));
    expect(runs.length).toBeGreaterThan(1);
    for (const { report } of runs) {
      expect(report.findings).toEqual([]);
      expect(report.data?.bytes).toBeLessThanOrEqual(budget.bytes);
      expect(report.data?.totalObjects).toBe(keys.length);
    }
    const order = runs.flatMap(({ read }) => read);
    expect(new Set(order).size).toBe(keys.length);
    const again = await run(scene, budget);
    expect(again.read.every((key) => runs[0]?.read.includes(key) === true || runs[1]?.read.includes(key) === true)).toBe(true);
  });

  it('counts a vault as verified in full when all that its points need was read, and as of the oldest reading', async () => {
    const scene = fresh('a', 'b');
    const first = await run(scene, { share: 0.5 });
    const startedFirst = new Date(Math.floor(scene.clock.now() / 1000) * 1000).toISOString();
    const lastBackup = new Date(clock.now()).toISOString();
    for (const { lastVerified, fullyVerified = '' } of first.report.vaults) {
      expect(lastVerified).toBe(new Date(scene.clock.now()).toISOString());
      // Some of what the later points need was not read yet.
      expect(fullyVerified < lastBackup).toBe(true);
    }
    let last = first;
    for (let i = 0; i < 3 && last.report.vaults.some(({ fullyVerified = '' }) => fullyVerified < startedFirst); i++) last = await run(scene, { share: 0.5 });
    expect(last.report.vaults.map(({ fullyVerified }) => fullyVerified)).toEqual([startedFirst, startedFirst]);
  });

  it('reads at least one object, however small the budget', async () => {
    const scene = fresh();
    const seen = new Set<string>();
    for (let i = 0; i < 3; i++) for (const key of (await run(scene, { bytes: 1, ms: 0 })).read) seen.add(key);
    expect(seen.size).toBe(3);
  });

  it('begins nothing more when the time is over', async () => {
    const scene = fresh();
    const [vault] = scene.vaults as [MemoryVault];
    scene.clock.advance(3_600_000);
    let begun = 0;
    vault.interfere = (operation, key) => {
      if (operation !== 'get' || !/^(?:packs|index|rescue)\//.test(key)) return;
      begun++;
      scene.clock.advance(60_000);
    };
    const report = await verify({ vaults: [vault], depth: 'data', keys: made.keys, clock: scene.clock, budget: { ms: 100_000 } });
    // Three are read at the same time, and what was begun is finished.
    expect(report.data?.objects).toBeLessThanOrEqual(4);
    expect(begun).toBeGreaterThan(0);
    expect(report.findings).toEqual([]);
  });

  it('keeps one report in a vault, however often it runs', async () => {
    const scene = fresh();
    const [vault] = scene.vaults as [MemoryVault];
    for (let i = 0; i < 5; i++) {
      await run(scene, { share: 0.2 });
      expect(reportsIn(vault)).toHaveLength(1);
    }
  });

  it('goes by the newest report where old ones cannot be deleted', async () => {
    const scene = fresh();
    const [vault] = scene.vaults as [MemoryVault];
    const stored = vault.delete.bind(vault);
    vault.delete = () => Promise.reject(new Error('no right to delete'));
    const all: string[] = [];
    for (let i = 0; i < 4; i++) all.push(...(await run(scene, { share: 0.45 })).read);
    expect(new Set(all).size).toBe(dataKeys(vault).length);
    expect(reportsIn(vault)).toHaveLength(4);
    vault.delete = stored;
    await run(scene, { share: 0.3 });
    expect(reportsIn(vault)).toHaveLength(1);
  });

  it('takes two verifications that ran at the same time together', async () => {
    const scene = fresh();
    const [vault] = scene.vaults as [MemoryVault];
    const other = { vaults: [vault.copy('a')], clock: scene.clock };
    await run(scene, { share: 0.3 });
    await run(other, undefined);
    for (const key of reportsIn(other.vaults[0] as MemoryVault)) vault.objects.set(key, other.vaults[0]?.objects.get(key) ?? new Uint8Array());
    const { report } = await run(scene, { share: 0.3 });
    expect(reportsIn(vault)).toHaveLength(1);
    expect(report.vaults[0]?.fullyVerified).toBeDefined();
  });

  it('notices, when its turn comes, what was changed after it was read', async () => {
    const scene = fresh();
    const [vault] = scene.vaults as [MemoryVault];
    await run(scene, undefined);
    const [pack = ''] = dataKeys(vault).filter((key) => key.startsWith('packs/'));
    vault.objects.set(pack, flipBit(vault.objects.get(pack) ?? new Uint8Array(), 2000, 1));
    const found = [];
    for (let i = 0; i < 5 && found.length === 0; i++) found.push(...(await run(scene, { share: 0.3 })).report.findings);
    expect(found).toMatchObject([{ object: pack, kind: 'damaged' }]);
    // What is damaged has not been read intact: it comes first until it is.
    expect((await run(scene, { bytes: 1 })).read).toEqual([`a ${pack}`]);
  });
});

describe('a report that is not genuine changes nothing but what is read again', () => {
  const bytesOf = (vault: MemoryVault): [string, Uint8Array] => {
    const [key = ''] = reportsIn(vault);
    return [key, vault.objects.get(key) ?? new Uint8Array()];
  };

  it.each([
    ['an edited one', (bytes: Uint8Array) => Buffer.from(Buffer.from(bytes).toString('latin1').replace('"findings":0', '"findings":1'), 'latin1')],
    ['one with another coverage', (bytes: Uint8Array) => flipBit(bytes, bytes.length - 3, 0)],
    ['one cut short', (bytes: Uint8Array) => bytes.subarray(0, -1)],
    ['rubbish', () => Buffer.from('rubbish')],
  ])('%s', async (_, harm) => {
    const scene = fresh();
    const [vault] = scene.vaults as [MemoryVault];
    await run(scene, { share: 0.5 });
    const [key, bytes] = bytesOf(vault);
    vault.objects.set(key, harm(bytes));
    const { read, report, warnings } = await run(scene, { share: 0.5 });
    const untouched = await run(fresh(), { share: 0.5 });
    expect(read).toEqual(untouched.read);
    expect(report.findings).toEqual([]);
    expect(report.vaults[0]?.fullyVerified).toEqual(untouched.report.vaults[0]?.fullyVerified);
    expect(warnings).toMatchObject([{ kind: 'report-ignored' }]);
  });

  it('one that the write key signed', async () => {
    const scene = fresh();
    const [vault] = scene.vaults as [MemoryVault];
    await verify({ vaults: [vault], depth: 'data', remember: true, clock: scene.clock, keys: { ...made.keys, reportKey: made.keys.signingKey } });
    expect(reportsIn(vault)).toHaveLength(1);
    const { warnings, read } = await run(scene, { share: 0.5 });
    expect(warnings).toMatchObject([{ kind: 'report-ignored' }]);
    expect(read).toEqual((await run(fresh(), { share: 0.5 })).read);
  });

  it('one of another vault', async () => {
    const scene = fresh('a', 'b');
    const [a, b] = scene.vaults as [MemoryVault, MemoryVault];
    await run({ vaults: [a], clock: scene.clock }, undefined);
    const [key, bytes] = bytesOf(a);
    b.objects.set(key, bytes);
    const { report, warnings } = await run({ vaults: [b], clock: scene.clock }, { bytes: 1 });
    expect(report.vaults[0]?.fullyVerified).toBeUndefined();
    expect(warnings).toMatchObject([{ kind: 'report-ignored' }]);
  });

  it('one whose clock ran years ahead', async () => {
    const scene = fresh();
    const [vault] = scene.vaults as [MemoryVault];
    const ahead = testClock();
    ahead.advance(scene.clock.now() - ahead.now() + 4000 * DAY);
    await verify({ vaults: [vault], depth: 'data', remember: true, clock: ahead, keys: made.keys });
    const { report, read } = await run(scene, { share: 0.5 });
    expect(read).toEqual((await run(fresh(), { share: 0.5 })).read);
    expect(report.vaults[0]?.lastVerified).toBe(new Date(scene.clock.now()).toISOString());
  });
});

describe('without the read key', () => {
  it('goes by the reports that are there, and leaves none', async () => {
    const scene = fresh();
    const [vault] = scene.vaults as [MemoryVault];
    const first = await run(scene, { share: 0.5 });
    const kept = reportsIn(vault);
    const second = await run(scene, { share: 0.5 }, false);
    expect(second.read.filter((key) => first.read.includes(key))).toEqual([]);
    expect(reportsIn(vault)).toEqual(kept);
  });

  it('reads other objects each time, by chance, until all were read', async () => {
    const scene = fresh();
    const seen = new Set<string>();
    for (let i = 0; i < 60 && seen.size < dataKeys(scene.vaults[0] as MemoryVault).length; i++)
      for (const key of (await run(scene, { share: 0.4 }, false)).read) seen.add(key);
    expect(seen.size).toBe(dataKeys(scene.vaults[0] as MemoryVault).length);
  });
});
