import { objectAt, objectsAt, textAt } from '../../adapt/json.ts';
import type { JsonObject } from '../../adapt/json.ts';
import type { ReferenceCheck } from './check.ts';
import { demand } from './demand.ts';

export const routesCheck: ReferenceCheck = {
  id: 'routes',
  title: 'The Services and TLS Secrets that Ingresses name are there',
  types: ['ingresses.networking.k8s.io'],
  needs: ['services', 'secrets'],
  look({ object, label, namespace }, inventory, found) {
    for (const service of servicesOf(object)) {
      demand(inventory, found, { type: 'services', namespace, name: service }, label, `it leads to the Service ${service}, which is not there`);
    }
    for (const tls of objectsAt(object, 'spec', 'tls')) {
      const secret = textAt(tls, 'secretName');
      if (secret === '') continue;
      demand(inventory, found, { type: 'secrets', namespace, name: secret }, label, `its certificate is in the Secret ${secret}, which is not there`);
    }
  },
};

function servicesOf(ingress: JsonObject): string[] {
  const paths = objectsAt(ingress, 'spec', 'rules').flatMap((rule) => objectsAt(rule, 'http', 'paths'));
  const backends = [objectAt(ingress, 'spec', 'defaultBackend'), ...paths.map((path) => objectAt(path, 'backend'))];
  return backends.map((backend) => (backend === undefined ? '' : textAt(backend, 'service', 'name'))).filter((name) => name !== '');
}
