import { mkdir, rename, rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSite } from '../testbed/kubernetes/site.ts';
import type { Site } from '../testbed/kubernetes/site.ts';
import { backupDocument, pointsDocument, replicateDocument, verifyDocument } from './documents.ts';
import { edit, furnish, makeHome } from './home.ts';
import type { Home } from './home.ts';

let site: Site;
/** With two vaults, `near` and `far`, and one recovery point. */
let home: Home;

beforeAll(async () => {
  site = await startSite({ name: 'prod', controllers: false });
  await furnish(site, 'shop');
  home = await makeHome(site);
  await home.json(backupDocument, 0, ['backup']);
});
afterAll(async () => {
  await site?.stop();
  if (home !== undefined) await rm(home.folder, { recursive: true, force: true });
});

/** A copy of the home with a third vault, new and empty. */
async function withThird(): Promise<Home> {
  const three = await home.copy();
  await edit(three, 'lifeboat.yaml', /^vaults:\n/m, 'vaults:\n  third:\n    type: directory\n    path: third\n');
  await edit(three, 'lifeboat.yaml', /vaults: \[near, far\]/, 'vaults: [near, far, third]');
  await mkdir(three.path('third'));
  return three;
}

describe('a backup with one of three vaults down', () => {
  it('is a safe point and a success, and replicate brings the vault level when it is back', async () => {
    const three = await withThird();
    const filled = await three.json(replicateDocument, 0, ['replicate']);
    expect(filled.runs).toMatchObject([{ plans: ['prod'], vaults: [{ name: 'third', state: 'level' }, { name: 'near' }, { name: 'far' }] }]);
    await rename(three.path('far'), three.path('away'));
    const { point, warnings = [], ...backup } = await three.json(backupDocument, 0, ['backup']);
    expect(backup).toMatchObject({ ok: true, safe: true, copies: 2, absent: ['far'], behind: [], failed: [] });
    expect(warnings.map(({ kind }) => kind)).toEqual(['vault-unavailable']);
    const words = await three.run(['backup']);
    expect(words.code).toBe(0);
    expect(words.stdout).toContain('; not in far\n  safe: in 2 of 3 vaults, 2 needed; `lifeboat replicate` brings the others level\n');

    await rename(three.path('away'), three.path('far'));
    const looked = await three.json(replicateDocument, 0, ['replicate', 'prod', '--dry-run']);
    expect(looked.runs[0]?.vaults).toMatchObject([{ name: 'third', state: 'level' }, { name: 'near', state: 'level' }, { name: 'far', state: 'behind', lacked: { points: 2 } }]);
    const replicated = await three.run(['replicate']);
    expect(replicated.code).toBe(0);
    expect(replicated.stdout).toMatch(/^VAULT +STATE +LACKED +COPIED\nthird +level +nothing +0 B\nnear +level +nothing +0 B\nfar +level +2 points, \d+ packs? +\d/);
    const { points } = await three.json(pointsDocument, 0, ['points']);
    expect(points).toHaveLength(3);
    for (const one of points) expect(one).toMatchObject({ safe: true, vaults: expect.arrayContaining(['near', 'far', 'third']) as string[] });
    expect(points.find(({ id }) => id === point.id)?.copies.map(({ state }) => state)).toEqual(['complete', 'complete', 'complete']);
    expect(await three.json(verifyDocument, 0, ['verify', '--data'])).toMatchObject({ findings: [] });
  });
});

describe('a backup with one of two vaults down', () => {
  it('keeps the point where it is, says that it is not safe, and exits with 3', async () => {
    const two = await home.copy();
    await rm(two.path('far'), { recursive: true });
    const { warnings = [], ...backup } = await two.json(backupDocument, 3, ['backup']);
    expect(backup).toMatchObject({ ok: false, safe: false, copies: 2, vaults: ['near'], absent: ['far'] });
    expect(warnings.map(({ kind }) => kind)).toEqual(['vault-unavailable', 'point-not-safe']);
    const { points } = await two.json(pointsDocument, 0, ['points']);
    expect(points.map(({ safe }) => safe)).toEqual([false, false]);
    const replicated = await two.json(replicateDocument, 3, ['replicate']);
    expect(replicated).toMatchObject({ ok: false, unopened: ['far'], runs: [] });
  });
});

describe('lifeboat points', () => {
  it('shows where a point is whole and where not, and exits with 4', async () => {
    const broken = await home.copy();
    await rm(broken.path('far/packs'), { recursive: true });
    const { ok, points } = await broken.json(pointsDocument, 4, ['points']);
    expect(ok).toBe(false);
    expect(points[0]).toMatchObject({ safe: false, copies: [{ vault: 'near', state: 'complete' }, { vault: 'far', state: 'partial', missing: expect.any(Number) as number }] });
    const words = await broken.run(['points']);
    expect(words.stdout).toMatch(/near, far \(partial: lacks \d+ packs?\)\n/);
    expect((await broken.run(['replicate'])).code).toBe(0);
    expect((await broken.run(['points'])).code).toBe(0);
  });
});

describe('lifeboat replicate', () => {
  it('fills an empty vault by addresses alone, without lifeboat.yaml or a key', async () => {
    const alone = await home.copy();
    await mkdir(alone.path('fresh'));
    for (const name of ['lifeboat.yaml', 'lifeboat-write.key', 'lifeboat-identity.txt']) await rm(alone.path(name));
    const { runs } = await alone.json(replicateDocument, 0, ['replicate', '--from', 'dir:near', '--to', 'dir:fresh']);
    expect(runs).toMatchObject([{ plans: [], vaults: [{ name: 'vault-2', state: 'level', lacked: { points: 1 } }] }]);
    const { points } = await alone.json(pointsDocument, 0, ['points', '--vault', 'dir:fresh']);
    expect(points).toMatchObject([{ copies: [{ state: 'complete' }] }]);
  });

  it('says what is damaged, takes it from elsewhere, and exits with 4', async () => {
    const three = await withThird();
    await three.run(['replicate', '--to', 'third']);
    await rm(three.path('third'), { recursive: true });
    await mkdir(three.path('third'));
    const { points } = await three.json(pointsDocument, 0, ['points']);
    await edit(three, `near/points/prod/${points[0]?.id}`, '"complete":true', '"complete":none');
    const { ok, runs } = await three.json(replicateDocument, 4, ['replicate', '--to', 'third', '--from', 'near', '--from', 'far']);
    expect(ok).toBe(false);
    expect(runs[0]).toMatchObject({ vaults: [{ name: 'third', state: 'level' }], problems: [{ vault: 'near', kind: 'damaged' }] });
  });
});
