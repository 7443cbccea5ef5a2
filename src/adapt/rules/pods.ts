import { removeAt, textAt } from '../json.ts';
import type { Rule } from '../rule.ts';

/** Bare pods: those no controller makes. */
export const podRules: readonly Rule[] = [
  {
    id: 'pod-placement',
    types: ['pods'],
    effect: 'change',
    fields: ['spec.nodeName'],
    why: 'The scheduler of the target chooses among the nodes there are.',
    change: (object) => removeAt(object, 'spec', 'nodeName'),
  },
  {
    id: 'pod-priority',
    types: ['pods'],
    effect: 'change',
    fields: ['spec.priority', 'spec.preemptionPolicy', 'spec.overhead, where spec.runtimeClassName is set'],
    why: 'The API server works them out from the classes the pod names, and refuses others.',
    change: (object) =>
      [
        removeAt(object, 'spec', 'priority'),
        removeAt(object, 'spec', 'preemptionPolicy'),
        textAt(object, 'spec', 'runtimeClassName') !== '' && removeAt(object, 'spec', 'overhead'),
      ].includes(true),
  },
  {
    id: 'pod-ephemeral-containers',
    types: ['pods'],
    effect: 'change',
    fields: ['spec.ephemeralContainers'],
    why: 'Containers added to look into a running pod cannot be part of a new one.',
    change: (object) => removeAt(object, 'spec', 'ephemeralContainers'),
  },
];
