import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { SpareSite } from '../../src/drill/spare-target.ts';
import { connectSite } from '../../src/site/connect.ts';
import type { SiteConnection } from '../../src/site/connect.ts';
import { readKubeconfig } from '../../src/site/kubeconfig.ts';
import { createObject } from '../../src/site/apply.ts';
import type { KubeObject, Manifest } from '../testbed/kubernetes/api.ts';
import { startSite } from '../testbed/kubernetes/site.ts';
import type { Site } from '../testbed/kubernetes/site.ts';
import { SOUND } from './planted.ts';
import { failuresOf, makeDrillScene } from './scene.ts';
import type { DrillScene } from './scene.ts';

let scene: DrillScene;
let spare: Site;
let connection: SiteConnection;
let into: SpareSite;
beforeAll(async () => {
  [scene, spare] = await Promise.all([makeDrillScene(), startSite({ name: 'spare' })]);
  await scene.site.api.apply([
    ...SOUND,
    { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name: 'people' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' }, subjects: [{ kind: 'Group', name: 'people', apiGroup: 'rbac.authorization.k8s.io' }, { kind: 'ServiceAccount', name: 'runner', namespace: 'shop' }] },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'held', namespace: 'shop', finalizers: ['example.com/nobody-takes-it-off'] } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'in-default', namespace: 'default' } },
  ]);
  await scene.backUp();
  // What somebody else has in the spare site, some of it under names of the point.
  await spare.api.apply([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'others' } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'theirs', namespace: 'others' }, data: { a: 'b' } },
    { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'fast' }, provisioner: 'example.com/other' },
  ]);
  connection = await connectSite({ name: 'spare', kubeconfig: spare.kubeconfigPath });
  into = { name: 'spare', connection, access: await readKubeconfig([spare.kubeconfigPath]) };
});
afterAll(async () => {
  await connection.close();
  await spare.stop();
  await scene[Symbol.asyncDispose]();
});

