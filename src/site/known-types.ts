import type { ResourceType } from './types.ts';
import { typeName } from './types.ts';

/**
 * Types that show the same stored objects as another type does, and which that is. One of the two is enough.
 * Sources: Kubernetes API deprecation guide (groups that moved); OpenShift docs (views of Kubernetes types).
 */
const SHOWN_ELSEWHERE: Readonly<Record<string, string>> = {
  'events.events.k8s.io': 'events',
  'ingresses.extensions': 'ingresses.networking.k8s.io',
  'networkpolicies.extensions': 'networkpolicies.networking.k8s.io',
  'deployments.extensions': 'deployments.apps',
  'daemonsets.extensions': 'daemonsets.apps',
  'replicasets.extensions': 'replicasets.apps',
  'projects.project.openshift.io': 'namespaces',
  'roles.authorization.openshift.io': 'roles.rbac.authorization.k8s.io',
  'rolebindings.authorization.openshift.io': 'rolebindings.rbac.authorization.k8s.io',
  'clusterroles.authorization.openshift.io': 'clusterroles.rbac.authorization.k8s.io',
  'clusterrolebindings.authorization.openshift.io': 'clusterrolebindings.rbac.authorization.k8s.io',
};

/** Types, and whole groups as `*.group`, whose objects are computed when asked for and stored nowhere. */
const COMPUTED: Readonly<Record<string, string>> = {
  componentstatuses: 'computed when asked for',
  '*.metrics.k8s.io': 'measurements, computed when asked for',
  '*.custom.metrics.k8s.io': 'measurements, computed when asked for',
  '*.external.metrics.k8s.io': 'measurements, computed when asked for',
  'packagemanifests.packages.operators.coreos.com': 'a catalogue, computed when asked for',
};

/** Why a whole API group holds nothing to back up; `undefined` if it may. */
export function computedGroup(group: string): string | undefined {
  return COMPUTED[`*.${group}`];
}

/** Why this type holds nothing of its own; `undefined` if it does. `served`: names of all types of the site. */
export function holdsNothing(type: ResourceType, served: ReadonlySet<string>): string | undefined {
  const name = typeName(type);
  const shown = SHOWN_ELSEWHERE[name];
  if (shown !== undefined && served.has(shown)) return `the same objects as ${shown}`;
  return COMPUTED[name] ?? computedGroup(type.group);
}
