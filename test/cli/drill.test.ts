import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { identityOf, isGone, parseIdentity } from '../../src/drill/keeper/process-identity.ts';
import { ensureControlPlane } from '../testbed/kubernetes/build.ts';
import { startSite } from '../testbed/kubernetes/site.ts';
import type { Site } from '../testbed/kubernetes/site.ts';
import { backupDocument, drillDocument, drillDryRunDocument, drillReportsDocument, errorDocument } from './documents.ts';
import { edit, furnish, makeHome } from './home.ts';
import type { Home } from './home.ts';

let site: Site;
let home: Home;
let env: Record<string, string>;
/** The folder for temporary files: a drill's own folder comes and goes in it. */
let temporary: string;
let point: string;

beforeAll(async () => {
  site = await startSite({ name: 'prod' });
  await furnish(site, 'shop');
  home = await makeHome(site);
  point = (await home.json(backupDocument, 0, ['backup'])).point.id;
  temporary = home.path('tmp');
  await mkdir(temporary);
  env = { KUBEBUILDER_ASSETS: await ensureControlPlane(), TMPDIR: temporary };
  const text = await readFile(home.path('lifeboat.yaml'), 'utf8');
  await writeFile(home.path('lifeboat.yaml'), text.replace(/(\n +vaults: \[near, far\]\n)/, '$1    objectives: {rpo: 1h, rto: 10m}\n    drill: {checks: [{name: sees the shop, command: [grep, -c, server, "$KUBECONFIG"]}]}\n').replace('"$KUBECONFIG"', 'kubeconfig'));
});

afterAll(async () => {
  await site?.stop();
  if (home !== undefined) await rm(home.folder, { recursive: true, force: true });
});

const left = async (): Promise<string[]> => (await readdir(temporary)).filter((name) => name.startsWith('lifeboat-'));

