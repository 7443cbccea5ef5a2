import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Progress, Warning } from '../../src/core/progress.ts';
import { generateIdentity, generateRepositoryKeys, sealSlot, writeKeyOf } from '../../src/keys/index.ts';
import type { RepositoryKeys } from '../../src/keys/index.ts';
import { backup, storeCut } from '../../src/pipeline/backup.ts';
import type { BackupResult } from '../../src/pipeline/backup.ts';
import { readManifest, streamKey, writeManifest } from '../../src/pipeline/manifest.ts';
import { liveSource, pointSource } from '../../src/pipeline/sources.ts';
import type { RepositoryWriter } from '../../src/repository/api.ts';
import { createRepository, openReader, openWriter } from '../../src/repository/index.ts';
import { connectSite } from '../../src/site/connect.ts';
import type { SiteConnection } from '../../src/site/connect.ts';
import type { Selection, StateSource } from '../../src/site/types.ts';
import { typeName } from '../../src/site/types.ts';
import { openDirectoryVault } from '../../src/vault/directory.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { fillSite } from '../fixtures/fill.ts';
import { town } from '../fixtures/town.ts';
import { kubeconfigForRole } from '../site/roles.ts';
import { proxyBefore } from '../site/proxy.ts';
import { startSite } from '../testbed/kubernetes/site.ts';
import type { Site } from '../testbed/kubernetes/site.ts';

let site: Site;
let connection: SiteConnection;
let keys: RepositoryKeys;
let slot: Uint8Array;
beforeAll(async () => {
  site = await startSite({ controllers: false });
  await fillSite(site.api, town(200));
  connection = await connectSite({ name: 'test', kubeconfig: site.kubeconfigPath });
  keys = await generateRepositoryKeys();
  const { recipient } = await generateIdentity('x25519');
  slot = await sealSlot(keys, { kind: 'age', recipient });
});
afterAll(async () => {
  await connection?.close();
  await site?.stop();
});

let folder: string;
let vault: Vault;
let writer: RepositoryWriter;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-backup-'));
  vault = await openDirectoryVault({ name: 'local', path: folder });
  await createRepository({ vaults: [vault], keys, slots: [slot] });
  writer = await openWriter({ vaults: [vault], writeKey: writeKeyOf(keys) });
});
afterEach(async () => {
  await writer.close();
  await vault.close();
  await rm(folder, { recursive: true, force: true });
});

async function source(result: BackupResult): Promise<StateSource> {
  const reader = await openReader({ vaults: [vault], keys });
  return pointSource(await reader.open(result.point.header.id));
}

/** Every object of a source by type, as text. */
async function contents(state: StateSource): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const type of state.summary.types) {
    const objects: string[] = [];
    for await (const raw of state.objects(type)) objects.push(Buffer.from(raw).toString('utf8'));
    found.set(typeName(type), objects);
  }
  return found;
}

const points = async (): Promise<number> => (await (await openReader({ vaults: [vault] })).listPoints()).length;

/** Written by the control plane itself, all the time: between the backup and the look at the site too. */
const RESTLESS: ReadonlySet<string> = new Set(['leases.coordination.k8s.io', 'events', 'flowschemas.flowcontrol.apiserver.k8s.io', 'apiservices.apiregistration.k8s.io']);

