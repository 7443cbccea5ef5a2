import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backup } from '../../src/pipeline/backup.ts';
import type { RestoreReport } from '../../src/pipeline/restore/report.ts';
import { restore } from '../../src/pipeline/restore/restore.ts';
import { connectSite } from '../../src/site/connect.ts';
import type { SiteConnection } from '../../src/site/connect.ts';
import type { StateSource } from '../../src/site/types.ts';
import { fillSite } from '../fixtures/fill.ts';
import { town } from '../fixtures/town.ts';
import { differencesTo, openPlace, troubles } from '../pipeline/scene.ts';
import type { Place } from '../pipeline/scene.ts';
import { proxyBefore } from '../site/proxy.ts';
import type { FaultAction, FaultProxy, InjectedFault, SeenRequest } from '../testbed/fault-proxy.ts';
import { randomOfTest } from './random.ts';
import type { Random } from './random.ts';
import { makeStore, stateIn } from './store.ts';
import type { Store } from './store.ts';

let folder: string;
let lost: Place;
let store: Store;
/** What is in the site that is backed up, once its controllers have done all they can. */
let source: StateSource;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-trouble-'));
  store = await makeStore(folder, { near: { type: 'directory', path: join(folder, 'near') } });
  lost = await openPlace({ name: 'lost', controllers: true });
  await fillSite(lost.site.api, town(0));
  const { point } = await backup({ connection: lost.connection, writer: store.writer, site: 'lost' });
  source = await stateIn(store.vaults, store.keys, point.header.id);
});
afterAll(async () => {
  await lost?.[Symbol.asyncDispose]();
  await store?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Answers are waited for briefly, so that one that never comes costs little, and longer than a busy machine needs for one. */
const ANSWER_MS = 4_000;
const connectVia = async (place: Place, proxy: FaultProxy): Promise<SiteConnection> =>
  connectSite({ name: place.site.name, kubeconfig: await place.site.kubeconfigVia(proxy.url), headersTimeoutMs: ANSWER_MS, bodyTimeoutMs: ANSWER_MS });

const status = (code: number, reason: string, message: string): string => JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message });
const isListPage = ({ method, url }: SeenRequest): boolean => method === 'GET' && url.includes('continue=');

/** All that may happen to a request; `part`: of how many of those it is for. */
const HARMS: readonly { readonly action: FaultAction; readonly part: number; readonly of?: (request: SeenRequest) => boolean }[] = [
  { action: { do: 'answer', status: 429, headers: { 'retry-after': '1' } }, part: 0.003 },
  { action: { do: 'answer', status: 429, body: status(429, 'TooManyRequests', 'the server is busy') }, part: 0.003 },
  { action: { do: 'answer', status: 500, body: status(500, 'InternalError', 'etcdserver: leader changed') }, part: 0.02 },
  { action: { do: 'answer', status: 503, body: '<html>no server is available</html>' }, part: 0.01 },
  { action: { do: 'answer', status: 504, body: status(504, 'Timeout', 'the request did not complete within 1s') }, part: 0.01 },
  { action: { do: 'answer', status: 410, body: status(410, 'Expired', 'The provided continue parameter is too old') }, part: 0.2, of: isListPage },
  { action: { do: 'refuse' }, part: 0.01 },
  { action: { do: 'lose-answer' }, part: 0.02 },
  { action: { do: 'hang' }, part: 0.005 },
  { action: { do: 'delay', ms: 300 }, part: 0.03 },
  { action: { do: 'harm-answer', body: { cutAfter: 200 } }, part: 0.02 },
];

/** Does harm to requests at random; each kind of harm so often at most. */
function storm(proxy: FaultProxy, random: Random, times: number): readonly InjectedFault[] {
  return HARMS.map(({ action, part, of = () => true }) => proxy.inject({ action, times, when: (request) => of(request) && random.next() < part }));
}

