import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Warning } from '../../src/core/progress.ts';
import { connectSite } from '../../src/site/connect.ts';
import type { SiteConnection } from '../../src/site/connect.ts';
import { cutSite } from '../../src/site/cut.ts';
import type { CutSummary, CutType, Selection } from '../../src/site/types.ts';
import { typeName } from '../../src/site/types.ts';
import { collectionPath } from '../../src/site/url.ts';
import { fillSite } from '../fixtures/fill.ts';
import { town } from '../fixtures/town.ts';
import type { Manifest } from '../testbed/kubernetes/api.ts';
import { startSite } from '../testbed/kubernetes/site.ts';
import type { Site } from '../testbed/kubernetes/site.ts';
import { customType } from './custom-type.ts';
import { GatheringSink } from './gather.ts';
import { grant } from './rbac.ts';

let site: Site;
let connection: SiteConnection;
beforeAll(async () => {
  site = await startSite({ controllers: false });
  connection = await connectSite({ name: 'test', kubeconfig: site.kubeconfigPath });
  await fillSite(site.api, town(150));
});
afterAll(async () => {
  await connection.close();
  await site.stop();
});

interface Cut {
  readonly sink: GatheringSink;
  readonly summary: CutSummary;
  readonly warnings: readonly Warning[];
  type(name: string): CutType | undefined;
}

async function cut(selection: Selection = {}, through: SiteConnection = connection, pageSize = 20): Promise<Cut> {
  const sink = new GatheringSink();
  const warnings: Warning[] = [];
  const summary = await cutSite(through, { sink, selection, pageSize, onWarning: (warning) => warnings.push(warning) });
  return { sink, summary, warnings, type: (name) => summary.types.find((type) => typeName(type) === name) };
}

const configMap = (name: string, fields: Record<string, unknown> = {}, metadata: Record<string, unknown> = {}, namespace = 'default'): Manifest => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, ...metadata },
  ...fields,
});

/** Lists of built-in types leave these two out of their items. */
const withoutKind = (object: object): object => ({ ...object, apiVersion: '', kind: '' });

/** Every type that can be listed, found without the code under test: plain discovery, group by group. */
async function listable(): Promise<string[]> {
  const get = async (path: string): Promise<unknown> => JSON.parse((await site.api.send('GET', path)).body.toString());
  const { groups } = (await get('/apis')) as { groups: { versions: { groupVersion: string }[] }[] };
  const paths = ['/api/v1', ...groups.flatMap(({ versions }) => versions.map(({ groupVersion }) => `/apis/${groupVersion}`))];
  const names = new Set<string>();
  for (const path of paths) {
    const { resources } = (await get(path)) as { resources: { name: string; verbs: string[] }[] };
    const group = path.startsWith('/apis/') ? `.${path.split('/')[2] ?? ''}` : '';
    for (const { name, verbs } of resources) if (!name.includes('/') && verbs.includes('list')) names.add(`${name}${group}`);
  }
  return [...names];
}

/** Resolves when the API server has done what it does by itself after its start, and after new types were defined. */
async function untilAtRest(): Promise<void> {
  const look = async (): Promise<string> => {
    const { sink } = await cut({ excludeTypes: ['leases'] });
    return [...sink.objects.values()].flat().map(({ metadata }) => `${metadata.uid} ${metadata.resourceVersion}`).toSorted().join();
  };
  for (let before = ''; ; ) {
    const now = await look();
    if (now === before) return;
    before = now;
    await sleep(1_000);
  }
}

