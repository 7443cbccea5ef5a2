import type { DropRule, Rule } from '../rule.ts';

const always = (rule: Omit<DropRule, 'effect' | 'when' | 'drops'>): DropRule => ({ ...rule, effect: 'drop', when: 'always', drops: () => true });

/** Types that say what is so at the moment: machines, their networks, elections, measurements. */
export const runtimeRules: readonly Rule[] = [
  always({
    id: 'runtime-nodes',
    types: [
      'nodes',
      'csinodes.storage.k8s.io',
      'volumeattachments.storage.k8s.io',
      'csistoragecapacities.storage.k8s.io',
      'resourceslices.resource.k8s.io',
    ],
    why: 'Machines and their drivers announce themselves in the cluster they belong to.',
  }),
  always({
    id: 'runtime-events',
    types: ['events', 'events.events.k8s.io'],
    why: 'Events tell what happened in the source; they expire within hours.',
  }),
  always({
    id: 'runtime-leases',
    types: ['leases.coordination.k8s.io', 'leasecandidates.coordination.k8s.io'],
    why: 'A lease says who is at work now. A restored one would make its successors wait for somebody who is gone.',
  }),
  always({
    id: 'runtime-storage-versions',
    types: ['storageversions.internal.apiserver.k8s.io', 'storageversionmigrations.storagemigration.k8s.io'],
    why: 'They describe how API servers keep objects in the etcd of the source.',
  }),
  always({
    id: 'runtime-certificate-requests',
    types: ['certificatesigningrequests.certificates.k8s.io', 'podcertificaterequests.certificates.k8s.io'],
    why: 'Requests and their approvals concern the signers of the source; whoever needs a certificate asks again.',
  }),
  always({
    id: 'runtime-measurements',
    types: ['componentstatuses', '*.metrics.k8s.io'],
    why: 'They are measured when they are read, and cannot be written.',
  }),
  always({
    id: 'runtime-cilium',
    types: [
      'ciliumendpoints.cilium.io',
      'ciliumendpointslices.cilium.io',
      'ciliumidentities.cilium.io',
      'ciliumnodes.cilium.io',
    ],
    why: 'Cilium makes them for the pods and nodes there are; restored ones of another cluster have taken networks down.',
  }),
  always({
    id: 'runtime-calico',
    types: [
      'ipamblocks.crd.projectcalico.org',
      'ipamhandles.crd.projectcalico.org',
      'blockaffinities.crd.projectcalico.org',
      'blockaffinities.projectcalico.org',
      'ipamblocks.projectcalico.org',
      'ipamhandles.projectcalico.org',
    ],
    why: 'Calico keeps in them which node and pod has which address; another cluster’s book-keeping makes addresses collide.',
  }),
];
