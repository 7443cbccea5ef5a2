/** What a restore can be told: what to do about existing objects, what to select, what to rename; and the plan. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { planRestore, preparePlan } from '../../src/pipeline/restore/build-plan.ts';
import { countActions, planDigest, restorePlanSchema } from '../../src/pipeline/restore/plan.ts';
import type { RestorePlan } from '../../src/pipeline/restore/plan.ts';
import { restore } from '../../src/pipeline/restore/restore.ts';
import type { StateSource } from '../../src/site/types.ts';
import type { Manifest } from '../testbed/kubernetes/api.ts';
import { configMap, differencesTo, namespace, object, openPlace, restoreInto, text, troubles } from './scene.ts';
import type { Place } from './scene.ts';

let from: Place;
let to: Place;

beforeAll(async () => {
  [from, to] = await Promise.all([openPlace({ name: 'from', controllers: false }), openPlace({ name: 'to', controllers: false })]);
});
afterAll(async () => {
  await Promise.all([from, to].map((place) => place[Symbol.asyncDispose]()));
});

/** The namespace of a test: every test has its own. */
let ns = '';
let counter = 0;
beforeEach(() => {
  counter += 1;
  ns = `shop-${counter}`;
});

const service = (port: number, rest: object = {}): Manifest => object('v1', 'Service', ns, 'web', { spec: { ports: [{ port }], selector: { app: 'web' }, ...rest } });
const clusterIpOf = (found: unknown): string => z.object({ spec: z.object({ clusterIP: z.string() }) }).parse(found).spec.clusterIP;
const data = async (name: string): Promise<unknown> => (await to.find(configMap(ns, name)))?.['data'];

describe('objects that are there already', () => {
  let source: StateSource;
  beforeEach(async () => {
    await from.site.api.apply([namespace(ns), configMap(ns, 'same', { a: '1' }), configMap(ns, 'differs', { a: '1', gone: 'x' }), configMap(ns, 'absent', { a: '1' }), service(80)]);
    source = await from.cut({ namespaces: [ns] });
    await to.site.api.apply([namespace(ns), configMap(ns, 'same', { a: '1' }), configMap(ns, 'differs', { a: '2', new: 'y' }), service(81)]);
  });

  it('stay as they are, if nothing else is said', async () => {
    const report = await restoreInto(to, source);
    expect(report).toMatchObject({ ok: true, objects: { created: 1, unchanged: 2, kept: 2, updated: 0 } });
    expect(report.kept).toEqual(['ConfigMap', 'Service'].map((kind) => ({ object: `${kind} ${ns}/${kind === 'Service' ? 'web' : 'differs'}`, outcome: 'kept', reason: 'it is there and differs' })));
    expect(await data('differs')).toEqual({ a: '2', new: 'y' });
    expect(await data('absent')).toEqual({ a: '1' });
  });

  it('are brought to the backup’s state on --existing update, and keep what belongs to the target', async () => {
    const before = await to.find(service(81));
    const report = await restoreInto(to, source, { existing: 'update' });
    expect(troubles(report)).toEqual([]);
    expect(report.objects).toMatchObject({ created: 1, unchanged: 2, updated: 2, kept: 0 });
    expect(await data('differs')).toEqual({ a: '1', gone: 'x' });
    const after = await to.find(service(80));
    expect(after).toMatchObject({ spec: { ports: [{ port: 80 }], clusterIP: clusterIpOf(before) }, metadata: { uid: before?.metadata.uid } });
    expect(await differencesTo(source, to)).toEqual([]);
  });

  it('stop the restore before it writes anything on --existing fail', async () => {
    await expect(restoreInto(to, source, { existing: 'fail' })).rejects.toMatchObject({ code: 'LB_RESTORE_CONFLICT', message: text(`ConfigMap ${ns}/differs`) });
    expect(await data('absent')).toBeUndefined();
  });

  it('that Kubernetes does not let anyone change are told of', async () => {
    const immutable = (value: string): Manifest => object('v1', 'ConfigMap', ns, 'fixed', { immutable: true, data: { value } });
    await from.site.api.apply([immutable('old')]);
    await to.site.api.apply([immutable('new')]);
    const report = await restoreInto(to, await from.cut({ namespaces: [ns] }), { existing: 'update' });
    expect(report.failures).toEqual([{ object: `ConfigMap ${ns}/fixed`, outcome: 'failed', reason: text('422 Invalid') }]);
  });

  it('that are being deleted are waited for', async () => {
    await to.site.api.apply([configMap(ns, 'absent', {}, { finalizers: ['example.com/wait'] })]);
    await to.site.api.delete(`/api/v1/namespaces/${ns}/configmaps/absent`);
    const free = new Promise((resolve) => setTimeout(resolve, 1_000)).then(() => to.site.api.patch(`/api/v1/namespaces/${ns}/configmaps/absent`, { metadata: { finalizers: null } }));
    const [report] = await Promise.all([restoreInto(to, source, { patienceMs: 60_000 }), free]);
    expect(troubles(report)).toEqual([]);
    expect(await data('absent')).toEqual({ a: '1' });
  });
});

