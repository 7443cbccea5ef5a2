import { objectAt, removeAt, textAt } from '../json.ts';
import type { Rule } from '../rule.ts';

/** Addresses that a cluster gives to its Services. */
export const serviceRules: readonly Rule[] = [
  {
    id: 'service-addresses',
    types: ['services'],
    effect: 'change',
    fields: ['spec.clusterIP', 'spec.clusterIPs', 'nothing where spec.clusterIP is `None` or spec.type is `ExternalName`'],
    why: 'The target gives addresses from its own range. Node ports are kept; one that is taken there is replaced and reported.',
    change: (object) => {
      const spec = objectAt(object, 'spec');
      if (spec === undefined || spec['clusterIP'] === 'None' || spec['type'] === 'ExternalName') return false;
      return [removeAt(spec, 'clusterIP'), removeAt(spec, 'clusterIPs')].includes(true);
    },
  },
  {
    id: 'service-new-address',
    types: ['services'],
    effect: 'note',
    when: '`spec.type` is `LoadBalancer`',
    why: 'The address of a load balancer belongs to the cloud it is in.',
    advice: 'it gets a new address: DNS names that lead to the old one have to change',
    applies: (object) => textAt(object, 'spec', 'type') === 'LoadBalancer',
  },
];
