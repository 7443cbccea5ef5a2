import { DEFINITIONS } from './references.ts';
import type { CheckContext } from './check.ts';

/** Groups that Kubernetes serves itself end so, or have no dot at all. Some definitions (gateway.networking.k8s.io) do too. */
const BUILT_IN = /^(?:[a-z]*|[a-z.]+\.k8s\.io)$/;

/** True for a group that Kubernetes may serve by itself. */
export function maybeBuiltIn(group: string): boolean {
  return BUILT_IN.test(group);
}

/** Why a drill cannot have the types of a group, through no fault of the point; `undefined` when it should. */
export function whyAbsent(group: string, { aggregated, inventory }: Pick<CheckContext, 'aggregated' | 'inventory'>): string | undefined {
  if (aggregated.has(group)) return `its API (${group}) is served by a workload of the site, and a drill runs none: whether it comes back was not tried`;
  if (!maybeBuiltIn(group) && !inventory.selects(DEFINITIONS, '')) return 'its definition is not among what is restored, so that the target has to have it already: whether it comes back was not tried';
  return undefined;
}