describe('a cut of everything', () => {
  it('has every object of every type that can be listed, as a plain list of a site at rest shows it', async () => {
    await untilAtRest();
    const { sink, summary, warnings } = await cut();
    const skipped = (summary.skipped ?? []).map(typeName);
    expect(skipped).toEqual(['componentstatuses', 'events.events.k8s.io']);
    expect([...summary.types.map(typeName), ...skipped].toSorted()).toEqual((await listable()).toSorted());
    for (const type of summary.types) {
      const listed = await site.api.list(collectionPath(type));
      const taken = sink.objects.get(typeName(type)) ?? [];
      expect(type).toMatchObject({ resource: type.resource, fidelity: 'exact', count: listed.length });
      // Leases change while this runs: everything else must be the same in every field.
      if (type.resource === 'leases') continue;
      expect(taken.map(withoutKind)).toEqual(listed.map(withoutKind));
    }
    expect(warnings).toEqual([]);
    expect(summary.types.map(typeName)).toEqual(expect.arrayContaining(['secrets', 'deployments.apps']));
  });

  it('says what it is a cut of', async () => {
    const before = Date.now();
    const { summary } = await cut({ types: ['namespaces'] });
    const system = await site.api.get('/api/v1/namespaces/kube-system');
    expect(summary).toMatchObject({ clusterUid: system.metadata.uid, selection: { types: ['namespaces'] } });
    expect(summary.kubernetesVersion).toMatch(/^v1\.\d+/);
    expect(Number(summary.revision)).toBeGreaterThan(0);
    expect(Date.parse(summary.at)).toBeGreaterThanOrEqual(before - 1);
    expect(Date.parse(summary.at)).toBeLessThanOrEqual(Date.now());
  });

  it('tells how far it is, and in the end all of it', async () => {
    const seen: { done: number; total: number | undefined }[] = [];
    const sink = new GatheringSink();
    const summary = await cutSite(connection, {
      sink,
      pageSize: 20,
      onProgress: ({ phase, done, total }) => phase === 'cut' && seen.push({ done, total }),
    });
    const objects = summary.types.reduce((sum, { count }) => sum + count, 0);
    expect(seen.at(-1)).toEqual({ done: objects, total: objects });
    expect(seen.length).toBeGreaterThan(3);
  });

  it('waits for a sink that is slow', async () => {
    const sink = new GatheringSink();
    sink.onObject = (count) => (count % 3 === 0 ? new Promise((resolve) => setTimeout(resolve, 1)) : undefined);
    const summary = await cutSite(connection, { sink, selection: { types: ['configmaps', 'clusterroles.rbac.authorization.k8s.io'] } });
    for (const type of summary.types) expect(sink.names(typeName(type))).toHaveLength(type.count);
  });

  it('fails with what its sink fails with, and stops', async () => {
    const sink = new GatheringSink();
    sink.onObject = (count) => (count === 5 ? Promise.reject(new Error('disk full')) : undefined);
    await expect(cutSite(connection, { sink })).rejects.toThrow('disk full');
  });

  it('ends promptly when its signal fires', async () => {
    const stop = new AbortController();
    const sink = new GatheringSink();
    sink.onObject = () => stop.abort(new Error('enough'));
    await expect(cutSite(connection, { sink, signal: stop.signal })).rejects.toThrow('enough');
  });
});

describe('a selection', () => {
  const many = Array.from({ length: 10 }, (_, index) => `many-${index}`);
  beforeAll(async () => {
    const names = ['sel-a', 'sel-b', 'sel-ab', 'other', ...many];
    await site.api.createMany(names.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })));
    await site.api.createMany(names.map((namespace) => configMap('here', {}, { labels: { app: 'shop', in: namespace } }, namespace)));
    await site.api.create(configMap('plain', {}, {}, 'sel-a'));
  });

  const places = ({ sink }: Cut): string[] => (sink.objects.get('configmaps') ?? []).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);

  it.each<[string, Selection, string[], string[]]>([
    ['namespaces by name', { namespaces: ['sel-b', 'sel-a'] }, ['sel-a/here', 'sel-a/plain', 'sel-b/here'], ['sel-a', 'sel-b']],
    ['namespaces by pattern', { namespaces: ['sel-*'], excludeNamespaces: ['*-b'] }, ['sel-a/here', 'sel-a/plain', 'sel-ab/here'], ['sel-a', 'sel-ab']],
    ['more namespaces than are listed one by one', { namespaces: many }, many.map((name) => `${name}/here`), many],
    ['labels in namespaces', { namespaces: ['sel-a', 'sel-b'], labels: 'app in (shop), in!=sel-b' }, ['sel-a/here'], ['sel-a', 'sel-b']],
    ['labels alone', { labels: 'in=sel-ab' }, ['sel-ab/here'], []],
    ['a namespace that does not exist', { namespaces: ['absent'] }, [], []],
  ])('of %s', async (_, selection, configMaps, namespaces) => {
    const result = await cut(selection);
    expect(places(result)).toEqual(configMaps);
    expect(result.sink.names('namespaces')).toEqual(namespaces);
    // Cluster-scoped objects are left out, but for the namespaces themselves.
    expect(result.summary.types.filter((type) => !type.namespaced).map(typeName)).toEqual(namespaces.length > 0 || selection.namespaces ? ['namespaces'] : []);
  });

  it('leaves namespaces out and keeps the rest', async () => {
    const result = await cut({ excludeNamespaces: ['sel-*', 'kube-*', 'many-*'] });
    expect(places(result).filter((place) => /^(sel|many)-/.test(place))).toEqual([]);
    expect(places(result)).toContain('other/here');
    expect(result.sink.names('namespaces')).not.toContain('sel-a');
    expect(result.type('clusterroles.rbac.authorization.k8s.io')?.count).toBeGreaterThan(10);
  });

  it('takes only some types, and says when a pattern matches none', async () => {
    const result = await cut({ types: ['configmaps', 'Role', 'secrts'] });
    expect(result.summary.types.map(typeName)).toEqual(['configmaps', 'roles.rbac.authorization.k8s.io']);
    expect(result.warnings).toMatchObject([{ kind: 'selection-matches-nothing', message: expect.stringContaining('secrts') as string }]);
  });
});

