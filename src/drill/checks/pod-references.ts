import { textAt } from '../../adapt/json.ts';
import type { ReferenceCheck } from './check.ts';
import { demand } from './demand.ts';
import { claimsOf, needsOf, ownPodSpecOf, POD_TYPES } from './pods.ts';

const TYPE_OF = { Secret: 'secrets', ConfigMap: 'configmaps' } as const;

/** Every namespace gets it from a controller, which need not be at work in a drill. */
const MADE_BY_CLUSTER = { ConfigMap: 'kube-root-ca.crt', ServiceAccount: 'default' } as const;

export const podReferencesCheck: ReferenceCheck = {
  id: 'pod-references',
  title: 'The Secrets, ConfigMaps, ServiceAccounts and claims that pods need are there',
  types: POD_TYPES,
  needs: ['secrets', 'configmaps', 'serviceaccounts', 'persistentvolumeclaims'],
  look({ object, label, namespace }, inventory, found) {
    const spec = ownPodSpecOf(object);
    if (spec === undefined) return;
    for (const { kind, name, where } of needsOf(spec)) {
      if (kind === 'ConfigMap' && name === MADE_BY_CLUSTER.ConfigMap) continue;
      demand(inventory, found, { type: TYPE_OF[kind], namespace, name }, label, `${where} needs the ${kind} ${name}, which is not there`);
    }
    const account = textAt(spec, 'serviceAccountName');
    if (account !== '' && account !== MADE_BY_CLUSTER.ServiceAccount) {
      demand(inventory, found, { type: 'serviceaccounts', namespace, name: account }, label, `it runs as the ServiceAccount ${account}, which is not there`);
    }
    for (const { name, where } of claimsOf(spec)) {
      demand(inventory, found, { type: 'persistentvolumeclaims', namespace, name }, label, `${where} needs the PersistentVolumeClaim ${name}, which is not there`);
    }
  },
};
