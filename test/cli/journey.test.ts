import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { startSite } from '../testbed/kubernetes/site.ts';
import type { Site } from '../testbed/kubernetes/site.ts';
import {
  backupDocument,
  diffDocument,
  doctorDocument,
  errorDocument,
  objectDocument,
  objectsDocument,
  planDocument,
  pointsDocument,
  restoreDocument,
  showDocument,
  verifyDocument,
} from './documents.ts';
import { furnish, makeHome, SITE_SECRET } from './home.ts';
import type { Home } from './home.ts';

let site: Site;
let target: Site;
/** With one recovery point of the site. Tests may add points, and copy it to break things. */
let home: Home;
let first: string;

beforeAll(async () => {
  [site, target] = await Promise.all([startSite({ name: 'prod' }), startSite({ name: 'standby' })]);
  await furnish(site, 'shop');
  home = await makeHome(site);
  const backup = await home.json(backupDocument, 0, ['backup']);
  first = backup.point.id;
});

afterAll(async () => {
  await Promise.all([site, target].map((one) => one?.stop()));
  if (home !== undefined) await rm(home.folder, { recursive: true, force: true });
});

describe('lifeboat init', () => {
  it('writes a commented lifeboat.yaml and keys for their owner alone', async () => {
    const text = await readFile(home.path('lifeboat.yaml'), 'utf8');
    expect(text).toMatch(/^# yaml-language-server: \$schema=\S*lifeboat\.schema\.json\n/);
    expect(parse(text)).toEqual({
      version: 1,
      sites: { prod: { kubeconfig: site.kubeconfigPath, context: 'prod' } },
      vaults: { near: { type: 'directory', path: 'near' }, far: { type: 'directory', path: 'far' } },
      keys: { write: { file: 'lifeboat-write.key' }, read: { identityFile: 'lifeboat-identity.txt' } },
      plans: { prod: { site: 'prod', vaults: ['near', 'far'] } },
    });
    for (const name of ['lifeboat-write.key', 'lifeboat-identity.txt']) {
      expect((await stat(home.path(name))).mode & 0o777).toBe(0o600);
    }
  });
});

describe('lifeboat doctor', () => {
  it('finds nothing wrong with what init set up, in words and as a document', async () => {
    const { ok, findings } = await home.json(doctorDocument, 0, ['doctor']);
    expect(ok).toBe(true);
    expect(findings.filter((finding) => finding.status === 'fail')).toEqual([]);
    expect(findings.map(({ subject, check }) => `${subject} ${check}`)).toEqual(
      expect.arrayContaining(['site "prod" reachable', 'site "prod" clock', 'site "prod" rights', 'keys write-key', 'vault "near" exclusive', 'vault "far" repository', 'vault "far" read-key', 'vault "far" rescue']),
    );
    const words = await home.run(['doctor', 'prod']);
    expect(words.code).toBe(0);
    expect(words.stderr).toBe('');
    expect(words.stdout).toContain('\nok    site "prod": may list all');
    expect(words.stdout).toMatch(/\n\d+ checks: 0 failures, \d warnings?\n$/);
    const quiet = await home.run(['doctor', 'prod', '--quiet']);
    expect(quiet.stdout).not.toMatch(/^ok /m);
  });
});

describe('lifeboat backup', () => {
  it('costs little when little changed, and chains points', async () => {
    const { point, ok, vaults, notExact } = await home.json(backupDocument, 0, ['backup', 'prod']);
    expect({ ok, vaults: vaults.toSorted(), notExact }).toEqual({ ok: true, vaults: ['far', 'near'], notExact: [] });
    expect(point.previous.length).toBeGreaterThan(0);
    const { points } = await home.json(pointsDocument, 0, ['points']);
    expect(points.map(({ id }) => id)).toEqual(expect.arrayContaining([first, point.id]));
    const sizes = new Map(points.map((one) => [one.id, one.header?.stats.storedBytes ?? 0]));
    expect(sizes.get(point.id)).toBeLessThan(sizes.get(first) ?? 0);
  });

  it('says in words what it did, with progress on stderr', async () => {
    const { code, stdout, stderr } = await home.run(['backup']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^recovery point \d{8}T\d{6}Z-[0-9a-f]{8}\n {2}\d+ objects of \d+ types, .*\n {2}.* added to each vault: far, near\n {2}in .*\n$/);
    expect(stderr).toMatch(/^cut +\d+ of \d+ objects/m);
    // oxlint-disable-next-line no-control-regex -- that there are none is what is tested
    expect(stdout + stderr).not.toMatch(/\u001b/);
    const quiet = await home.run(['backup', '--quiet']);
    expect({ code: quiet.code, stderr: quiet.stderr }).toEqual({ code: 0, stderr: '' });
  });
});

describe('lifeboat show', () => {
  it('shows what a point holds', async () => {
    const { point, summary } = await home.json(showDocument, 0, ['show', first]);
    expect(point.id).toBe(first);
    expect(summary.types.find((type) => type.resource === 'deployments')?.count).toBe(1);
    const words = await home.run(['show', first.slice(0, 20)]);
    expect(words.stdout).toContain(`point     ${first}`);
    expect(words.stdout).toMatch(/^deployments\.apps +v1 +1 /m);
  });

  it('lists objects by namespace and type', async () => {
    const { objects } = await home.json(objectsDocument, 0, ['show', first, '--objects', '-n', 'shop', '-t', 'Secret', '-t', 'deployments.apps']);
    expect(objects).toEqual([
      { type: 'secrets', namespace: 'shop', name: 'db' },
      { type: 'deployments.apps', namespace: 'shop', name: 'web' },
    ]);
    const words = await home.run(['show', first, '--objects', '-n', 'shop', '-t', 'Secret']);
    expect(words.stdout).toBe('TYPE     NAMESPACE  NAME\nsecrets  shop       db\n');
    const { objects: whole } = await home.json(objectsDocument, 0, ['show', first, '--objects', '-n', 'shop']);
    expect(whole.filter(({ type }) => type === 'namespaces')).toEqual([{ type: 'namespaces', name: 'shop' }]);
  });

  it('shows one object, and the data of a Secret only when told to', async () => {
    const yaml = await home.run(['show', first, 'ConfigMap/shop/prices']);
    expect(parse(yaml.stdout)).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'prices' }, data: { bread: '3.20' } });
    expect(yaml.stdout).toContain('  bread: "3.20"\n');
    expect(yaml.stdout).not.toContain('managedFields');
    const managed = await home.run(['show', first, 'ConfigMap/shop/prices', '--managed-fields']);
    expect(parse(managed.stdout)).toMatchObject({ metadata: { managedFields: [{ operation: 'Apply' }] } });
    const document = await home.json(objectDocument, 0, ['show', first, 'ConfigMap/shop/prices']);
    expect(document).toMatchObject({ point: first, object: { kind: 'ConfigMap', data: { bread: '3.20' } } });
    const hidden = await home.run(['show', first, 'secrets/shop/db', '-o', 'json']);
    expect(JSON.parse(hidden.stdout)).toMatchObject({ kind: 'Secret', data: { password: '(hidden: --reveal shows it)' } });
    const revealed = await home.run(['show', first, 'Secret/shop/db', '--reveal', '-o', 'json']);
    expect(JSON.parse(revealed.stdout)).toMatchObject({ data: { password: Buffer.from(SITE_SECRET).toString('base64') } });
  });

  it('says that there is no such object, type or point', async () => {
    const object = await home.json(errorDocument, 1, ['show', first, 'ConfigMap/shop/price']);
    expect(object.error).toMatchObject({ code: 'LB_OBJECT_NOT_FOUND', where: `point ${first}` });
    const kind = await home.json(errorDocument, 1, ['show', first, 'ConfigMaps2/shop/price']);
    expect(kind.error.hint).toContain('ConfigMap');
    const point = await home.json(errorDocument, 1, ['show', '19990101T000000Z-00000000']);
    expect(point.error.code).toBe('LB_POINT_NOT_FOUND');
  });
});

