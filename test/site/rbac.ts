import type { Manifest } from '../testbed/kubernetes/api.ts';

export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** What lets a user do this: everywhere, or in one namespace. */
export function grant(user: string, rules: readonly Rule[], namespace?: string): readonly Manifest[] {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const [role, binding] = namespace === undefined ? ['ClusterRole', 'ClusterRoleBinding'] : ['Role', 'RoleBinding'];
  return [
    { apiVersion, kind: role, metadata: { name: user, namespace }, rules },
    {
      apiVersion,
      kind: binding,
      metadata: { name: user, namespace },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: role, name: user },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
    },
  ];
}