describe('odd objects', () => {
  const exactly = async (result: Cut, type: string, path: string): Promise<void> => {
    const object = await site.api.get(path);
    const taken = result.sink.objects.get(type)?.find(({ metadata }) => metadata.uid === object.metadata.uid);
    expect(taken === undefined ? undefined : withoutKind(taken)).toEqual(withoutKind(object));
  };

  it('keeps every character and byte that Kubernetes permits', async () => {
    const characters = Array.from({ length: 0x3000 }, (_, code) => String.fromCodePoint(code)).join('');
    const binary = Buffer.from(Uint8Array.from({ length: 256 }, (_, byte) => byte)).toString('base64');
    const longest = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(70)}`;
    const data = { 'a.b-c_D': characters, empty: '', json: '{"items":[{"a":"\\"}"]', emoji: '😀\u2028\uFFFF' };
    await site.api.create(configMap(longest, { data, binaryData: { bytes: binary } }));
    const roleName = 'odd: "name" with {braces}, [brackets], \\backslash, ü and 😀';
    await site.api.create({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: roleName }, rules: [] });
    const result = await cut({}, connection, 7);
    await exactly(result, 'configmaps', `/api/v1/namespaces/default/configmaps/${longest}`);
    const role = `/apis/rbac.authorization.k8s.io/v1/clusterroles/${encodeURIComponent(roleName)}`;
    await exactly(result, 'clusterroles.rbac.authorization.k8s.io', role);
    expect(result.sink.objects.get('configmaps')?.find(({ metadata }) => metadata.name === longest)?.data?.['a.b-c_D']).toBe(characters);
  });

  it('keeps objects as large as etcd takes them', async () => {
    await site.api.apply([customType('big.odd.example', 'bigs', [{ name: 'v1', served: true, storage: true }])]);
    const names = ['a', 'b', 'c', 'd'];
    const textOf = (name: string): string => `${name}"\\`.repeat(295_000);
    const big = (name: string): Manifest => ({
      apiVersion: 'big.odd.example/v1',
      kind: 'Big',
      metadata: { name, namespace: 'default' },
      spec: { text: textOf(name) },
    });
    await site.api.createMany(names.map(big), 2);
    const result = await cut({ types: ['bigs.big.odd.example'] }, connection, 3);
    expect(result.type('bigs.big.odd.example')).toMatchObject({ count: 4, fidelity: 'exact' });
    expect(result.type('bigs.big.odd.example')?.bytes).toBeGreaterThan(4 * 1_450_000);
    expect(result.sink.objects.get('bigs.big.odd.example')?.map(({ spec }) => spec?.['text'])).toEqual(names.map(textOf));
  });

  it('keeps objects that are being deleted, with what keeps them', async () => {
    await site.api.create(configMap('leaving', {}, { finalizers: ['example.com/not-yet'] }));
    await site.api.delete('/api/v1/namespaces/default/configmaps/leaving');
    const { sink } = await cut({ types: ['configmaps'] });
    const leaving = sink.objects.get('configmaps')?.find(({ metadata }) => metadata.name === 'leaving');
    expect(leaving?.metadata).toMatchObject({ finalizers: ['example.com/not-yet'], deletionTimestamp: expect.any(String) as string });
  });
});

describe('rights', () => {
  it('fails when nothing may be read', async () => {
    const nobody = await connectSite({ name: 'test', kubeconfig: await site.kubeconfigFor({ user: 'nobody' }) });
    await expect(cut({}, nobody)).rejects.toMatchObject({ code: 'LB_SITE_ACCESS' });
    await nobody.close();
  });

  it('records what may not be read, and reads the rest', async () => {
    await site.api.apply(grant('some', [{ apiGroups: ['', 'apps'], resources: ['configmaps', 'namespaces', 'deployments'], verbs: ['list'] }]));
    const some = await connectSite({ name: 'test', kubeconfig: await site.kubeconfigFor({ user: 'some' }) });
    const result = await cut({}, some);
    await some.close();
    expect(result.summary.types.filter(({ fidelity }) => fidelity === 'exact').map(typeName)).toEqual(['configmaps', 'namespaces', 'deployments.apps']);
    expect(result.type('secrets')).toMatchObject({ fidelity: 'missing', count: 0, reason: expect.stringMatching(/list secrets/) as string });
    expect(result.summary.clusterUid).toBe('');
    expect(result.warnings).toContainEqual(expect.objectContaining({ kind: 'type-not-cut', where: 'secrets' }));
  });

  it('needs no more than a role in a namespace to cut that namespace', async () => {
    await site.api.apply(grant('own', [{ apiGroups: ['*'], resources: ['*'], verbs: ['list'] }], 'sel-a'));
    const own = await connectSite({ name: 'test', kubeconfig: await site.kubeconfigFor({ user: 'own' }) });
    const result = await cut({ namespaces: ['sel-a'] }, own);
    await own.close();
    expect(result.sink.names('configmaps')).toEqual(['here', 'plain']);
    // A role in a namespace does not reach the namespace itself.
    expect(result.summary.types.filter(({ fidelity }) => fidelity !== 'exact').map(typeName)).toEqual(['namespaces']);
  });
});
