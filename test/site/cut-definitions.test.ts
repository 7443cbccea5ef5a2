import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectSite } from '../../src/site/connect.ts';
import type { SiteConnection } from '../../src/site/connect.ts';
import { cutSite } from '../../src/site/cut.ts';
import type { CutSummary, CutType } from '../../src/site/types.ts';
import { typeName } from '../../src/site/types.ts';
import type { FaultProxy } from '../testbed/fault-proxy.ts';
import type { Manifest } from '../testbed/kubernetes/api.ts';
import { startSite } from '../testbed/kubernetes/site.ts';
import type { Site } from '../testbed/kubernetes/site.ts';
import { BROKEN_CONVERSION, customType, kindOf } from './custom-type.ts';
import { GatheringSink } from './gather.ts';
import { proxyBefore } from './proxy.ts';

let site: Site;
let proxy: FaultProxy;
let connection: SiteConnection;
beforeAll(async () => {
  // ExternalName services as a way to an aggregated API: the only kind that may lead to loopback.
  site = await startSite({ controllers: false, apiServerArgs: ['--enable-aggregator-routing=false'] });
});
afterAll(async () => {
  await site.stop();
});
beforeEach(async () => {
  proxy = await proxyBefore(site);
  connection = await connectSite({ name: 'test', kubeconfig: await site.kubeconfigVia(proxy.url) });
});
afterEach(async () => {
  await connection.close();
  await proxy.close();
});

interface Cut {
  readonly sink: GatheringSink;
  readonly summary: CutSummary;
  type(name: string): CutType | undefined;
}

async function cut(): Promise<Cut> {
  const sink = new GatheringSink();
  const summary = await cutSite(connection, { sink });
  return { sink, summary, type: (name) => summary.types.find((type) => typeName(type) === name) };
}

const thing = (group: string, version: string, plural: string, name: string): Manifest => ({
  apiVersion: `${group}/${version}`,
  kind: kindOf(plural),
  metadata: { name, namespace: 'default' },
  spec: { name },
});

const definition = (group: string): string => `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.${group}`;

/** Lets something happen between discovery and the revision of the next cut. */
function beforeRevision(happens: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const until = (): Promise<void> => {
      const happening = happens();
      happening.then(resolve, reject);
      return happening;
    };
    proxy.inject({ when: ({ url }) => url.startsWith('/api/v1/namespaces?limit=1'), action: { do: 'hold', until } });
  });
}

/** What the API server answers to a list of the things of a group, in each of these versions. */
const answers = (group: string, ...versions: readonly string[]): Promise<number[]> =>
  Promise.all(versions.map(async (version) => (await site.api.send('GET', `/apis/${group}/${version}/things`)).status));

/** Deletes the definition of things. Resolves when it is gone, and nobody serves them any more. */
async function deleteDefinition(group: string): Promise<void> {
  await site.api.delete(definition(group));
  await expect.poll(async () => (await site.api.send('GET', definition(group))).status, { timeout: 60_000 }).toBe(404);
  await expect.poll(() => answers(group, 'v1'), { timeout: 60_000 }).toEqual([404]);
}

