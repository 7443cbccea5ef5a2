import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { identityOf } from '../../../src/drill/keeper/process-identity.ts';
import { run } from '../run.ts';
import type { Manifest } from './api.ts';
import { findComponents } from './components.ts';
import { startSite } from './site.ts';
import type { Site } from './site.ts';

async function kubectl(kubeconfig: string, ...args: string[]): Promise<string> {
  const { paths } = await findComponents(['kubectl']);
  // Its cache goes where the kubeconfig is, and with it.
  const env = { HOME: dirname(kubeconfig) };
  return await run(paths.get('kubectl') ?? '', [`--kubeconfig=${kubeconfig}`, ...args], { env });
}

function configMap(name: string, data: Record<string, string> = {}): Manifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
}

const DEFINITION: Manifest = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'boats.test.example' },
  spec: {
    group: 'test.example',
    names: { kind: 'Boat', plural: 'boats' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

describe('a site', () => {
  let site: Site;

  beforeAll(async () => {
    site = await startSite({ auditLog: true, scheduler: true });
  });
  afterAll(async () => {
    await site.stop();
  });

  it('is one that kubectl can use, over TLS that is checked', async () => {
    expect(await kubectl(site.kubeconfigPath, 'get', '--raw', '/readyz')).toBe('ok');
    expect(await kubectl(site.kubeconfigPath, 'config', 'current-context')).toBe(`${site.name}\n`);
    expect(await kubectl(site.kubeconfigPath, 'version')).toMatch(/Server Version: v1\.\d+/);
    const other = await site.kubeconfigVia(site.url.replace('127.0.0.1', 'localhost'));
    expect(await kubectl(other, 'auth', 'can-i', '*', '*')).toBe('yes\n');
  });

  it('has controllers and a scheduler that do their work', async () => {
    const labels = { app: 'web' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'none.example/web' }] } };
    await site.api.apply([
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web' },
        spec: { replicas: 2, selector: { matchLabels: labels }, template },
      },
    ]);
    await vi.waitFor(
      async () => {
        const pods = await site.api.list('/api/v1/namespaces/default/pods?labelSelector=app%3Dweb');
        expect(pods).toHaveLength(2);
        expect(JSON.stringify(pods.map((pod) => pod['status']))).toContain('no nodes available');
      },
      { timeout: 60_000, interval: 200 },
    );
  });

  it('refuses users what RBAC does not give them', async () => {
    await site.api.apply([
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name: 'reader' },
        rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list'] }],
      },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name: 'readers' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
        subjects: [
          { kind: 'Group', name: 'readers', apiGroup: 'rbac.authorization.k8s.io' },
          { kind: 'ServiceAccount', name: 'robot', namespace: 'default' },
        ],
      },
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } },
    ]);
    const robot = await site.kubeconfigForServiceAccount('default', 'robot');
    const reader = await site.kubeconfigFor({ user: 'ada', groups: ['readers'] });
    const nobody = await site.kubeconfigFor({ user: 'ada' });
    for (const kubeconfig of [robot, reader]) {
      expect(await kubectl(kubeconfig, 'get', 'configmaps', '-A', '-o', 'name')).toContain('kube-root-ca.crt');
      await expect(kubectl(kubeconfig, 'get', 'secrets', '-A')).rejects.toThrow(/Forbidden/);
    }
    await expect(kubectl(nobody, 'get', 'configmaps')).rejects.toThrow(/User "ada" cannot list/);
  });

  it('notes each request when asked to', async () => {
    await site.api.get('/api/v1/namespaces/kube-public');
    // It is noted after it was answered.
    const noted = '"requestURI":"/api/v1/namespaces/kube-public",';
    await vi.waitFor(async () => expect(await readFile(site.auditLogFile ?? '', 'utf8')).toContain(noted), { timeout: 60_000 });
  });

  it('can be filled by a client that waits for new kinds', async () => {
    const boat = { apiVersion: 'test.example/v1', kind: 'Boat', metadata: { name: 'one' }, spec: { oars: 2 } };
    const [, applied] = await site.api.apply([DEFINITION, boat]);
    expect(applied?.metadata.uid).toBeDefined();
    await site.api.createMany(Array.from({ length: 1200 }, (_, i) => configMap(`many-${i}`)));
    const listed = await site.api.list('/api/v1/namespaces/default/configmaps');
    const many = listed.filter(({ metadata }) => metadata.name?.startsWith('many-') === true);
    expect(many).toHaveLength(1200);
    expect(many[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });

    const path = await site.api.pathOf(configMap('many-0'));
    expect((await site.api.patch(path, { data: { a: 'b' } }))['data']).toEqual({ a: 'b' });
    await site.api.delete(path);
    await expect(site.api.get(path)).rejects.toMatchObject({ status: 404, reason: 'NotFound' });
    const boats = { ...boat, kind: 'Ship' };
    await expect(site.api.create(boats)).rejects.toThrow(/no Ship in test\.example\/v1/);
  });

  it('answers nothing while its API server is paused, and everything after', async () => {
    await site.pauseApiServer();
    const waiting = site.api.get('/api/v1/namespaces/default');
    const first = await Promise.race([waiting, new Promise((resolve) => setTimeout(resolve, 300, 'nothing'))]);
    expect(first).toBe('nothing');
    await site.resumeApiServer();
    expect((await waiting).metadata.name).toBe('default');
  });

  it('keeps its data when the API server is killed and started again', async () => {
    await site.api.create(configMap('kept', { a: 'b' }));
    await site.killApiServer();
    await expect(site.api.get('/readyz')).rejects.toThrow(/ECONNREFUSED|ECONNRESET|socket hang up/);
    await site.startApiServer();
    expect((await site.api.get('/api/v1/namespaces/default/configmaps/kept'))['data']).toEqual({ a: 'b' });
    expect(Object.keys(site.pids)).toHaveLength(4);
  });
});

