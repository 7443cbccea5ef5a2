import { objectsAt, textAt } from '../../adapt/json.ts';
import type { ReferenceCheck } from './check.ts';
import { demand } from './demand.ts';

export const bindingsCheck: ReferenceCheck = {
  id: 'bindings',
  title: 'The roles that bindings give are there',
  types: ['rolebindings.rbac.authorization.k8s.io', 'clusterrolebindings.rbac.authorization.k8s.io'],
  needs: ['roles.rbac.authorization.k8s.io', 'clusterroles.rbac.authorization.k8s.io', 'serviceaccounts'],
  look({ object, label, namespace }, inventory, found) {
    const kind = textAt(object, 'roleRef', 'kind');
    const role = textAt(object, 'roleRef', 'name');
    const given = kind === 'Role' ? { type: 'roles.rbac.authorization.k8s.io', namespace } : { type: 'clusterroles.rbac.authorization.k8s.io', namespace: '' };
    demand(inventory, found, { ...given, name: role }, label, `it gives the ${kind} ${role}, which is not there`);
    for (const subject of objectsAt(object, 'subjects')) {
      if (subject['kind'] !== 'ServiceAccount') continue;
      const account = textAt(subject, 'name');
      const of = textAt(subject, 'namespace') === '' ? namespace : textAt(subject, 'namespace');
      // Rights may well be given to accounts that come later.
      if (account !== 'default' && !inventory.has('serviceaccounts', of, account)) found.note(label, `it gives rights to the ServiceAccount ${of}/${account}, which is not there`);
    }
  },
};
