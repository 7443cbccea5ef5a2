import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { diffStates } from '../../src/pipeline/diff/diff.ts';
import type { StateSource } from '../../src/site/types.ts';
import { fillSite } from '../fixtures/fill.ts';
import { town } from '../fixtures/town.ts';
import { differencesTo, listed, openPlace, restoreInto, troubles } from './scene.ts';
import type { Place } from './scene.ts';

const owned = z.object({ metadata: z.object({ uid: z.string(), ownerReferences: z.array(z.object({ uid: z.string() })).default([]) }) });

describe('a whole site', () => {
  let places: Place[] = [];
  let source: StateSource;

  beforeAll(async () => {
    places = await Promise.all([
      openPlace({ name: 'lost', controllers: true }),
      openPlace({ name: 'with-controllers', controllers: true }),
      openPlace({ name: 'bare', controllers: false }),
    ]);
    const [lost] = places as [Place];
    await fillSite(lost.site.api, town(800));
    // Controllers have made pods of their own accord by the time the cut is taken, as in any site.
    source = await lost.cut();
  });
  afterAll(async () => {
    await Promise.all(places.map((place) => place[Symbol.asyncDispose]()));
  });

  it('comes back where controllers are at work, and nothing is collected as garbage', async () => {
    const target = places[1] as Place;
    const report = await restoreInto(target, source);
    expect(troubles(report)).toEqual([]);
    expect(report).toMatchObject({ ok: true, objects: { failed: 0, conflict: 0, unsupported: 0, kept: 0 } });
    expect(report.phases.map(({ name }) => name)).toEqual(['load', 'discover', 'plan', 'apply', 'verify']);
    // The garbage collector looks at everything within seconds.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(await differencesTo(source, target)).toEqual([]);
    const known = new Set<string>();
    const owners: string[] = [];
    for (const collection of ['/api/v1/configmaps', '/apis/apps/v1/replicasets', '/apis/apps/v1/deployments', '/apis/fleet.town.example/v1/boats']) {
      for (const item of await target.site.api.list(collection)) {
        const { metadata } = owned.parse(item);
        known.add(metadata.uid);
        owners.push(...metadata.ownerReferences.map(({ uid }) => uid));
      }
    }
    expect(owners.length).toBeGreaterThan(50);
    expect(owners.filter((uid) => !known.has(uid))).toEqual([]);
  });

  it('is left alone when it is restored again', async () => {
    const target = places[1] as Place;
    const report = await restoreInto(target, source);
    expect(troubles(report)).toEqual([]);
    expect(report.objects).toMatchObject({ created: 0, updated: 0, kept: 0, failed: 0 });
  });

  it('comes back on a bare control plane', async () => {
    const target = places[2] as Place;
    const report = await restoreInto(target, source);
    expect(troubles(report)).toEqual([]);
    expect(await differencesTo(source, target)).toEqual([]);
  });

  it('shows what changed since', async () => {
    const [lost] = places as [Place];
    const before = await lost.cut({ namespaces: ['shop'] });
    await lost.site.api.patch('/apis/apps/v1/namespaces/shop/deployments/shop-svc-1', { spec: { template: { metadata: { annotations: { changed: 'yes' } } } } });
    await lost.site.api.delete('/api/v1/namespaces/shop/serviceaccounts/runner');
    await lost.site.api.apply([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'new', namespace: 'shop' } }]);
    await lost.site.api.patch('/api/v1/namespaces/shop/secrets/registry', { data: { '.dockerconfigjson': Buffer.from('{"auths":{"other":{"auth":"top-secret"}}}').toString('base64') } });
    const report = await diffStates(before, await lost.cut());
    expect(listed(report)).toEqual([
      'added ConfigMap shop/new',
      expect.stringMatching(/^changed Secret shop\/registry \[\{"path":"data\[\.dockerconfigjson\]","a":"secret, digest [0-9a-f]{12}","b":"secret, digest [0-9a-f]{12}"\}\]$/),
      'removed ServiceAccount shop/runner',
      'changed Deployment shop/shop-svc-1 [{"path":"spec.template.metadata.annotations.changed","b":"\\"yes\\""}]',
    ]);
    expect(report).toMatchObject({ equal: false, added: 1, removed: 1, changed: 2, truncated: false, notCompared: [] });
    expect(report.same).toBeGreaterThan(50);
  });
});