describe('lifeboat verify', () => {
  it('finds nothing in vaults that are intact', async () => {
    const structure = await home.json(verifyDocument, 0, ['verify']);
    expect(structure).toMatchObject({ ok: true, findings: [], depth: 'structure' });
    const data = await home.json(verifyDocument, 0, ['verify', '--data', '--vault', 'far']);
    expect(data).toMatchObject({ ok: true, findings: [], depth: 'data-opened', vaults: [{ name: 'far' }] });
  });

  it('names what is missing, and exits with 4', async () => {
    const broken = await home.copy();
    await rm(broken.path('far/packs'), { recursive: true });
    const { ok, findings } = await broken.json(verifyDocument, 4, ['verify']);
    expect(ok).toBe(false);
    expect(findings[0]).toMatchObject({ vault: 'far', kind: 'missing' });
    expect(findings.flatMap((finding) => finding.points)).toContain(first);
    const words = await broken.run(['verify']);
    expect(words.stdout).toMatch(/^missing {2}vault far, packs\//m);
    const restored = await broken.run(['show', first, 'ConfigMap/shop/prices']);
    expect(restored.code).toBe(0);
  });

  it('goes through everything in parts, and then says since when all was read', async () => {
    const parts = await home.copy();
    expect((await parts.json(doctorDocument, 0, ['doctor'])).findings.filter(({ check }) => check === 'verified')).toMatchObject([{ status: 'warn' }, { status: 'warn' }]);
    const first = await parts.json(verifyDocument, 0, ['verify', '--sample', '60%']);
    expect(first.data?.objects).toBeLessThan(first.data?.totalObjects ?? 0);
    const before = await parts.json(pointsDocument, 0, ['points']);
    expect(before.verified.map(({ vault, last }) => [vault, typeof last])).toEqual([['near', 'string'], ['far', 'string']]);
    for (let i = 0; i < 3; i++) await parts.json(verifyDocument, 0, ['verify', '--budget', '1GB', '--for', '10m']);
    const { verified } = await parts.json(pointsDocument, 0, ['points']);
    expect(verified.every(({ full }) => full !== undefined)).toBe(true);
    expect((await parts.json(doctorDocument, 0, ['doctor'])).findings.filter(({ check }) => check === 'verified')).toMatchObject([{ status: 'ok' }, { status: 'ok' }]);
    expect((await parts.run(['points'])).stdout).toMatch(/^vault far verified: in full \d+ (?:s|min) ago, last \d+ (?:s|min) ago \(\S+ kB in \S+ s\)$/m);
  });

  it('heals one vault from the other', async () => {
    const broken = await home.copy();
    await rm(broken.path('far/packs'), { recursive: true });
    await writeFile(broken.path('far/lifeboat.json'), 'not a header');
    const dry = await broken.json(verifyDocument, 4, ['verify', '--heal', '--dry-run']);
    expect(new Set(dry.repairs?.map(({ vault, outcome, from }) => `${vault} ${outcome} ${from ?? ''}`))).toEqual(new Set(['far possible near']));
    const words = await broken.run(['verify', '--data', '--heal']);
    expect(words.code).toBe(0);
    expect(words.stdout).toMatch(/^healed {2}vault far, packs\/\S+ from vault near$/m);
    expect(words.stdout).toMatch(/everything that was wrong is healed\n$/);
    expect(await readFile(broken.path('far/lifeboat.json'))).toEqual(await readFile(home.path('far/lifeboat.json')));
    expect(await broken.json(verifyDocument, 0, ['verify', '--data', '--vault', 'far'])).toMatchObject({ findings: [] });
  });

  it('refuses what makes no sense', async () => {
    for (const args of [['--dry-run'], ['--budget', 'much'], ['--sample', '0%'], ['--sample', '101%'], ['--for', '5']]) {
      expect((await home.json(errorDocument, 2, ['verify', ...args])).error.code).toBe('LB_USAGE');
    }
  });

  it('does not pass over a vault that cannot be opened', async () => {
    const broken = await home.copy();
    await rm(broken.path('near'), { recursive: true });
    const { unopened } = await broken.json(verifyDocument, 4, ['verify']);
    expect(unopened).toEqual(['near']);
  });
});

describe('lifeboat restore', () => {
  const into = (namespace: string): string[] => ['--kubeconfig', target.kubeconfigPath, '-n', 'shop', '--map-namespace', `shop=${namespace}`];

  it('shows the plan and writes nothing', async () => {
    const { plan, ok } = await home.json(planDocument, 0, ['restore', first, '--plan', ...into('planned')]);
    expect(ok).toBe(true);
    const created = plan.entries.filter((entry) => entry.action === 'create' || entry.action === 'change').map((entry) => `${plan.types[entry.type]?.kind ?? ''}/${entry.name}`);
    expect(created).toEqual(expect.arrayContaining(['Namespace/planned', 'ConfigMap/prices', 'Secret/db', 'Deployment/web']));
    const words = await home.run(['restore', first, '--dry-run', ...into('planned')]);
    expect(words.stdout).toMatch(/^(?:create|change) +Deployment planned\/web/m);
    expect(words.stdout).toContain(`point ${first}`);
    await expect(target.api.get('/api/v1/namespaces/planned')).rejects.toMatchObject({ status: 404 });
  });

  it('brings a namespace back under another name, and diff finds no difference in what it brought', async () => {
    const report = await home.json(restoreDocument, 0, ['restore', first, '--yes', ...into('shop-copy')]);
    expect(report).toMatchObject({ ok: true, target: 'standby', failures: [], verify: { different: 0, missing: 0 } });
    const restored = await target.api.get('/api/v1/namespaces/shop-copy/configmaps/prices');
    expect(restored).toMatchObject({ data: { bread: '3.20', milk: '1.10' } });
    const again = await home.json(restoreDocument, 0, ['restore', first, '--yes', ...into('shop-copy')]);
    expect(again.objects['created']).toBe(0);
  });

  it('restores without lifeboat.yaml, from the address of a vault and a key', async () => {
    const elsewhere = await home.copy();
    await rm(elsewhere.path('lifeboat.yaml'));
    const args = ['restore', '--vault', 'dir:far', '--identity', 'lifeboat-identity.txt', '--kubeconfig', target.kubeconfigPath, '--yes'];
    const report = await elsewhere.json(restoreDocument, 0, [...args, '--object', 'ConfigMap/shop/prices', '--map-namespace', 'shop=bare']);
    expect(report.ok).toBe(true);
    await expect(target.api.get('/api/v1/namespaces/bare/configmaps/prices')).resolves.toMatchObject({ data: { milk: '1.10' } });
  });

  it('refuses the cluster the point was taken from, unless told so', async () => {
    const refused = await home.json(errorDocument, 2, ['restore', first, '--to', 'prod', '--yes']);
    expect(refused.error).toMatchObject({ code: 'LB_RESTORE_INTO_SOURCE', where: site.url });
    const allowed = await home.json(restoreDocument, 0, ['restore', first, '--to', 'prod', '--yes', '--into-source', '--object', 'ConfigMap/shop/prices']);
    expect(allowed.objects).toMatchObject({ created: 0 });
  });

  it('refuses a cluster of which it cannot be told whether it is the source, but shows the plan', async () => {
    await target.api.apply([
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'lister' }, rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['list'] }] },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name: 'lister' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'lister' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'lister' }],
      },
    ]);
    const lister = ['restore', first, '-n', 'shop', '--kubeconfig', await target.kubeconfigFor({ user: 'lister' })];
    const { error } = await home.json(errorDocument, 2, [...lister, '--yes']);
    expect(error).toMatchObject({ code: 'LB_RESTORE_INTO_SOURCE', where: target.url });
    expect(error.message).toContain('cannot be told');
    expect(error.hint).toContain('--into-source');
    await home.json(planDocument, 0, [...lister, '--plan']);
  });

  it('refuses names that the point does not have, and writes nothing', async () => {
    for (const wrong of [['-n', 'shpo'], ['-n', 'shop', '-t', 'secrts'], ['-n', 'shop', '--map-namespace', 'shpo=x']]) {
      const { error } = await home.json(errorDocument, 2, ['restore', first, '--yes', '--kubeconfig', target.kubeconfigPath, ...wrong]);
      expect(error.code).toBe('LB_USAGE');
      expect(error.hint).toMatch(/^Did you mean (?:shop|secrets)\?$/);
    }
    await expect(target.api.get('/api/v1/namespaces/shop')).rejects.toMatchObject({ status: 404 });
  });

  it('exits with 3 when workloads are not ready after --wait', async () => {
    const report = await home.json(restoreDocument, 3, ['restore', first, '--yes', '--wait', '1s', ...into('waited')]);
    expect(report).toMatchObject({ ok: false, failures: [], workloads: { notReady: ['Deployment waited/web'] } });
  });

  it('names what it left as it was', async () => {
    await target.api.apply([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kept' } },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'prices', namespace: 'kept' }, data: { bread: '9.99' } },
    ]);
    const report = await home.json(restoreDocument, 0, ['restore', first, '--yes', ...into('kept')]);
    expect(report.kept).toEqual([{ object: 'ConfigMap kept/prices', outcome: 'kept', reason: 'it is there and differs' }]);
    const words = await home.run(['restore', first, '--yes', ...into('kept')]);
    expect(words.stdout).toMatch(/1 kept as they are \(different\); --existing update .*\n {4}ConfigMap kept\/prices: /);
  });

  it('does nothing unasked: without a terminal it wants --yes, and always a target', async () => {
    const unasked = await home.run(['restore', first, '--kubeconfig', target.kubeconfigPath]);
    expect(unasked.code).toBe(2);
    expect(unasked.stderr).toContain('Look at the plan with --plan, then add --yes.');
    const aimless = await home.json(errorDocument, 2, ['restore', first, '--yes']);
    expect(aimless.error.hint).toContain('--kubeconfig FILE');
  });

  it('writes nothing at all when something differs and --existing fail is said', async () => {
    await target.api.apply([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'taken' } },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'prices', namespace: 'taken' }, data: { bread: '9.99' } },
    ]);
    const failed = await home.json(errorDocument, 1, ['restore', first, '--yes', '--existing', 'fail', ...into('taken')]);
    expect(failed.error.code).toBe('LB_RESTORE_CONFLICT');
    await expect(target.api.get('/api/v1/namespaces/taken/secrets/db')).rejects.toMatchObject({ status: 404 });
    await home.json(planDocument, 4, ['restore', first, '--plan', '--existing', 'fail', ...into('taken')]);
  });
});

