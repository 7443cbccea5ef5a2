import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import type { Manifest } from '../testbed/kubernetes/api.ts';
import type { Site } from '../testbed/kubernetes/site.ts';

/** Applies one of the published manifests to a site and returns a kubeconfig of the service account in it. */
export async function kubeconfigForRole(site: Site, role: 'backup' | 'restore'): Promise<string> {
  const text = await readFile(new URL(`../../infra/kubernetes/${role}-role.yaml`, import.meta.url), 'utf8');
  await site.api.apply(parseAllDocuments(text).map((document) => document.toJS() as Manifest));
  return site.kubeconfigForServiceAccount('lifeboat', `lifeboat-${role}`);
}
