/** A target that is slow, busy, failing or away for a while. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StateSource } from '../../src/site/types.ts';
import { connectSite } from '../../src/site/connect.ts';
import { restore } from '../../src/pipeline/restore/restore.ts';
import { startFaultProxy } from '../testbed/fault-proxy.ts';
import type { FaultProxy } from '../testbed/fault-proxy.ts';
import { configMap, namespace, object, openPlace, troubles } from './scene.ts';
import type { Place } from './scene.ts';

const COUNT = 120;
let from: Place;
let to: Place;
let proxy: FaultProxy;
/** The target through the proxy. */
let through: Place['connection'];
let source: StateSource;
let round = 0;
/** The namespace everything goes into; each test has its own. */
let ns = '';

beforeAll(async () => {
  [from, to] = await Promise.all([openPlace({ name: 'from', controllers: false }), openPlace({ name: 'to', controllers: false })]);
  const [ca, cert, key] = await Promise.all([to.site.caFile, to.site.certFile, to.site.keyFile].map((file) => readFile(file, 'utf8')));
  proxy = await startFaultProxy({ upstream: to.site.url, upstreamCa: ca, tls: { cert: cert ?? '', key: key ?? '' } });
  through = await connectSite({ name: 'to', kubeconfig: await to.site.kubeconfigVia(proxy.url) });
  await from.site.api.apply([namespace('shop')]);
  await from.site.api.createMany(Array.from({ length: COUNT }, (_, n) => configMap('shop', `settings-${n}`, { n: String(n) })));
  source = await from.cut({ namespaces: ['shop'] });
});
afterAll(async () => {
  await through.close();
  await proxy.close();
  await Promise.all([from, to].map((place) => place[Symbol.asyncDispose]()));
});
beforeEach(() => {
  proxy.clear();
  round += 1;
  ns = `shop-${round}`;
});

const isCreate = ({ method, url }: { readonly method: string; readonly url: string }): boolean => method === 'POST' && url.includes('/configmaps');
const restoreThrough = async (patienceMs = 30_000): ReturnType<typeof restore> => restore({ source, target: through, options: { renameNamespaces: { shop: ns }, patienceMs } });

describe('a restore', () => {
  it('slows down when the server is busy, for as long as it asks', async () => {
    const busy = proxy.inject({ action: { do: 'answer', status: 429, headers: { 'retry-after': '1' } }, when: isCreate, after: 20, times: 40 });
    const report = await restoreThrough();
    expect(troubles(report)).toEqual([]);
    expect(report.objects.created).toBe(COUNT + 1);
    expect(busy.hits).toBe(40);
  });

  it('tries again what the server failed to do', async () => {
    const status = JSON.stringify({ kind: 'Status', status: 'Failure', message: 'etcdserver: leader changed', reason: 'InternalError', code: 500 });
    proxy.inject({ action: { do: 'answer', status: 500, body: status }, when: isCreate, after: 10, times: 30 });
    proxy.inject({ action: { do: 'answer', status: 503 }, when: isCreate, after: 50, times: 20 });
    const report = await restoreThrough();
    expect(troubles(report)).toEqual([]);
    expect(report.objects.created).toBe(COUNT + 1);
  });

  it('knows its own objects again when answers get lost', async () => {
    proxy.inject({ action: { do: 'lose-answer' }, when: isCreate, after: 5, times: 15 });
    proxy.inject({ action: { do: 'refuse' }, when: isCreate, after: 60, times: 15 });
    const report = await restoreThrough();
    expect(troubles(report)).toEqual([]);
    expect(report.objects.created + report.objects.unchanged).toBe(COUNT + 1);
    expect(report.objects.kept).toBe(0);
  });

  it('gives up what is refused for good, without the rest', async () => {
    const forbidden = JSON.stringify({ kind: 'Status', status: 'Failure', message: 'configmaps is forbidden: User "x" cannot create resource "configmaps"', reason: 'Forbidden', code: 403 });
    proxy.inject({ action: { do: 'answer', status: 403, body: forbidden }, when: isCreate, times: 10_000 });
    const report = await restoreThrough(60_000);
    expect(report).toMatchObject({ ok: false, objects: { created: 1, failed: COUNT } });
    expect(report.failures[0]?.reason).toContain('cannot create resource');
  });

  it('outlives a restart of the API server in its middle', async () => {
    let killed: Promise<void> | undefined;
    const report = await restore({
      source,
      target: to.connection,
      options: { renameNamespaces: { shop: ns } },
      onProgress: ({ phase, done }) => {
        if (phase === 'apply' && done >= 30) killed ??= to.site.killApiServer().then(() => to.site.startApiServer());
      },
    });
    await killed;
    expect(killed).toBeDefined();
    expect(troubles(report)).toEqual([]);
    expect(report.objects.created + report.objects.unchanged).toBe(COUNT + 1);
  });

  it('stops when it is told to', async () => {
    const controller = new AbortController();
    proxy.inject({ action: { do: 'hang' }, when: isCreate, after: 20, times: 10_000 });
    const running = restore({
      source,
      target: through,
      options: { renameNamespaces: { shop: ns } },
      signal: controller.signal,
      onProgress: ({ phase, done }) => {
        if (phase === 'apply' && done >= 20) controller.abort(new Error('enough'));
      },
    });
    await expect(running).rejects.toThrow('enough');
  });

  it('says so when the target never answers', async () => {
    const nowhere = await connectSite({ name: 'nowhere', kubeconfig: await to.site.kubeconfigVia('https://127.0.0.1:9') });
    await expect(restore({ source, target: nowhere })).rejects.toMatchObject({ code: 'LB_SITE_UNREACHABLE' });
    await nowhere.close();
  });
});

it('objects that others own are linked although the patch failed at first', async () => {
  await from.site.api.apply([namespace('linked'), configMap('linked', 'z-owner')]);
  const owner = await from.find(configMap('linked', 'z-owner'));
  await from.site.api.apply([object('v1', 'ConfigMap', 'linked', 'a-child', {}, { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'z-owner', uid: owner?.metadata.uid }] })]);
  proxy.inject({ action: { do: 'answer', status: 500 }, when: ({ method }) => method === 'PATCH', times: 2 });
  const report = await restore({ source: await from.cut({ namespaces: ['linked'] }), target: through });
  expect(troubles(report)).toEqual([]);
  expect(report.ok).toBe(true);
});