describe('when everything about an API server goes wrong', () => {
  it('a backup is made, and right', async () => {
    const random = randomOfTest();
    await using proxy = await proxyBefore(lost.site);
    const connection = await connectVia(lost, proxy);
    // Few requests make a backup: each kind of harm is likelier than in a restore.
    const faults = storm(proxy, { ...random, next: () => random.next() / 2 }, 6);
    const { point, summary } = await backup({ connection, writer: store.writer, site: 'lost' });
    await connection.close();
    expect(faults.reduce((sum, fault) => sum + fault.hits, 0)).toBeGreaterThan(3);
    expect(summary.types.filter(({ fidelity }) => fidelity !== 'exact')).toEqual([]);
    expect(await differencesTo(await stateIn(store.vaults, store.keys, point.header.id), lost)).toEqual([]);
  });

  it('a restore ends with nothing failed', { timeout: 300_000 }, async () => {
    const random = randomOfTest();
    await using target = await openPlace({ name: 'target', controllers: true });
    await using proxy = await proxyBefore(target.site);
    const connection = await connectVia(target, proxy);
    const faults = storm(proxy, random, 8);
    let restarting: Promise<void> | undefined;
    let pausing: Promise<void> | undefined;
    const report = await restore({
      source,
      target: connection,
      onProgress: ({ phase, done, total = 0 }) => {
        if (phase !== 'apply') return;
        if (done > 0.7 * total) restarting ??= target.site.killApiServer().then(() => target.site.startApiServer());
        if (done > 0.9 * total) pausing ??= restarting?.then(() => pause(target));
      },
    });
    await restarting;
    await pausing;
    await connection.close();
    expect(pausing).toBeDefined();
    expect(faults.reduce((sum, fault) => sum + fault.hits, 0)).toBeGreaterThan(20);
    expect(troubles(report)).toEqual([]);
    expect(report).toMatchObject({ ok: true, objects: { failed: 0, conflict: 0, unsupported: 0, kept: 0 } });
    // An API server killed while it created a Service keeps the node port taken: another is chosen, and said.
    const moved = report.warnings.filter(({ kind }) => kind === 'changed-for-target').map(({ where }) => `changed ${where} `);
    const unexpected = (await differencesTo(source, target)).filter((line) => !moved.some((start) => line.startsWith(start)) || !/^changed [^[]+\[\{"path":"spec\.ports\[\d+\]\.nodePort"[^}]+\}\]$/.test(line));
    expect(unexpected).toEqual([]);
  });
});

describe('when the answer to a creation is lost, and the same again is refused', () => {
  let target: Place;
  beforeAll(async () => {
    target = await openPlace({ name: 'target', controllers: false });
  });
  afterAll(() => target?.[Symbol.asyncDispose]());

  /** What comes of restoring one object whose creation is answered like this from the second time on. */
  async function restoreOne(object: string, collection: string, again?: FaultAction): Promise<RestoreReport> {
    await using proxy = await proxyBefore(target.site);
    const connection = await connectVia(target, proxy);
    const isCreation = ({ method, url }: SeenRequest): boolean => method === 'POST' && url.includes(`/${collection}?`);
    proxy.inject({ action: { do: 'lose-answer' }, when: isCreation });
    if (again !== undefined) proxy.inject({ action: again, when: isCreation, times: 1_000 });
    const report = await restore({ source, target: connection, options: { objects: [object] } });
    await connection.close();
    return report;
  }

  it.each([
    { because: 'its own node port is taken', object: 'Service/shop/shop-svc-0', collection: 'services' },
    {
      because: 'it has used up a quota itself',
      object: 'ServiceAccount/shop/runner',
      collection: 'serviceaccounts',
      again: { do: 'answer', status: 403, body: status(403, 'Forbidden', 'serviceaccounts "runner" is forbidden: exceeded quota: all') } as const,
    },
    {
      because: 'a webhook is up now',
      object: 'ServiceAccount/search/runner',
      collection: 'serviceaccounts',
      again: { do: 'answer', status: 500, body: status(500, 'InternalError', 'failed calling webhook "guard.example"') } as const,
    },
  ])('because $because, the object is found all the same', async ({ object, collection, again }) => {
    const report = await restoreOne(object, collection, again);
    expect(troubles(report)).toEqual([]);
    expect(report.objects).toMatchObject({ unchanged: 1, failed: 0 });
    expect(report.warnings.filter(({ kind }) => kind === 'changed-for-target')).toEqual([]);
  });
});

/** Lets the API server stop answering for longer than it is waited for. */
async function pause(place: Place): Promise<void> {
  await place.site.pauseApiServer();
  await new Promise((resolve) => setTimeout(resolve, ANSWER_MS + 2_000));
  await place.site.resumeApiServer();
}
