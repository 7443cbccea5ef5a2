import { readdir, rename } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { errorDocument, pointsDocument, removedPointsDocument, replicateDocument, retainDocument, verifyDocument } from './documents.ts';
import type { Home } from './home.ts';
import { keptHome } from './kept-home.ts';

const PROD = 'prod: {site: prod, vaults: [near, far], retention: {daily: 2}}';
const DAYS = ['2026-03-12T10:00:00.000Z', '2026-03-13T10:00:00.000Z', '2026-03-14T08:00:00.000Z', '2026-03-14T10:00:00.000Z'];

async function files(home: Home): Promise<string[]> {
  const found = await Promise.all(['near', 'far'].map(async (vault) => (await readdir(home.path(vault), { recursive: true })).map((name) => `${vault}/${name}`)));
  return found.flat().toSorted();
}

describe('lifeboat retain', () => {
  it('says in a dry run of each point why it stays or that it goes, and changes nothing', async () => {
    const { home, point } = await keptHome(PROD);
    const ids: string[] = [];
    for (const day of DAYS) ids.push(await point('prod', day));
    const before = await files(home);
    const { points, ...report } = await home.json(retainDocument, 0, ['retain', '--dry-run']);
    expect(report).toMatchObject({ ok: true, dryRun: true, locks: [], unopened: [] });
    expect(points.map(({ id, fate, reasons }) => [id, fate, reasons.toSorted().join()])).toEqual([
      [ids[0], 'goes', ''],
      [ids[1], 'kept', 'daily'],
      [ids[2], 'goes', ''],
      [ids[3], 'kept', 'daily,newest'],
    ]);
    const words = await home.run(['retain', '--dry-run']);
    expect(words.code).toBe(0);
    expect(words.stdout).toMatch(new RegExp(`^${ids[0]} .* prod +yes +goes +no rule keeps it$`, 'm'));
    expect(words.stdout).toMatch(/^2 points would stay, 2 points would be removed$/m);
    expect(await files(home)).toEqual(before);
    expect((await home.json(pointsDocument, 0, ['points'])).points).toHaveLength(4);
  });

  it('removes them in every vault, and the next run has nothing to do', async () => {
    const { home, point } = await keptHome(PROD);
    const ids: string[] = [];
    for (const day of DAYS) ids.push(await point('prod', day));
    const { points } = await home.json(retainDocument, 0, ['retain']);
    expect(points.filter(({ fate }) => fate === 'removed').map(({ id, removal }) => [id, removal?.vaults.toSorted().join()])).toEqual([[ids[0], 'far,near'], [ids[2], 'far,near']]);
    expect((await home.json(pointsDocument, 0, ['points'])).points.map(({ id }) => id)).toEqual([ids[1], ids[3]]);
    const again = await home.run(['retain']);
    expect(again.code).toBe(0);
    expect(again.stdout).toMatch(/^2 points kept, 0 points removed$/m);
    // What was removed is told of until it is swept, and afterwards too.
    const { removed } = await home.json(removedPointsDocument, 0, ['points', '--removed']);
    expect(removed).toMatchObject([ids[0], ids[2]].map((id) => ({ id, site: 'prod', reason: 'retention', vaults: ['near', 'far'], holding: ['near', 'far'] })));
    expect((await home.run(['sweep', '--grace', '0'])).code).toBe(0);
    expect((await home.json(removedPointsDocument, 0, ['points', '--removed', '--site', 'prod'])).removed.map(({ holding }) => holding)).toEqual([[], []]);
    expect((await home.run(['points', '--removed'])).stdout).toMatch(new RegExp(`^${ids[0]} +prod +\\S+ \\S+ ago +retention +none: swept$`, 'm'));
    expect(await home.json(verifyDocument, 0, ['verify', '--data'])).toMatchObject({ findings: [], vaults: [{ points: 2, intactPoints: 2 }, { points: 2, intactPoints: 2 }] });
  });

  it('goes by what every plan of a site says, and touches no other site than the plan’s', async () => {
    const { home, point } = await keptHome(
      'prod: {site: prod, vaults: [near, far], retention: {last: 1}}, archive: {site: prod, vaults: [near, far], retention: {yearly: 5}}, edge: {site: edge, vaults: [near], retention: {last: 1}}',
    );
    const old = await point('prod', '2024-05-01T00:00:00.000Z');
    const ids = [await point('prod', DAYS[2] ?? ''), await point('prod', DAYS[3] ?? ''), await point('edge', DAYS[2] ?? ''), await point('edge', DAYS[3] ?? '')];
    const { points } = await home.json(retainDocument, 0, ['retain', 'prod']);
    expect(points.map(({ id, fate, reasons }) => [id, fate, reasons.toSorted().join()])).toEqual([
      [old, 'kept', 'yearly'],
      [ids[0], 'removed', ''],
      [ids[1], 'kept', 'last,newest,yearly'],
    ]);
    expect((await home.json(pointsDocument, 0, ['points', '--site', 'edge'])).points).toHaveLength(2);
    const all = await home.json(retainDocument, 0, ['retain']);
    expect(all.points.filter(({ fate }) => fate === 'removed').map(({ id }) => id)).toEqual([ids[2]]);
    expect((await home.json(errorDocument, 2, ['retain', 'prd'])).error.hint).toBe('Did you mean `prod`?');
  });

  it('keeps everything of a site that any plan says nothing of', async () => {
    const { home, point } = await keptHome('prod: {site: prod, vaults: [near, far], retention: {last: 1}}, other: {site: prod, vaults: [near]}');
    for (const day of DAYS) await point('prod', day);
    const { points } = await home.json(retainDocument, 0, ['retain']);
    expect(points.map(({ fate, reasons }) => [fate, reasons.includes('everything')])).toEqual(DAYS.map(() => ['kept', true]));
  });

  it('does without a vault that is away, says so, and the removal gets there later', async () => {
    const { home, point } = await keptHome(PROD);
    for (const day of DAYS) await point('prod', day);
    await rename(home.path('far'), home.path('away'));
    const partly = await home.json(retainDocument, 3, ['retain']);
    expect(partly.unopened).toEqual(['far']);
    const removed = partly.points.filter(({ fate }) => fate === 'removed').map(({ id }) => `points/prod/${id}.removed`);
    expect(removed).toHaveLength(2);
    await rename(home.path('away'), home.path('far'));
    expect((await home.json(pointsDocument, 0, ['points'])).points).toHaveLength(2);
    const found = await home.json(verifyDocument, 4, ['verify']);
    expect(found.findings.map(({ vault, object, kind }) => [vault, object, kind])).toEqual(removed.map((object) => ['far', object, 'missing']));
    const healed = await home.json(verifyDocument, 0, ['verify', '--heal']);
    expect(healed.repairs).toMatchObject(removed.map((object) => ({ vault: 'far', object, outcome: 'healed', from: 'near' })));
    expect(await home.json(replicateDocument, 0, ['replicate'])).toMatchObject({ runs: [{ vaults: [{ state: 'level' }, { state: 'level' }] }] });
  });

  it('takes the maintain key, and no other', async () => {
    const { home, point } = await keptHome(PROD);
    for (const day of DAYS) await point('prod', day);
    const refused = await home.json(errorDocument, 2, ['retain', '--key-file', 'read.key']);
    expect(refused.error.code).toBe('LB_KEY_ROLE');
    expect((await home.json(pointsDocument, 0, ['points'])).points).toHaveLength(4);
  });
});