describe('a selection', () => {
  let source: StateSource;
  const named = (plan: RestorePlan): string[] => plan.entries.filter(({ action }) => action !== 'drop').map(({ type, namespace: of, name, because }) => `${plan.types[type]?.kind} ${of === '' ? name : `${of}/${name}`}${because === undefined ? '' : ` (${because})`}`);
  const planned = async (options: Parameters<typeof restoreInto>[2]): Promise<string[]> => named(await planRestore({ source, target: to.connection, ...(options === undefined ? {} : { options }) }));

  beforeEach(async () => {
    await from.site.api.apply([
      namespace(ns),
      namespace(`${ns}-b`),
      configMap(ns, 'one', {}, { labels: { app: 'x' } }),
      configMap(`${ns}-b`, 'two'),
      object('v1', 'Secret', ns, 'one', {}, { labels: { app: 'x' } }),
      object('rbac.authorization.k8s.io/v1', 'ClusterRole', '', ns, { rules: [] }, { labels: { app: 'x' } }),
    ]);
    source = await from.cut();
  });

  it('of a namespace takes all that is in it, and the namespace', async () => {
    expect(await planned({ selection: { namespaces: [ns] } })).toEqual([`Namespace ${ns}`, `ConfigMap ${ns}/one`, `Secret ${ns}/one`]);
    expect(await planned({ selection: { namespaces: [`${ns}*`], excludeNamespaces: [ns] } })).toEqual([`Namespace ${ns}-b`, `ConfigMap ${ns}-b/two`]);
  });

  it('of types or labels takes the namespaces they need along', async () => {
    expect(await planned({ selection: { types: ['secrets'], namespaces: [ns] } })).toEqual([`Namespace ${ns} (dependency)`, `Secret ${ns}/one`]);
    expect(await planned({ selection: { labels: 'app=x', clusterScoped: true, types: ['*'], excludeTypes: ['Secret'] } })).toEqual(
      expect.arrayContaining([`Namespace ${ns} (dependency)`, `ClusterRole ${ns}`, `ConfigMap ${ns}/one`]),
    );
  });

  it('of one object takes that', async () => {
    expect(await planned({ objects: [`ConfigMap/${ns}/one`] })).toEqual([`Namespace ${ns} (dependency)`, `ConfigMap ${ns}/one`]);
    expect(await planned({ objects: [`clusterroles.rbac.authorization.k8s.io/${ns}`] })).toEqual([`ClusterRole ${ns}`]);
  });

  it('of an object that is not there is refused, and so is what names none', async () => {
    await expect(planned({ objects: [`ConfigMap/${ns}/three`] })).rejects.toMatchObject({ code: 'LB_USAGE', message: text(`ConfigMap/${ns}/three`) });
    await expect(planned({ objects: ['ConfigMap'] })).rejects.toMatchObject({ code: 'LB_USAGE' });
    await expect(planned({ concurrency: 0 })).rejects.toMatchObject({ code: 'LB_USAGE' });
  });

  it('of a namespace, type or label that is not there is refused, and what was meant is named', async () => {
    const refused = (options: Parameters<typeof planned>[0], message: string, hint: string): Promise<void> =>
      expect(planned(options)).rejects.toMatchObject({ code: 'LB_USAGE', message: text(message), hint: text(hint) });
    await refused({ selection: { namespaces: [ns, `${ns}-c`] } }, `no namespace ${ns}-c`, `Did you mean ${ns}`);
    await refused({ selection: { types: ['confgmaps'] } }, 'no type confgmaps', 'Did you mean configmaps?');
    await refused({ selection: { namespaces: ['nope-*'] } }, 'matches the selection', 'lifeboat show');
    await refused({ selection: { namespaces: [ns], labels: 'app=nope' } }, 'matches the selection', 'lifeboat show');
    expect(await to.find(namespace(ns))).toBeUndefined();
  });

  it('makes a namespace from its name alone where the backup holds none', async () => {
    source = await from.cut({ namespaces: [ns], types: ['configmaps'] });
    expect(await planned({})).toEqual([`Namespace ${ns} (made-up)`, `ConfigMap ${ns}/one`]);
    expect(troubles(await restoreInto(to, source))).toEqual([]);
    expect(await data('one')).toBeUndefined();
    expect(await to.find(configMap(ns, 'one'))).toBeDefined();
  });
});