describe('sites', () => {
  it('run side by side without knowing of each other, and leave nothing', async () => {
    const [a, b] = await Promise.all([startSite({ controllers: false, name: 'a' }), startSite({ controllers: false })]);
    const pids = [...Object.values(a.pids), ...Object.values(b.pids)];
    try {
      expect(pids).toHaveLength(4);
      expect(a.url).not.toBe(b.url);
      await a.api.create(configMap('only-a'));
      await expect(b.api.get('/api/v1/namespaces/default/configmaps/only-a')).rejects.toThrow(/not found/);

      await a.kill();
      expect(existsSync(a.folder)).toBe(false);
      await expect(a.api.get('/api/v1/namespaces/default')).rejects.toThrow(/ECONNREFUSED/);
      expect((await b.api.get('/api/v1/namespaces/default')).metadata.name).toBe('default');
    } finally {
      await Promise.all([a.stop(), b.stop()]);
    }
    expect([a.folder, b.folder].filter(existsSync)).toEqual([]);
    expect(pids.map(identityOf).filter((identity) => identity !== undefined)).toEqual([]);
  });

  it('that cannot start say why, and leave nothing', async () => {
    const failing = startSite({ controllers: false, apiServerArgs: ['--no-such-flag'] });
    await expect(failing).rejects.toThrow(/kube-apiserver ended before[^]*no-such-flag/);
    const stop = new AbortController();
    const stopped = startSite({ controllers: false, signal: stop.signal });
    stop.abort();
    await expect(stopped).rejects.toThrow(/abort/i);
  });

  it('run from KUBEBUILDER_ASSETS, as setup-envtest lays it out', async () => {
    const { paths } = await findComponents(['etcd', 'kube-apiserver']);
    const assets = await mkdtemp(join(tmpdir(), 'lifeboat-assets-test-'));
    vi.stubEnv('KUBEBUILDER_ASSETS', assets);
    try {
      for (const [name, path] of paths) await symlink(path, join(assets, name));
      await using site = await startSite();
      expect(site.note).toMatch(/has no kube-controller-manager/);
      expect((await site.api.list('/api/v1/serviceaccounts')).length).toBeGreaterThan(0);
    } finally {
      vi.unstubAllEnvs();
      await rm(assets, { recursive: true });
    }
  });
});

describe('the kubelet', () => {
  it('is in the same binary', async () => {
    const { paths } = await findComponents(['kubelet']);
    expect(await run(paths.get('kubelet') ?? '', ['--version'])).toMatch(/^Kubernetes v1\.\d+/);
  });
});
