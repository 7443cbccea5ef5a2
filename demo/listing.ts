/**
 * A second opinion: a plain listing of what people made in a site, by the tests' own client, which shares no code with
 * lifeboat. What the product gets wrong it must not be able to hide.
 */
import type { ApiClient } from '../test/testbed/kubernetes/api.ts';

const COLLECTIONS = [
  '/api/v1/namespaces',
  '/api/v1/configmaps',
  '/api/v1/secrets',
  '/api/v1/serviceaccounts',
  '/api/v1/services',
  '/api/v1/persistentvolumeclaims',
  '/api/v1/resourcequotas',
  '/api/v1/limitranges',
  '/apis/apps/v1/deployments',
  '/apis/apps/v1/statefulsets',
  '/apis/apps/v1/daemonsets',
  '/apis/batch/v1/cronjobs',
  '/apis/rbac.authorization.k8s.io/v1/roles',
  '/apis/rbac.authorization.k8s.io/v1/rolebindings',
  '/apis/networking.k8s.io/v1/networkpolicies',
  '/apis/networking.k8s.io/v1/ingresses',
  '/apis/policy/v1/poddisruptionbudgets',
  '/apis/autoscaling/v2/horizontalpodautoscalers',
  '/apis/storage.k8s.io/v1/storageclasses',
  '/apis/scheduling.k8s.io/v1/priorityclasses',
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
  '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
  '/apis/fleet.town.example/v1/boats',
  '/apis/fleet.town.example/v1/moorings',
  '/apis/fleet.town.example/v1/piers',
];

/** What each object says of itself, by a name for it. */
export type Listing = ReadonlyMap<string, string>;

/** Lists the site's contents: for every object its labels and data, without what only its own cluster gives it. */
export async function takeListing(api: ApiClient): Promise<Listing> {
  const listing = new Map<string, string>();
  for (const collection of COLLECTIONS) {
    for (const object of await api.list(collection)) {
      const { name, namespace, labels } = object.metadata;
      listing.set(`${object.kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`, JSON.stringify([labels, object['data'], object['rules'], object['rope'], replicasOf(object['spec'])]));
    }
  }
  return listing;
}

function replicasOf(spec: unknown): unknown {
  return typeof spec === 'object' && spec !== null && 'replicas' in spec ? spec.replicas : undefined;
}

/** Objects of `before` that are not in `after`, or say something else there. */
export function missingFrom(before: Listing, after: Listing): string[] {
  const missing: string[] = [];
  for (const [name, text] of before) {
    const now = after.get(name);
    // Each cluster has an authority of its own, and publishes it in every namespace.
    if (name.endsWith('/kube-root-ca.crt') || name === 'ConfigMap kube-system/extension-apiserver-authentication') continue;
    // It says on which day the API server began: another one when midnight lies between the two clusters.
    if (name === 'ConfigMap kube-system/kube-apiserver-legacy-service-account-token-tracking') continue;
    if (now !== text) missing.push(now === undefined ? `${name}: not there` : `${name}: differs`);
  }
  return missing;
}