/** Everything of the types that a drill could have left something of. */
async function contents(): Promise<string[]> {
  const lists = ['/api/v1/namespaces', '/api/v1/configmaps', '/api/v1/secrets', '/apis/apps/v1/deployments', '/apis/storage.k8s.io/v1/storageclasses', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations', '/apis/apiregistration.k8s.io/v1/apiservices'];
  const objects = (await Promise.all(lists.map((list) => spare.api.list(list)))).flat();
  // What a cluster makes and removes by itself, in its own time: in every namespace, and for every version of a definition.
  const isOwn = ({ metadata }: KubeObject): boolean => metadata.name === 'kube-root-ca.crt' || metadata.labels?.['kube-aggregator.kubernetes.io/automanaged'] !== undefined;
  return objects.filter((object) => !isOwn(object)).map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name ?? ''} ${metadata.uid ?? ''}`).toSorted();
}

describe('a drill into a spare site', () => {
  it('restores beside what is there, keeps it from acting, and takes away what it created and nothing else', async () => {
    const before = await contents();
    let during: Record<string, unknown> = {};
    const { report } = await scene.drill({
      into,
      checks: [{ name: 'sees the site', command: ['/bin/sh', '-c', 'grep -c current-context "$KUBECONFIG"'], timeoutMs: 60_000 }],
      inspect: async () => {
        const look = async (path: string): Promise<unknown> => spare.api.get(path);
        during = {
          namespace: await look('/api/v1/namespaces/shop'),
          deployment: await look('/apis/apps/v1/namespaces/shop/deployments/web'),
          claim: await look('/api/v1/namespaces/shop/persistentvolumeclaims/data'),
          binding: await look('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/people'),
          held: await look('/api/v1/namespaces/shop/configmaps/held'),
          class: await look('/apis/storage.k8s.io/v1/storageclasses/fast'),
        };
      },
    });
    expect(failuresOf(report)).toEqual([]);
    expect(report).toMatchObject({ ok: true, cluster: { kind: 'site', name: 'spare' } });
    const mark = { 'lifeboat-drill': expect.stringMatching(/^[0-9a-f]{12}$/) as unknown };
    expect(during).toMatchObject({
      namespace: { metadata: { labels: mark } },
      deployment: { metadata: { labels: mark }, spec: { template: { spec: { schedulerName: 'lifeboat-drill-none' } } } },
      claim: { spec: { volumeName: 'lifeboat-drill-none' } },
      binding: { subjects: [{ kind: 'ServiceAccount', name: 'runner' }] },
      class: { provisioner: 'example.com/other' },
    });
    expect(during['held']).not.toHaveProperty('metadata.finalizers');
    expect(during['class']).not.toHaveProperty('metadata.labels');
    await expect(spare.api.get('/api/v1/namespaces/default/configmaps/in-default')).rejects.toMatchObject({ status: 404 });
    expect(report.checks.find(({ id }) => id === 'differences')?.findings).toEqual([{ object: 'StorageClass fast', message: 'the spare site has its own of this name, which was left as it is', failure: false }]);
    expect(report.notChecked.join('\n')).toContain('default, kube-system');
    expect(await contents()).toEqual(before);
    expect(await readdir(scene.folder)).toEqual([]);
  });

  it('removes first what a drill left there that was killed', async () => {
    const before = await contents();
    const namespaces = { group: '', version: 'v1', resource: 'namespaces', kind: 'Namespace' };
    await createObject(connection, namespaces, '', JSON.stringify({ metadata: { name: 'shop', labels: { 'lifeboat-drill': '0123456789ab' } } }));
    const { report } = await scene.drill({ into });
    expect(failuresOf(report)).toEqual([]);
    expect(report.cluster.removed).toBe(true);
    expect(report.warnings.map(({ kind }) => kind)).not.toContain('drill-left');
    expect(await contents()).toEqual(before);
  });

  it('is refused where namespaces of the point are, and touches nothing', async () => {
    await spare.api.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }]);
    const before = await contents();
    await expect(scene.drill({ into })).rejects.toMatchObject({ code: 'LB_DRILL_SITE_USED', message: expect.stringContaining('shop') as unknown });
    expect(await contents()).toEqual(before);
    await spare.api.delete('/api/v1/namespaces/shop');
    // It goes when what is in it is gone: the next drill is not to meet it.
    await vi.waitUntil(async () => (await spare.api.send('GET', '/api/v1/namespaces/shop')).status === 404, { timeout: 60_000, interval: 100 });
    expect(await readdir(scene.folder)).toEqual([]);
  });

  it('is refused while another drill is at work there, and not when that one was killed a while ago', async () => {
    const lease = (ageMs: number): Manifest => ({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'lifeboat-drill', namespace: 'default' }, spec: { holderIdentity: 'another', leaseDurationSeconds: 600, renewTime: new Date(Date.now() - ageMs).toISOString().replace('Z', '000Z') } });
    await spare.api.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'of-another', labels: { 'lifeboat-drill': 'another' } } }, lease(1_000)]);
    await expect(scene.drill({ into })).rejects.toMatchObject({ code: 'LB_DRILL_SITE_BUSY' });
    expect(await contents()).toContainEqual(expect.stringContaining('/of-another '));
    await spare.api.apply([lease(1_200_000)]);
    const { report } = await scene.drill({ into });
    expect(failuresOf(report)).toEqual([]);
    expect(await contents()).not.toContainEqual(expect.stringContaining('/of-another '));
    await expect(spare.api.get('/apis/coordination.k8s.io/v1/namespaces/default/leases/lifeboat-drill')).rejects.toMatchObject({ status: 404 });
  });

  it('is refused where the point comes from', async () => {
    const own = await connectSite({ name: 'prod', kubeconfig: scene.site.kubeconfigPath });
    try {
      await expect(scene.drill({ into: { name: 'prod', connection: own } })).rejects.toMatchObject({ code: 'LB_RESTORE_INTO_SOURCE' });
    } finally {
      await own.close();
    }
  });
});
