/** What happens in the town between two backups. Returns what was done, for the story and the check. */
import type { ApiClient } from '../test/testbed/kubernetes/api.ts';
import { NAMESPACES } from '../test/fixtures/fixture-object.ts';

const name = (n: number): string => `settings-${String(n).padStart(6, '0')}`;
const namespaceOf = (n: number): string => NAMESPACES[n % NAMESPACES.length] ?? 'shop';

export interface Changes {
  readonly edited: number;
  readonly created: number;
  readonly deleted: number;
}

/** An ordinary morning: settings edited, deployments scaled, something new, something thrown away. */
export async function ordinaryMorning(api: ApiClient): Promise<Changes> {
  // Every fourth setting is a Secret; these numbers are ConfigMaps.
  const edits = Array.from({ length: 20 }, (_, n) => 40 * n + 1);
  for (const n of edits) await api.patch(`/api/v1/namespaces/${namespaceOf(n)}/configmaps/${name(n)}`, { data: { mode: 'amber' } });
  for (const namespace of NAMESPACES.slice(0, 4)) await api.patch(`/apis/apps/v1/namespaces/${namespace}/deployments/${namespace}-svc-0`, { spec: { replicas: 4 } });
  for (const namespace of NAMESPACES.slice(0, 3)) {
    await api.post(`/api/v1/namespaces/${namespace}/secrets`, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'new-certificate', namespace }, stringData: { 'tls.crt': `certificate of ${namespace}` } });
  }
  for (const n of [2, 6]) await api.delete(`/api/v1/namespaces/${namespaceOf(n)}/configmaps/${name(n)}`);
  return { edited: edits.length + 4, created: 3, deleted: 2 };
}

/** Written after the last backup, and so lost: the names of the objects. */
export async function lastMinutes(api: ApiClient): Promise<string[]> {
  const lost: string[] = [];
  for (const namespace of NAMESPACES.slice(0, 5)) {
    await api.post(`/api/v1/namespaces/${namespace}/configmaps`, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'written-too-late', namespace }, data: { note: 'no backup saw this' } });
    lost.push(`ConfigMap ${namespace}/written-too-late`);
  }
  return lost;
}