describe('lifeboat drill', () => {
  it('says what it would do, and starts and writes nothing', async () => {
    const { ok, point: chosen, rpo } = await home.json(drillDryRunDocument, 0, ['drill', '--dry-run'], { env: { TMPDIR: temporary } });
    expect({ ok, chosen: chosen.id, safe: chosen.safe, verdict: rpo.verdict }).toEqual({ ok: true, chosen: point, safe: true, verdict: 'met' });
    const words = await home.run(['drill', 'prod', '--dry-run', '--point', 'random']);
    expect(words.stdout).toMatch(new RegExp(`^would restore point ${point}, .*: safe, whole in (?:near, far|far, near)\n.*\nnothing was started or written\n$`));
    expect(existsSync(home.path('near/reports/drill'))).toBe(false);
  });

  it('restores, checks and measures, in words, as a document and as a page, and leaves nothing but the report', async () => {
    const { ok, id, kept, report } = await home.json(drillDocument, 0, ['drill', '--report', 'drill.html'], { env });
    expect({ ok, kept: kept.toSorted() }).toEqual({ ok: true, kept: ['far', 'near'] });
    expect(report).toMatchObject({ ok: true, plan: 'prod', site: 'prod', point: { id: point, chosen: 'newest' }, cluster: { removed: true }, rto: { objectiveSeconds: 600, verdict: 'met' }, rpo: { objectiveSeconds: 3600, verdict: 'met' } });
    expect(report.checks.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
    expect(report.checks.at(-1)).toMatchObject({ id: 'custom', title: 'sees the shop', outcome: 'passed' });
    const page = await readFile(home.path('drill.html'), 'utf8');
    expect(page).toContain(`reports/drill/${id}`);
    expect(page).toContain('✓ Passed');
    for (const secret of await home.secrets()) expect(page).not.toContain(secret);
    expect(existsSync(home.path(`near/reports/drill/${id}`)) && existsSync(home.path(`far/reports/drill/${id}`))).toBe(true);
    expect(await left()).toEqual([]);

    const words = await home.run(['drill', '--point', point.slice(0, 16)], { env });
    expect(words.code).toBe(0);
    expect(words.stdout).toMatch(new RegExp(`^drill of prod: point ${point}, safe, into a control plane of its own \\(Kubernetes v\\d`));
    expect(words.stdout).toMatch(/^passed {3}accepted +\d+$/m);
    expect(words.stdout).toMatch(/^recovery time {3}.* objective 10 min 00 s: met$/m);
    expect(words.stdout).toMatch(/\nthe drill passed\n$/);
    expect(words.stderr).toMatch(/^start +1 of 1 steps/m);
    expect(await left()).toEqual([]);
  });

  it('lists what earlier drills showed, and tells an edited report', async () => {
    const { reports } = await home.json(drillReportsDocument, 0, ['drill', '--reports']);
    expect(reports.length).toBeGreaterThan(0);
    expect(reports.every(({ report }) => report.ok)).toBe(true);
    const forged = await home.copy();
    const { id } = reports[0] ?? { id: '' };
    await edit(forged, `far/reports/drill/${id}`, '"ok":true', '"ok":"no"');
    const after = await forged.json(drillReportsDocument, 4, ['drill', '--reports']);
    expect(after.bad).toMatchObject([{ id, vault: 'far' }]);
    expect(after.reports.find((one) => one.id === id)?.vaults).toEqual(['near']);
    const words = await forged.run(['drill', '--reports']);
    expect(words.stdout).toMatch(/^forged {2}vault far, reports\/drill\//m);
  });

  it('ends with 4 when a check fails or an objective is missed, and names it', async () => {
    const strict = await home.copy();
    await edit(strict, 'lifeboat.yaml', /objectives: .*\n.*\n/, 'objectives: {rto: 1ms}\n    drill: {checks: [{name: never content, command: [sh, -c, "echo no; exit 7"]}]}\n');
    const { code, stdout } = await strict.run(['drill'], { env });
    expect(code).toBe(4);
    expect(stdout).toContain('failed   never content  1 of 1\n         it ended with 7\n');
    expect(stdout).toMatch(/^recovery time .* objective 0\.0 s: missed$/m);
    expect(stdout).toMatch(/\nthe drill failed\n$/);
  });

  it('refuses what makes no sense before it starts anything', async () => {
    expect((await home.json(errorDocument, 2, ['drill', '--into', 'nowhere'], { env })).error.code).toBe('LB_USAGE');
    expect((await home.json(errorDocument, 2, ['drill', 'none'], { env })).error.code).toBe('LB_USAGE');
    expect((await home.json(errorDocument, 2, ['drill', '--report', 'none/drill.html'], { env })).error.code).toBe('LB_USAGE');
    expect((await home.json(errorDocument, 1, ['drill', '--point', '2001'], { env })).error.code).toBe('LB_POINT_NOT_FOUND');
    expect((await home.json(errorDocument, 2, ['drill', '--into', 'prod'], { env })).error.code).toBe('LB_RESTORE_INTO_SOURCE');
    expect((await home.json(errorDocument, 2, ['drill'], { env: { ...env, KUBEBUILDER_ASSETS: temporary } })).error).toMatchObject({ code: 'LB_DRILL_ASSETS', where: temporary });
    expect(await left()).toEqual([]);
  });

  it('keeps the cluster until Ctrl-C when asked to', async () => {
    let output = '';
    const { code } = await home.run(['drill', '--keep'], {
      env,
      started: (child) => {
        child.stderr?.on('data', (text: Buffer) => {
          const asked = output.includes('Ctrl-C ends it');
          output += text.toString();
          // Once: a second one would end it at once, and leave the cluster.
          if (!asked && output.includes('Ctrl-C ends it')) child.kill('SIGINT');
        });
      },
    });
    expect(code).toBe(0);
    expect(output).toMatch(/^ {2}export KUBECONFIG=.*kubeconfig$/m);
    expect(await left()).toEqual([]);
  });

  it('leaves no process and no folder when it is killed in the middle', { timeout: 360_000 }, async () => {
    const doomed = await home.copy();
    await edit(doomed, 'lifeboat.yaml', /drill: .*\n/, 'drill: {checks: [{name: waits, timeout: 10m, command: [sh, -c, "sleep 1000 & echo $! > inner; wait"]}]}\n');
    let folder = '';
    const processes: NonNullable<ReturnType<typeof identityOf>>[] = [];
    let kill: () => void = () => undefined;
    const ended = doomed.run(['drill'], { env, started: (child) => (kill = () => child.kill('SIGKILL')) });
    await vi.waitFor(
      async () => {
        const [name = ''] = await left();
        folder = join(temporary, name);
        const inner = identityOf(Number(await readFile(join(folder, 'inner'), 'utf8')));
        const noted = (await readFile(join(folder, '.processes'), 'utf8')).trim().split('\n').map(parseIdentity);
        expect(noted).toHaveLength(4);
        if (inner === undefined) throw new Error('the check has not begun');
        processes.push(inner, ...noted.filter((identity) => identity !== undefined));
      },
      { timeout: 240_000, interval: 100 },
    );
    expect(processes.some(isGone)).toBe(false);
    kill();
    await ended;
    await vi.waitFor(
      () => {
        expect(processes.filter((identity) => !isGone(identity))).toEqual([]);
        expect(existsSync(folder)).toBe(false);
      },
      { timeout: 60_000 },
    );
  });

  it('leaves nothing when it is stopped in the middle', async () => {
    const { code } = await home.run(['drill'], {
      env,
      started: (child) => {
        void vi.waitFor(async () => {
          expect(await left()).toHaveLength(1);
          child.kill('SIGINT');
        }, { timeout: 110_000, interval: 50 });
      },
    });
    expect(code).toBe(130);
    expect(await left()).toEqual([]);
  });
});