describe('a renamed namespace', () => {
  it('comes back beside the first, and what names it follows', async () => {
    const copy = `${ns}-copy`;
    const binding = (of: string): Manifest =>
      object('rbac.authorization.k8s.io/v1', 'RoleBinding', of, 'runner', {
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
        subjects: [{ kind: 'ServiceAccount', name: 'runner', namespace: of }],
      });
    await from.site.api.apply([namespace(ns), object('v1', 'ServiceAccount', ns, 'runner'), binding(ns), configMap(ns, 'url', { url: `http://db.${ns}.svc` })]);
    const source = await from.cut({ namespaces: [ns] });
    expect(troubles(await restoreInto(to, source))).toEqual([]);
    const report = await restoreInto(to, source, { renameNamespaces: { [ns]: copy } });
    expect(troubles(report)).toEqual([]);
    expect(report.objects).toMatchObject({ created: 4, unchanged: 0 });
    expect(report.warnings).toEqual([{ kind: 'namespace-mentioned', message: text('data.url'), where: `ConfigMap ${copy}/url` }]);
    expect(await to.find(binding(copy))).toMatchObject({ subjects: [{ kind: 'ServiceAccount', name: 'runner', namespace: copy }] });
    expect(await to.find(namespace(copy))).toMatchObject({ metadata: { labels: { 'kubernetes.io/metadata.name': copy } } });
  });

  it('is refused for a namespace that is not there, or not selected', async () => {
    await from.site.api.apply([namespace(ns), namespace(`${ns}-other`)]);
    const source = await from.cut({ types: ['namespaces'] });
    await expect(restoreInto(to, source, { renameNamespaces: { 'shpo-wrong': 'x' } })).rejects.toMatchObject({ code: 'LB_USAGE', message: text('no namespace shpo-wrong') });
    const selection = { namespaces: [ns] };
    await expect(restoreInto(to, source, { selection, renameNamespaces: { [`${ns}-other`]: 'x' } })).rejects.toMatchObject({ code: 'LB_USAGE', message: text(`namespace ${ns}-other, which is to be renamed`) });
  });

  it('is refused for a name that is none, and for two of one name', async () => {
    const source = await from.cut({ types: ['namespaces'] });
    await expect(restoreInto(to, source, { renameNamespaces: { a: 'B!' } })).rejects.toMatchObject({ code: 'LB_USAGE' });
    await expect(restoreInto(to, source, { renameNamespaces: { a: 'c', b: 'c' } })).rejects.toMatchObject({ code: 'LB_USAGE' });
  });
});

describe('a plan', () => {
  it('writes nothing, is JSON, and is what is done', async () => {
    await from.site.api.apply([namespace(ns), configMap(ns, 'a'), service(80)]);
    const request = { source: await from.cut({ namespaces: [ns] }), target: to.connection };
    const prepared = await preparePlan(request);
    expect(await to.find(namespace(ns))).toBeUndefined();
    expect(countActions(prepared.plan)).toMatchObject({ create: 2, change: 1, drop: 0 });
    expect(prepared.plan.entries.find(({ name }) => name === 'web')).toMatchObject({ action: 'change', rules: ['service-addresses'] });
    const { digest, ...document } = restorePlanSchema.parse(JSON.parse(JSON.stringify(prepared.plan)));
    expect({ ...document, digest }).toEqual(prepared.plan);
    expect(planDigest(document)).toBe(digest);
    expect(planDigest({ ...document, warnings: [{ kind: 'x', message: 'y' }] })).not.toBe(digest);
    const report = await restore(request, prepared);
    expect(report).toMatchObject({ ok: true, plan: prepared.plan.digest, objects: { created: 3 } });
  });
});

describe('types the target does not have', () => {
  it('are told of, object by object, and the rest comes back', async () => {
    const definition = object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', '', `things-${counter}.choices.example`, {
      spec: { group: 'choices.example', scope: 'Namespaced', names: { kind: `Thing${counter}`, plural: `things-${counter}`, singular: 'thing' }, versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }] },
    });
    await from.site.api.apply([namespace(ns), definition, configMap(ns, 'a'), object('choices.example/v1', `Thing${counter}`, ns, 'x')]);
    // A backup of a namespace holds no definitions.
    const report = await restoreInto(to, await from.cut({ namespaces: [ns] }));
    expect(report).toMatchObject({ ok: false, objects: { created: 2, unsupported: 1 } });
    expect(report.failures).toEqual([{ object: `Thing${counter} ${ns}/x`, outcome: 'unsupported', reason: 'the target does not serve this type' }]);
  });
});