describe('a backup', () => {
  it('holds byte for byte what the site holds, and says the same of it', async () => {
    const result = await backup({ connection, writer, site: 'town' });
    const state = await source(result);
    const live = await liveSource(connection);
    expect(result.point.header).toMatchObject({ site: 'town', complete: true, at: result.summary.at });
    expect(state.summary).toEqual(result.summary);
    const stored = await contents(state);
    const now = await contents(live);
    const still = [...now].filter(([type]) => !RESTLESS.has(type));
    for (const [type, objects] of still) expect({ type, objects: stored.get(type) }).toEqual({ type, objects });
    expect([...stored.values()].flat().length).toBe(result.summary.types.reduce((sum, { count }) => sum + count, 0));
    for (const type of state.summary.types) expect(stored.get(typeName(type))).toHaveLength(type.count);
  });

  it('can be made with the published role and nothing more', async () => {
    const restricted = await connectSite({ name: 'test', kubeconfig: await kubeconfigForRole(site, 'backup') });
    const warnings: Warning[] = [];
    const result = await backup({ connection: restricted, writer, site: 'town', onWarning: (warning) => warnings.push(warning) });
    expect(warnings).toEqual([]);
    expect(result.point.header.complete).toBe(true);
    expect(result.summary.types.every(({ fidelity }) => fidelity === 'exact')).toBe(true);
    expect(result.summary.types.find(({ resource }) => resource === 'secrets')?.count).toBeGreaterThan(0);
    expect(result.summary.clusterUid).not.toBe('');
    // It can change nothing, and look at nothing but by listing.
    for (const request of [
      { method: 'POST', path: '/api/v1/namespaces/default/configmaps', body: '{"metadata":{"name":"a"}}' },
      { method: 'DELETE', path: '/api/v1/namespaces/default' },
      { method: 'GET', path: '/api/v1/namespaces/default' },
    ] as const) {
      await expect(restricted.request({ ...request, doing: 'do more' })).rejects.toMatchObject({ code: 'LB_SITE_ACCESS', status: 403 });
    }
    await restricted.close();
  });

  it('stores again only what has changed', async () => {
    const first = await backup({ connection, writer, site: 'town' });
    await site.api.patch('/api/v1/namespaces/default', { metadata: { labels: { changed: 'yes' } } });
    const second = await backup({ connection, writer, site: 'town' });
    expect(second.point.header.stats.recordsTotal).toBe(first.point.header.stats.recordsTotal);
    expect(second.point.header.stats.newChunks).toBeLessThan(10);
    expect((await contents(await source(first))).get('namespaces')?.join('')).not.toContain('"changed"');
    expect((await contents(await source(second))).get('namespaces')?.join('')).toContain('"changed"');
  });

  it('holds what was selected, and remembers the selection', async () => {
    const selection: Selection = { namespaces: ['shop'], types: ['configmaps', 'namespaces'] };
    const result = await backup({ connection, writer, site: 'town', selection });
    const state = await source(result);
    expect(state.summary.selection).toEqual(selection);
    expect(state.summary.types.map(typeName)).toEqual(['configmaps', 'namespaces']);
    const [type] = state.summary.types;
    expect(type?.count).toBeGreaterThan(0);
  });

  it('is not complete when something could not be read, and says so', async () => {
    await using proxy = await proxyBefore(site);
    const forbidden = { do: 'answer', status: 403, body: '{"kind":"Status","message":"no"}' } as const;
    proxy.inject({ when: ({ url }) => url.includes('/secrets?'), times: 100, action: forbidden });
    const shaky = await connectSite({ name: 'test', kubeconfig: await site.kubeconfigVia(proxy.url) });
    const result = await backup({ connection: shaky, writer, site: 'town' });
    await shaky.close();
    expect(result.point.header.complete).toBe(false);
    const state = await source(result);
    expect(state.summary.types.find(({ resource }) => resource === 'secrets')).toMatchObject({ fidelity: 'missing', count: 0 });
    expect((await contents(state)).get('secrets')).toEqual([]);
  });

  it('is right although the cut had to start again', async () => {
    await using proxy = await proxyBefore(site);
    const gone = { do: 'answer', status: 410, body: '{"kind":"Status","reason":"Expired"}' } as const;
    proxy.inject({ when: ({ url }) => url.includes('/secrets?'), action: gone });
    proxy.inject({ when: ({ url }) => /\/namespaces\?.*Exact/.test(url) && url.includes('limit=1&'), action: gone });
    const shaky = await connectSite({ name: 'test', kubeconfig: await site.kubeconfigVia(proxy.url) });
    const warnings: Warning[] = [];
    const result = await backup({ connection: shaky, writer, site: 'town', onWarning: (warning) => warnings.push(warning) });
    await shaky.close();
    expect(warnings).toMatchObject([{ kind: 'cut-restarted' }]);
    const stored = await contents(await source(result));
    const still = [...(await contents(await liveSource(connection)))].filter(([type]) => !RESTLESS.has(type));
    for (const [type, objects] of still) expect({ type, objects: stored.get(type) }).toEqual({ type, objects });
  });

  it('holds nothing of what was read in vain: a type that is read anew, one that is not read to its end, and all before the cut starts again', async () => {
    const type = { group: '', version: 'v1', resource: 'configmaps', kind: 'ConfigMap', namespaced: true };
    const summary = { ...(await liveSource(connection, { selection: { types: ['configmaps'] } })).summary, types: [{ ...type, count: 1, bytes: 2, fidelity: 'exact' as const }] };
    const { point } = await storeCut(async (coming) => {
      const sink = await coming;
      await sink.type(type).object(Buffer.from('"before"'));
      const whole = sink.type({ ...type, resource: 'services' });
      await whole.object(Buffer.from('"before"'));
      await whole.end();
      sink.restart();
      await sink.type(type).object(Buffer.from('"first"'));
      const again = sink.type(type);
      await again.object(Buffer.from('{}'));
      await again.end();
      await sink.type({ ...type, resource: 'secrets' }).object(Buffer.from('"half"'));
      return summary;
    }, { writer, site: 'town' });
    expect(point.header.stats).toMatchObject({ recordsTotal: 1, plaintextBytes: 2 });
    expect(await contents(await source({ point, summary }))).toEqual(new Map([['configmaps', ['{}']]]));
  });

  it('that fails leaves no point', async () => {
    const stop = new AbortController();
    const onProgress = ({ phase }: Progress): void => {
      if (phase === 'cut') stop.abort(new Error('enough'));
    };
    await expect(backup({ connection, writer, site: 'town', signal: stop.signal, onProgress })).rejects.toThrow('enough');
    expect(await points()).toBe(0);
    await backup({ connection, writer, site: 'town' });
    expect(await points()).toBe(1);
  });
});

describe('a live source', () => {
  it('gives its objects again and again, as they were when it was made', async () => {
    const live = await liveSource(connection, { selection: { types: ['configmaps'] } });
    const before = await contents(live);
    await site.api.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'later', namespace: 'default' } });
    expect(await contents(live)).toEqual(before);
    expect(live.label).toBe('site test');
  });
});

describe('a manifest', () => {
  it('is read as it was written', async () => {
    const { summary } = await liveSource(connection, { selection: { types: ['configmaps'], labels: 'a=b' } });
    const streams = { [streamKey({ group: '', resource: 'configmaps' })]: { records: 1, bytes: 2, extents: '' } };
    const manifest = { kind: 'cluster-state' as const, summary, streams };
    expect(readManifest(writeManifest(manifest), 'here')).toEqual(manifest);
  });

  it('of another kind is left to a newer lifeboat', () => {
    expect(() => readManifest({ kind: 'volumes' }, 'point x')).toThrow(expect.objectContaining({ code: 'LB_REPO_NEWER_FORMAT', where: 'point x' }));
  });

  it('that is malformed is refused', () => {
    expect(() => readManifest({ kind: 'cluster-state', summary: {} }, 'point x')).toThrow(expect.objectContaining({ code: 'LB_REPO_DAMAGED' }));
    expect(() => readManifest(null, 'point x')).toThrow(expect.objectContaining({ code: 'LB_REPO_DAMAGED' }));
  });
});