describe('custom types', () => {
  it('are read in the version they are stored in, even if the server prefers another', async () => {
    const group = 'stored.example';
    await site.api.apply([
      customType(group, 'things', [
        { name: 'v1', served: true, storage: true },
        { name: 'v2', served: true, storage: false },
      ], BROKEN_CONVERSION),
      thing(group, 'v1', 'things', 'a'),
    ]);
    const result = await cut();
    expect(result.type(`things.${group}`)).toMatchObject({ version: 'v1', kind: 'Thing', fidelity: 'exact', count: 1 });
    expect(result.sink.objects.get(`things.${group}`)?.[0]).toMatchObject({ apiVersion: `${group}/v1`, spec: { name: 'a' } });
  });

  it('are read in another version when the stored one is no longer served', async () => {
    const group = 'unserved.example';
    await site.api.apply([customType(group, 'things', [{ name: 'v1alpha1', served: true, storage: true }]), thing(group, 'v1alpha1', 'things', 'old')]);
    await site.api.apply([
      customType(group, 'things', [
        { name: 'v1alpha1', served: false, storage: true },
        { name: 'v1', served: true, storage: false },
      ]),
      thing(group, 'v1', 'things', 'new'),
    ]);
    const result = await cut();
    expect(result.type(`things.${group}`)).toMatchObject({ version: 'v1', fidelity: 'exact', count: 2 });
    expect(result.sink.names(`things.${group}`)).toEqual(['new', 'old']);
  });

  it('are read in whatever version can still be converted to', async () => {
    const group = 'broken.example';
    const versions = (stored: string): { name: string; served: boolean; storage: boolean }[] =>
      ['v1', 'v2'].map((name) => ({ name, served: true, storage: name === stored }));
    await site.api.apply([customType(group, 'things', versions('v1')), ...['a', 'b'].map((name) => thing(group, 'v1', 'things', name))]);
    // What is stored is v1, what is stored from now on is v2, and nobody can convert between them.
    await site.api.apply([customType(group, 'things', versions('v2'), BROKEN_CONVERSION)]);
    const result = await cut();
    expect(result.type(`things.${group}`)).toMatchObject({ version: 'v1', fidelity: 'exact', count: 2 });
    expect(result.sink.names(`things.${group}`)).toEqual(['a', 'b']);
  });

  it('are recorded as missing when no version can be read, and stop nothing else', async () => {
    const group = 'lost.example';
    const versions = (stored: string): { name: string; served: boolean; storage: boolean }[] =>
      ['v1', 'v2'].map((name) => ({ name, served: true, storage: name === stored }));
    await site.api.apply([customType(group, 'things', versions('v1')), thing(group, 'v1', 'things', 'a')]);
    const onlyNew = versions('v2').map((version) => ({ ...version, served: version.storage }));
    await site.api.apply([customType(group, 'things', onlyNew, BROKEN_CONVERSION)]);
    // The API server may go by the old definition a moment longer.
    const failing = expect.toSatisfy((status) => status >= 400) as number;
    await expect.poll(() => answers(group, 'v1', 'v2'), { timeout: 60_000 }).toEqual([404, failing]);
    const result = await cut();
    expect(result.type(`things.${group}`)).toMatchObject({ fidelity: 'missing', count: 0, reason: expect.stringMatching(/conver/) as string });
    expect(result.sink.objects.has(`things.${group}`)).toBe(false);
    expect(result.type('configmaps')).toMatchObject({ fidelity: 'exact' });
    // Mended, so that the type can be deleted and leaves other tests alone.
    await site.api.patch(definition(group), { spec: { conversion: { strategy: 'None', webhook: null } } });
    await deleteDefinition(group);
  });

  it('are found although they were defined after discovery', async () => {
    const group = 'late.example';
    const happened = beforeRevision(async () => {
      await site.api.apply([customType(group, 'things', [{ name: 'v1', served: true, storage: true }]), thing(group, 'v1', 'things', 'late')]);
    });
    const result = await cut();
    await happened;
    expect(result.type(`things.${group}`)).toMatchObject({ fidelity: 'exact', count: 1 });
  });

  it('are left out when they were gone by the revision', async () => {
    const group = 'gone.example';
    await site.api.apply([customType(group, 'things', [{ name: 'v1', served: true, storage: true }])]);
    await expect.poll(async () => (await cut()).type(`things.${group}`), { timeout: 60_000 }).toBeDefined();
    const happened = beforeRevision(() => deleteDefinition(group));
    const result = await cut();
    await happened;
    expect(result.type(`things.${group}`)).toBeUndefined();
    expect(result.sink.restarts).toBe(0);
  });

  it('make the cut start again when they disappear while it is made', async () => {
    const group = 'vanishing.example';
    await site.api.apply([customType(group, 'things', [{ name: 'v1', served: true, storage: true }]), thing(group, 'v1', 'things', 'a')]);
    proxy.inject({ when: ({ url }) => url.startsWith(`/apis/${group}/v1/things`), action: { do: 'hold', until: () => deleteDefinition(group) } });
    const result = await cut();
    expect(result.sink.restarts).toBe(1);
    expect(result.type(`things.${group}`)).toBeUndefined();
    expect(result.sink.names('customresourcedefinitions.apiextensions.k8s.io')).not.toContain(`things.${group}`);
  });
});

describe('aggregated APIs', () => {
  const apiService = (group: string, service: string, port = 443): Manifest => ({
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: `v1.${group}` },
    spec: {
      group,
      version: 'v1',
      groupPriorityMinimum: 1000,
      versionPriority: 10,
      insecureSkipTLSVerify: true,
      service: { name: service, namespace: 'default', port },
    },
  });

  it('that are down are recorded as missing, and stop nothing else', async () => {
    await site.api.apply([apiService('down.example', 'nobody'), apiService('metrics.k8s.io', 'nobody')]);
    const result = await cut();
    expect(result.summary.types.filter(({ fidelity }) => fidelity === 'missing')).toMatchObject([
      { group: 'down.example', version: 'v1', resource: '*', count: 0, reason: expect.any(String) as string },
    ]);
    expect(result.summary.skipped).toContainEqual({ group: 'metrics.k8s.io', resource: '*', reason: expect.stringMatching(/measurements/) as string });
    expect(result.sink.names('apiservices.apiregistration.k8s.io')).toContain('v1.down.example');
    for (const group of ['down.example', 'metrics.k8s.io']) await site.api.delete(`/apis/apiregistration.k8s.io/v1/apiservices/v1.${group}`);
  });

  it('are read as they are now, and said to be so: their revisions are another etcd\'s', async () => {
    // A second site serves the API for the first, and so keeps its objects at revisions of its own.
    const trusted = `--requestheader-client-ca-file=${join(site.folder, 'front-proxy-ca.crt')}`;
    await using other = await startSite({ controllers: false, apiServerArgs: [trusted] });
    const group = 'elsewhere.example';
    await other.api.apply([customType(group, 'things', [{ name: 'v1', served: true, storage: true }]), thing(group, 'v1', 'things', 'a')]);
    const way = { type: 'ExternalName', externalName: 'localhost', ports: [{ port: 443 }] };
    await site.api.apply([
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'other', namespace: 'default' }, spec: way },
      apiService(group, 'other', Number(new URL(other.url).port)),
    ]);
    const things = async (): Promise<CutType | undefined> => (await cut()).type(`things.${group}`);
    await expect.poll(things, { timeout: 60_000, interval: 300 }).toMatchObject({ fidelity: 'inconsistent', count: 1 });
    const result = await cut();
    expect(result.type(`things.${group}`)?.reason).toMatch(/aggregated API/);
    expect(result.sink.names(`things.${group}`)).toEqual(['a']);
    expect(result.type('configmaps')).toMatchObject({ fidelity: 'exact' });
  });
});
