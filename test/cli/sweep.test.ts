import { readdir, rename, rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { errorDocument, pointsDocument, sweepDocument, verifyDocument } from './documents.ts';
import type { Home } from './home.ts';
import { keptHome } from './kept-home.ts';

const PROD = 'prod: {site: prod, vaults: [near, far], retention: {last: 1}}';
const DAYS = ['2026-03-12T10:00:00.000Z', '2026-03-13T10:00:00.000Z', '2026-03-14T10:00:00.000Z'];

/** A home with a point that counts, two that were removed, and leavings of a killed backup. */
async function sweptHome(): Promise<Home> {
  const { home, point, garbage } = await keptHome(PROD);
  for (const [i, day] of DAYS.entries()) await point('prod', day, i);
  await garbage();
  expect((await home.run(['retain'])).code).toBe(0);
  return home;
}

const inVault = async (home: Home, folder: string): Promise<string[]> => (await readdir(home.path(`near/${folder}`), { recursive: true }).catch((): string[] => [])).toSorted();
const packs = async (home: Home): Promise<number> => (await inVault(home, 'packs')).filter((name) => name.length > 60).length;

describe('lifeboat sweep', () => {
  it('says in a dry run what there is to free, and changes nothing', async () => {
    const home = await sweptHome();
    const before = await readdir(home.folder, { recursive: true });
    const looked = await home.json(sweepDocument, 0, ['sweep', '--dry-run']);
    // A pack and an index object were left; what removed points need stays for the grace period.
    expect(looked).toMatchObject({ dryRun: true, marked: 2, waiting: 2, vaults: [{ vault: 'near', deleted: 0 }, { vault: 'far', deleted: 0 }] });
    const all = await home.run(['sweep', '--dry-run', '--grace', '0']);
    expect(all.code).toBe(0);
    expect(all.stdout).toMatch(/^VAULT +WOULD BE DELETED +FREED +LOCKED +FAILED\nnear +\d+ +[\d.]+ kB +0 +0$/m);
    expect(await readdir(home.folder, { recursive: true })).toEqual(before);
  });

  it('marks first, deletes nothing before the grace period is over, and then all that is not needed', async () => {
    const home = await sweptHome();
    expect(await packs(home)).toBe(4);
    const first = await home.json(sweepDocument, 0, ['sweep']);
    expect(first).toMatchObject({ marked: 2, waiting: 2, vaults: [{ deleted: 0 }, { deleted: 0 }] });
    expect(Date.parse(first.next ?? '')).toBeGreaterThan(Date.now() + 47 * 3_600_000);
    const words = await home.run(['sweep']);
    expect(words.stdout).toMatch(/^0 objects newly marked; 2 objects to be deleted later, the first of them in 47 h 59 min$|^0 objects newly marked; 2 objects to be deleted later, the first of them in (?:1 d 23 h|2 d 0 h)$/m);
    expect(await packs(home)).toBe(4);
    // The removed points are only now no longer needed; their packs go with the next sweep, here at once.
    const second = await home.json(sweepDocument, 0, ['sweep', '--grace', '0']);
    for (const vault of second.vaults) expect(vault).toMatchObject({ locked: 0, failed: [] });
    expect(await packs(home)).toBe(1);
    expect(await home.json(sweepDocument, 0, ['sweep', '--grace', '0'])).toMatchObject({ marked: 0, waiting: 0, vaults: [{ deleted: 0, bytes: 0 }, { deleted: 0, bytes: 0 }] });
    expect(await home.json(verifyDocument, 0, ['verify', '--data'])).toMatchObject({ findings: [], unreferenced: 0 });
    expect((await home.json(pointsDocument, 0, ['points'])).points).toHaveLength(1);
  });

  it('leaves reports, key slots, tombstones, header and rescue files alone', async () => {
    const home = await sweptHome();
    expect((await home.run(['verify', '--data'])).code).toBe(0);
    const kept = async (): Promise<string[]> => (await Promise.all(['reports', 'keys', 'rescue', 'points'].map((folder) => inVault(home, folder)))).flat().filter((name) => !/^prod\/[^.]+$/.test(name));
    const before = await kept();
    expect(before.filter((name) => name.includes('verify/'))).toHaveLength(1);
    expect(before.filter((name) => name.endsWith('.removed'))).toHaveLength(2);
    for (let round = 0; round < 2; round++) expect((await home.run(['sweep', '--grace', '0'])).code).toBe(0);
    expect(await kept()).toEqual(before);
    expect(await inVault(home, 'leases')).toEqual([]);
  });

  it('run twice at once is done once, or by both to the same end', async () => {
    const home = await sweptHome();
    const both = await Promise.all([1, 2].map(() => home.run(['sweep', '--grace', '0', '--json'])));
    expect(both.map(({ code }) => code)).toContain(0);
    const refused = both.filter(({ code }) => code !== 0).map(({ stdout }) => errorDocument.parse(JSON.parse(stdout)).error.code);
    expect(refused.filter((code) => code !== 'LB_REPO_BUSY')).toEqual([]);
    expect((await home.run(['sweep', '--grace', '0'])).code).toBe(0);
    expect(await packs(home)).toBe(1);
    expect(await home.json(verifyDocument, 0, ['verify', '--data'])).toMatchObject({ findings: [], unreferenced: 0 });
  });

  it('killed leaves every point whole, and its lease, which the next one is told of', async () => {
    const home = await sweptHome();
    const killed = await home.run(['sweep', '--grace', '0'], { env: withLease('SIGKILL') });
    expect(killed.code).toBe(-2);
    expect(await home.json(verifyDocument, 0, ['verify', '--data'])).toMatchObject({ findings: [] });
    const { error } = await home.json(errorDocument, 1, ['sweep', '--grace', '0']);
    expect(error).toMatchObject({ code: 'LB_REPO_BUSY', message: expect.stringContaining('at the latest') as string, where: expect.stringContaining('leases/sweep-') as string });
    // As five minutes later.
    await rm(home.path('near/leases'), { recursive: true, force: true });
    await rm(home.path('far/leases'), { recursive: true, force: true });
    expect((await home.run(['sweep', '--grace', '0'])).code).toBe(0);
    expect(await packs(home)).toBe(1);
  });

  it('stopped by Ctrl-C gives its lease back', async () => {
    const home = await sweptHome();
    const stopped = await home.run(['sweep', '--grace', '0'], { env: withLease('SIGINT') });
    expect(stopped.code).toBe(130);
    expect(await inVault(home, 'leases')).toEqual([]);
    expect((await home.run(['sweep', '--grace', '0'])).code).toBe(0);
    expect(await home.json(verifyDocument, 0, ['verify', '--data'])).toMatchObject({ findings: [], unreferenced: 0 });
  });

  it('deletes nothing while a vault cannot be reached', async () => {
    const home = await sweptHome();
    await rename(home.path('far'), home.path('away'));
    const { error } = await home.json(errorDocument, 1, ['sweep', '--grace', '0']);
    expect(error).toMatchObject({ code: 'LB_VAULT_UNAVAILABLE', message: 'A sweep needs every vault: far cannot be reached' });
    expect(await packs(home)).toBe(4);
  });

  it('takes the maintain key, and a grace period that can be understood', async () => {
    const home = await sweptHome();
    expect((await home.json(errorDocument, 2, ['sweep', '--key-file', 'read.key'])).error.code).toBe('LB_KEY_ROLE');
    expect((await home.json(errorDocument, 2, ['sweep', '--grace', '2'])).error.code).toBe('LB_USAGE');
    expect(await packs(home)).toBe(4);
  });
});

/** The environment of a sweep that gets a signal as soon as it holds its lease. */
function withLease(signal: NodeJS.Signals): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--import=${new URL('signal-at.child.ts', import.meta.url).href}`, SIGNAL: signal, SIGNAL_AT: 'leases/' };
}
