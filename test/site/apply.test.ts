import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createObject, getObject, patchObject, replaceObject } from '../../src/site/apply.ts';
import { connectSite } from '../../src/site/connect.ts';
import type { SiteConnection } from '../../src/site/connect.ts';
import { discover, findType } from '../../src/site/discover.ts';
import type { ResourceType } from '../../src/site/types.ts';
import { waitFor, waitForTypes } from '../../src/site/wait.ts';
import { startSite } from '../testbed/kubernetes/site.ts';
import type { Site } from '../testbed/kubernetes/site.ts';
import { customType } from './custom-type.ts';
import { proxyBefore } from './proxy.ts';
import { kubeconfigForRole } from './roles.ts';

const type = (group: string, resource: string, kind: string, namespaced: boolean): ResourceType => ({ group, version: 'v1', resource, kind, namespaced });
const CONFIG_MAPS = type('', 'configmaps', 'ConfigMap', true);
const ROLES = type('rbac.authorization.k8s.io', 'clusterroles', 'ClusterRole', false);
const DEFINITIONS = type('apiextensions.k8s.io', 'customresourcedefinitions', 'CustomResourceDefinition', false);

let site: Site;
let connection: SiteConnection;
beforeAll(async () => {
  site = await startSite({ controllers: false });
  // Everything here is done with the rights of the published role for restores.
  connection = await connectSite({ name: 'test', kubeconfig: await kubeconfigForRole(site, 'restore') });
});
afterAll(async () => {
  await connection.close();
  await site.stop();
});

interface Stored {
  metadata: { name: string; uid: string; resourceVersion: string; finalizers?: string[]; managedFields: { manager: string }[] };
  data: Record<string, string>;
  status?: { observed?: boolean };
}
const parse = (raw: Buffer | undefined): Stored => JSON.parse(raw?.toString('utf8') ?? 'null') as Stored;
const configMap = (name: string, data: Record<string, string>, metadata: Record<string, unknown> = {}): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data });

describe('writing to a site', () => {
  it('creates an object once, and says when there is one', async () => {
    const created = await createObject(connection, CONFIG_MAPS, 'default', configMap('one', { a: '1' }));
    expect(created.outcome === 'created' && parse(created.body)).toMatchObject({ metadata: { name: 'one', managedFields: [{ manager: 'lifeboat' }] } });
    expect(await createObject(connection, CONFIG_MAPS, 'default', configMap('one', { a: '2' }))).toEqual({ outcome: 'exists' });
    expect(parse(await getObject(connection, CONFIG_MAPS, 'default', 'one')).data).toEqual({ a: '1' });
  });

  it('creates an object once although the answer is lost', async () => {
    await using proxy = await proxyBefore(site);
    const shaky = await connectSite({ name: 'test', kubeconfig: await site.kubeconfigVia(proxy.url) });
    proxy.inject({ when: ({ method }) => method === 'POST', action: { do: 'lose-answer' } });
    expect(await createObject(shaky, CONFIG_MAPS, 'default', configMap('lost', { a: '1' }))).toEqual({ outcome: 'exists' });
    expect(parse(await getObject(shaky, CONFIG_MAPS, 'default', 'lost')).data).toEqual({ a: '1' });
    await shaky.close();
  });

  it('replaces what was read, unless it was changed in between', async () => {
    const created = await createObject(connection, CONFIG_MAPS, 'default', configMap('replaced', { a: '1' }));
    const { resourceVersion } = parse(created.outcome === 'created' ? created.body : undefined).metadata;
    const next = configMap('replaced', { a: '2' }, { resourceVersion });
    expect(parse(await replaceObject(connection, CONFIG_MAPS, 'default', 'replaced', next)).data).toEqual({ a: '2' });
    const again = replaceObject(connection, CONFIG_MAPS, 'default', 'replaced', next);
    await expect(again).rejects.toMatchObject({ code: 'LB_SITE_REFUSED', status: 409, reason: 'Conflict' });
  });

  it('patches in each notation', async () => {
    await createObject(connection, CONFIG_MAPS, 'default', configMap('patched', { a: '1', b: '2' }));
    const patch = (type: 'merge' | 'json', body: unknown): Promise<Buffer> =>
      patchObject(connection, CONFIG_MAPS, 'default', 'patched', { type, body: JSON.stringify(body) });
    expect(parse(await patch('merge', { data: { a: null, c: '3' } })).data).toEqual({ b: '2', c: '3' });
    expect(parse(await patch('json', [{ op: 'replace', path: '/data/b', value: 'x' }])).data).toEqual({ b: 'x', c: '3' });
  });

  it('reaches objects whose names are hard to put into a URL', async () => {
    const name = 'system:odd name?a=b#c"ü😀&+';
    await createObject(connection, ROLES, '', JSON.stringify({ metadata: { name }, rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] }));
    expect(parse(await getObject(connection, ROLES, '', name)).metadata.name).toBe(name);
  });

  it('tells why an object is refused', async () => {
    const invalid = createObject(connection, CONFIG_MAPS, 'default', configMap('In_Valid', {}));
    await expect(invalid).rejects.toMatchObject({ code: 'LB_SITE_REFUSED', status: 422, reason: 'Invalid', refusal: { causes: [{ field: 'metadata.name' }] } });
    const nowhere = createObject(connection, CONFIG_MAPS, 'absent', configMap('a', {}));
    await expect(nowhere).rejects.toMatchObject({ status: 404, message: expect.stringContaining('create configmaps in namespace absent') as string });
  });
});