describe('lifeboat diff', () => {
  it('finds no difference between a point and the site as it was', async () => {
    await furnish(site, 'still');
    await home.json(backupDocument, 0, ['backup']);
    const { equal, same } = await home.json(diffDocument, 0, ['diff', 'latest', 'site:prod', '-n', 'still']);
    expect(equal).toBe(true);
    expect(same).toBeGreaterThan(3);
    const words = await home.run(['diff', 'latest', site.kubeconfigPath, '-n', 'still']);
    expect(words.code).toBe(0);
    expect(words.stdout).toMatch(/no difference in \d+ objects\n$/);
  });

  it('shows what changed, exits with 4, and hides what is secret', async () => {
    await furnish(site, 'moving');
    const { point } = await home.json(backupDocument, 0, ['backup']);
    await site.api.patch('/api/v1/namespaces/moving/configmaps/prices', { data: { bread: '3.50' } });
    await site.api.patch('/api/v1/namespaces/moving/secrets/db', { data: { password: Buffer.from('another-secret').toString('base64') } });
    await site.api.delete('/apis/apps/v1/namespaces/moving/deployments/web');
    const { code, stdout } = await home.run(['diff', point.id, 'site:prod', '-n', 'moving']);
    expect(code).toBe(4);
    expect(stdout).toContain('~ ConfigMap moving/prices\n    data.bread\n      - "3.20"\n      + "3.50"\n');
    expect(stdout).toContain('~ Secret moving/db');
    expect(stdout).toContain('- Deployment moving/web');
    expect(stdout).not.toContain(Buffer.from(SITE_SECRET).toString('base64'));
    expect(stdout).not.toContain(Buffer.from('another-secret').toString('base64'));
  });

  it('refuses names that neither side has', async () => {
    const namespace = await home.json(errorDocument, 2, ['diff', first, 'site:prod', '-n', 'shpo']);
    expect(namespace.error).toMatchObject({ code: 'LB_USAGE', hint: 'Did you mean shop?' });
    const type = await home.json(errorDocument, 2, ['diff', first, 'site:prod', '-t', 'secrts']);
    expect(type.error).toMatchObject({ code: 'LB_USAGE', hint: 'Did you mean secrets?' });
  });

  it('says what a side may be when it is none', async () => {
    const { error } = await home.json(errorDocument, 2, ['diff', 'latest', 'prod']);
    expect(error).toMatchObject({ code: 'LB_USAGE', hint: 'Did you mean `site:prod`?' });
  });
});
