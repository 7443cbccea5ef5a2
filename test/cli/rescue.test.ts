import { execFile } from 'node:child_process';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { rescueReaderIn, runRescue } from '../repository/rescue.ts';
import { findComponents } from '../testbed/kubernetes/components.ts';
import { startSite } from '../testbed/kubernetes/site.ts';
import type { Site } from '../testbed/kubernetes/site.ts';
import { backupDocument, diffDocument } from './documents.ts';
import { furnish, makeHome, SITE_SECRET } from './home.ts';
import { emptyFolder } from './lifeboat.ts';

const run = promisify(execFile);
let site: Site;
let target: Site;

beforeAll(async () => {
  [site, target] = await Promise.all([startSite({ name: 'lost' }), startSite({ name: 'fresh' })]);
  await furnish(site, 'shop');
  await site.api.apply([
    {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'boats.harbour.example' },
      spec: {
        group: 'harbour.example',
        scope: 'Namespaced',
        names: { plural: 'boats', singular: 'boat', kind: 'Boat' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } }],
      },
    },
    { apiVersion: 'harbour.example/v1', kind: 'Boat', metadata: { name: 'anna', namespace: 'shop' }, spec: { tons: 12 }, status: { afloat: true } },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'shop' }, spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } },
    { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'small', namespace: 'shop' }, spec: { hard: { configmaps: '2' } } },
    { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'fast' }, provisioner: 'disk.example' },
    { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data', namespace: 'shop' }, spec: { storageClassName: 'fast', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
    {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'count', namespace: 'shop' },
      spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'count', image: 'example.invalid/count:1' }] } } },
    },
  ]);
});

afterAll(async () => {
  await Promise.all([site, target].map((one) => one?.stop()));
});

/** What the vault's instructions say between ``` and ```, and what stands for names there. */
function commandsIn(readme: string): readonly string[] {
  return [...readme.matchAll(/^```\n(.*?)^```$/gms)].map(([, commands = '']) => commands.trim());
}

it('a vault, Node, kubectl and a key bring the objects into another cluster, as the instructions in the vault say', async () => {
  const home = await makeHome(site);
  const { point } = await home.json(backupDocument, 0, ['backup']);
  const folder = await emptyFolder();
  await cp(home.path('far'), folder, { recursive: true });
  await cp(home.path('lifeboat-identity.txt'), join(folder, 'my-identity.txt'));
  const readme = (await readdir(join(folder, 'rescue'))).find((name) => name.endsWith('.md')) ?? '';
  const commands = commandsIn(await readFile(join(folder, 'rescue', readme), 'utf8'));
  const script = await rescueReaderIn(folder);
  const said = commands.flatMap((text) => text.split('\n')).filter((line) => line.startsWith('node rescue/'));
  expect(said.map((line) => line.split(' ')[2])).toEqual(['slots', 'list', 'verify', 'extract', 'extract']);

  const outputs: string[] = [];
  for (const line of said) {
    const [, program = '', ...args] = line.split(' ');
    expect(join(folder, program)).toBe(script);
    const { code, stdout, stderr } = await runRescue(script, folder, args);
    expect({ line, code }).toEqual({ line, code: 0 });
    outputs.push(stdout + stderr);
  }
  const [slots = '', list = '', verify = '', ...extracts] = outputs;
  expect(slots).toMatch(/^[0-9a-f]{12} {2}an age identity: --identity-file FILE \(AGE-SECRET-KEY-PQ-1…\)\n$/);
  expect(list).toContain(point.id);
  expect(verify).toContain('1 points read, 0 of them bad');
  expect(extracts.map((text) => /^\d+ objects of point (\S+)/.exec(text)?.[1])).toEqual([point.id, point.id]);
  const secret = await readFile(join(folder, 'objects', 'core', 'Secret', 'shop', 'db.json'), 'utf8');
  expect(JSON.parse(secret)).toMatchObject({ kind: 'Secret', metadata: { uid: expect.any(String) as string }, data: { password: Buffer.from(SITE_SECRET).toString('base64') } });

  // The loop of the instructions, with the kubectl there is.
  const loop = commands.find((text) => text.startsWith('for part in')) ?? '';
  const { paths } = await findComponents(['kubectl']);
  const script2 = `set -eu\nkubectl() { '${paths.get('kubectl')}' "$@"; }\n${loop.replaceAll('NEW', `'${target.kubeconfigPath}'`)}\n`;
  const applied = await run('bash', ['-c', script2], { cwd: folder, env: { HOME: folder, PATH: process.env['PATH'] } });
  expect(applied.stdout).toMatch(/configmap\/prices serverside-applied/);
  expect(applied.stdout).toMatch(/boat\.harbour\.example\/anna serverside-applied/);

  const diff = await home.json(diffDocument, 0, ['diff', 'latest', target.kubeconfigPath, '-n', 'shop']);
  expect(diff).toMatchObject({ equal: true, added: 0, removed: 0 });
  expect(diff.same).toBeGreaterThan(8);
});