describe('waiting for a site', () => {
  it('waits until a new type is served, and then uses it', async () => {
    const things = type('wait.example', 'things', 'Thing', true);
    const definition = customType('wait.example', 'things', [{ name: 'v1', served: true, storage: true }]);
    await createObject(connection, DEFINITIONS, '', JSON.stringify(definition));
    const discovery = await waitForTypes(connection, [things, CONFIG_MAPS]);
    expect(findType(discovery, things)).toMatchObject({ kind: 'Thing', versions: ['v1'], namespaced: true });
    expect(findType(discovery, things)?.verbs).toEqual(expect.arrayContaining(['create', 'list']));
    const thing = { apiVersion: 'wait.example/v1', kind: 'Thing', metadata: { name: 'a' } };
    const created = await createObject(connection, things, 'default', JSON.stringify(thing));
    expect(created.outcome).toBe('created');
  });

  it('says what it waited for in vain', async () => {
    const served = waitForTypes(connection, [type('never.example', 'things', 'Thing', true)], { timeoutMs: 200 });
    await expect(served).rejects.toMatchObject({ code: 'LB_DEADLINE', message: expect.stringContaining('things.never.example') as string });
  });

  it('stops when told to', async () => {
    const stop = new AbortController();
    const waiting = waitFor('nothing', () => Promise.resolve(undefined), { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});

describe('discovery', () => {
  it('finds the same types in the plain documents of old servers', async () => {
    await using proxy = await proxyBefore(site);
    const plain = await connectSite({ name: 'test', kubeconfig: await site.kubeconfigVia(proxy.url) });
    const unaware: SiteConnection = {
      name: plain.name,
      server: plain.server,
      request: (request) => plain.request({ ...request, accept: 'application/json' }),
      stream: (request) => plain.stream(request),
      retrying: (work, signal, limits) => plain.retrying(work, signal, limits),
      close: () => plain.close(),
    };
    const aggregated = await discover(connection);
    const documents = await discover(unaware);
    await plain.close();
    const essence = ({ types }: typeof documents): unknown => types.map(({ verbs, ...type }) => ({ ...type, verbs: verbs.toSorted() }));
    expect(essence(documents)).toEqual(essence(aggregated));
    expect(proxy.requests.length).toBeGreaterThan(20);
  });

  it('says when what answers is no Kubernetes', async () => {
    await using proxy = await proxyBefore(site);
    proxy.inject({ times: 100, action: { do: 'answer', status: 200, body: '{"hello":"world"}' } });
    const other = await connectSite({ name: 'test', kubeconfig: await site.kubeconfigVia(proxy.url) });
    await expect(discover(other)).rejects.toMatchObject({ code: 'LB_SITE_REFUSED' });
    await other.close();
  });
});
