import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Manifest } from '../testbed/kubernetes/api.ts';
import { startSite } from '../testbed/kubernetes/site.ts';
import type { Site } from '../testbed/kubernetes/site.ts';

let site: Site;
beforeAll(async () => {
  site = await startSite();
  await site.api.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'lifeboat', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } }]);
});
afterAll(() => site[Symbol.asyncDispose]());

async function manifests(file: string): Promise<Manifest[]> {
  const text = await readFile(new URL(`../../infra/kubernetes/${file}`, import.meta.url), 'utf8');
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}

interface PodTemplate {
  readonly metadata: { readonly labels?: Record<string, string> };
  readonly spec: Record<string, unknown>;
}

/** Types of Knative, as far as these manifests need them: their contents are not checked, where they go is. */
function knativeDouble(group: string, kind: string, plural: string): Manifest {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: { group, scope: 'Namespaced', names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` }, versions: [{ name: 'v1', served: true, storage: true, schema }] },
  };
}

describe('the manifests in infra/kubernetes', () => {
  it('are taken by an API server, as they are', async () => {
    const applied = await site.api.apply(await manifests('worker.yaml'));
    expect(applied.map(({ kind, metadata: { name } }) => `${kind} ${name}`)).toEqual([
      'ServiceAccount lifeboat',
      'Deployment lifeboat-worker',
      'Deployment lifeboat-serve',
      'Service lifeboat',
      'PodDisruptionBudget lifeboat-worker',
      'NetworkPolicy lifeboat',
      'NetworkPolicy lifeboat-serve',
    ]);
  });

  it('make pods that the strictest standard for pods permits, and that have no token of the cluster', async () => {
    const templates = (await manifests('worker.yaml')).filter(({ kind }) => kind === 'Deployment').map(({ spec }) => (spec as { template: PodTemplate }).template);
    expect(templates).toHaveLength(2);
    for (const [index, { metadata, spec }] of templates.entries()) {
      // The namespace enforces the standard: a pod that does not meet it would be refused.
      const pod = await site.api.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: `tried-${index}`, namespace: 'lifeboat', labels: metadata.labels }, spec });
      expect(JSON.stringify(pod)).not.toContain('serviceAccountToken":{');
    }
  });

  it('put the functions on Knative, and ring those that there are', async () => {
    await site.api.apply([knativeDouble('serving.knative.dev', 'Service', 'services'), knativeDouble('sources.knative.dev', 'PingSource', 'pingsources')]);
    const documents = await manifests('knative.yaml');
    expect(await site.api.apply(documents)).toHaveLength(3);
    const rung = documents.flatMap(({ spec }) => (spec as { sink?: { uri: string } }).sink?.uri ?? []);
    expect(rung).toEqual(['/events/backup', '/events/work']);
  });
});
