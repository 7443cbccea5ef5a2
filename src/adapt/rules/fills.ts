import type { Rule } from '../rule.ts';

const DEFAULTED = 'The target puts its default there when an object is created without; the source may have had no default yet.';

/** Fields that admission plugins of the API server fill in. Sources: kubernetes/plugin/pkg/admission: storage/setdefault, network/defaultingressclass, priority, serviceaccount. */
export const fillRules: readonly Rule[] = [
  { id: 'default-storage-class', types: ['persistentvolumeclaims'], effect: 'fill', paths: [['spec', 'storageClassName']], why: DEFAULTED },
  { id: 'default-ingress-class', types: ['ingresses.networking.k8s.io'], effect: 'fill', paths: [['spec', 'ingressClassName']], why: DEFAULTED },
  {
    id: 'pod-defaults',
    types: ['pods'],
    effect: 'fill',
    paths: [
      ['spec', 'priorityClassName'],
      ['spec', 'imagePullSecrets'],
    ],
    why: 'The target takes them from the default PriorityClass and the ServiceAccount, as they are when the pod is created.',
  },
];
