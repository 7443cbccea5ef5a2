import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat, symlink } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createAuthority } from '../../src/drill/cluster/certificates.ts';
import { startControlPlane } from '../../src/drill/cluster/start.ts';
import { isGone, parseIdentity } from '../../src/drill/keeper/process-identity.ts';
import { createObject, getObject } from '../../src/site/apply.ts';
import { connectSite } from '../../src/site/connect.ts';
import type { SiteConnection } from '../../src/site/connect.ts';
import { ensureControlPlane } from '../testbed/kubernetes/build.ts';
import { startSite } from '../testbed/kubernetes/site.ts';

const CONFIG_MAPS = { group: '', version: 'v1', resource: 'configmaps', kind: 'ConfigMap' };
const WEBHOOKS = { group: 'admissionregistration.k8s.io', version: 'v1', resource: 'validatingwebhookconfigurations', kind: 'ValidatingWebhookConfiguration' };

let assets: string;
let parent: string;
beforeAll(async () => {
  assets = await ensureControlPlane();
  parent = await mkdtemp(join(tmpdir(), 'drill-test-'));
});
afterAll(async () => {
  await rm(parent, { recursive: true, force: true });
});

describe('a disposable control plane', () => {
  it('is a real one with controllers, in a folder of its own, and leaves nothing', async () => {
    const folder = await mkdtemp(join(parent, 'whole-'));
    const plane = await startControlPlane({ assets, folder });
    expect(plane.notRun).toEqual(['kube-scheduler', 'kubelet']);
    expect(plane.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const [own] = await readdir(folder);
    expect(plane.owned.path).toBe(join(folder, own ?? ''));
    expect((await stat(plane.owned.path)).mode & 0o777).toBe(0o700);
    expect((await stat(plane.kubeconfig)).mode & 0o777).toBe(0o600);
    // The controllers give every namespace its account.
    const accounts = { group: '', version: 'v1', resource: 'serviceaccounts', kind: 'ServiceAccount' };
    expect(await getObject(plane.connection, accounts, 'default', 'default')).toBeDefined();
    const connection = await connectSite({ name: 'again', kubeconfig: plane.kubeconfig });
    expect((await connection.request({ path: '/version', doing: 'get /version' })).status).toBe(200);
    await connection.close();
    await plane.close();
    await plane.close();
    expect(await readdir(folder)).toEqual([]);
  });

  it('runs without a controller manager where envtest brings none, and says so', async () => {
    const folder = await mkdtemp(join(parent, 'envtest-'));
    const bare = join(folder, 'assets');
    await mkdir(bare);
    for (const name of ['etcd', 'kube-apiserver']) await symlink(join(assets, name), join(bare, name));
    await using plane = await startControlPlane({ assets: bare, folder });
    expect(plane.notRun).toContain('kube-controller-manager');
  });

  it('is not started from a folder that lacks its programs', async () => {
    await expect(startControlPlane({ assets: parent })).rejects.toMatchObject({ code: 'LB_DRILL_ASSETS' });
  });

  it('says why it did not start, and leaves nothing', async () => {
    const folder = await mkdtemp(join(parent, 'broken-'));
    const broken = join(folder, 'assets');
    await mkdir(broken);
    await symlink(join(assets, 'etcd'), join(broken, 'etcd'));
    await symlink('/bin/false', join(broken, 'kube-apiserver'));
    await expect(startControlPlane({ assets: broken, folder })).rejects.toMatchObject({ code: 'LB_DRILL_CLUSTER', message: expect.stringMatching(/kube-apiserver ended before/) as unknown });
    expect(await readdir(folder)).toEqual(['assets']);
  });

  it('leaves nothing when its start is stopped', async () => {
    const folder = await mkdtemp(join(parent, 'stopped-'));
    const stop = new AbortController();
    const starting = startControlPlane({ assets, folder, signal: stop.signal });
    await vi.waitFor(async () => expect(await readdir(folder)).toHaveLength(1), { timeout: 60_000 });
    stop.abort(new Error('enough'));
    await expect(starting).rejects.toThrow('enough');
    expect(await readdir(folder)).toEqual([]);
  });

  it('is gone after the process that started it was killed with SIGKILL', async () => {
    const folder = await mkdtemp(join(parent, 'killed-'));
    const child = spawn(process.execPath, [fileURLToPath(new URL('drill.child.ts', import.meta.url)), assets, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    const line = await new Promise<string>((resolve, reject) => {
      child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString()));
      child.once('exit', (code) => reject(new Error(`it ended with ${code}`)));
    });
    const told = z.object({ folder: z.string(), processes: z.array(z.string()) }).parse(JSON.parse(line));
    const processes = told.processes.map((text) => parseIdentity(text)).filter((identity) => identity !== undefined);
    expect(processes).toHaveLength(3);
    expect(processes.some(isGone)).toBe(false);
    child.kill('SIGKILL');
    await vi.waitFor(
      () => {
        expect(processes.every(isGone)).toBe(true);
        expect(existsSync(told.folder)).toBe(false);
      },
      { timeout: 60_000 },
    );
  });
});

describe('the way out of a disposable control plane', () => {
  /** Registers a webhook at a server on loopback, writes an object, and tells whether the server was connected to. */
  async function webhookIsCalled(connection: SiteConnection): Promise<boolean> {
    const authority = createAuthority('outside');
    const { certificate, key } = authority.issue({ commonName: 'outside', usage: 'server', addresses: ['127.0.0.1'] });
    let called = false;
    const server = createServer({ cert: certificate, key }, (_request, response) => response.writeHead(500).end());
    server.on('connection', () => (called = true));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const webhook = {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingWebhookConfiguration',
        metadata: { name: 'outside' },
        webhooks: [
          {
            name: 'outside.example.com',
            clientConfig: { url: `https://127.0.0.1:${port}/`, caBundle: Buffer.from(authority.certificate).toString('base64') },
            rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
            sideEffects: 'None',
            admissionReviewVersions: ['v1'],
            failurePolicy: 'Fail',
            // Longer than this process, which answers it, may be halted.
            timeoutSeconds: 30,
          },
        ],
      };
      await createObject(connection, WEBHOOKS, '', JSON.stringify(webhook));
      // The API server takes a moment to notice it: from then on, what it cannot ask about is refused.
      await vi.waitFor(
        async () => {
          const name = `probe-${Date.now()}`;
          const made = createObject(connection, CONFIG_MAPS, 'default', JSON.stringify({ metadata: { name } }), { retry: false });
          await expect(made).rejects.toThrow(/webhook/);
        },
        { timeout: 60_000, interval: 100 },
      );
      return called;
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  it('is closed to webhooks, which every other API server calls', async () => {
    await using plane = await startControlPlane({ assets, folder: parent });
    expect(await webhookIsCalled(plane.connection)).toBe(false);

    await using site = await startSite({ controllers: false });
    const connection = await connectSite({ name: 'open', kubeconfig: site.kubeconfigPath });
    expect(await webhookIsCalled(connection)).toBe(true);
    await connection.close();
  });
});
