import { objectAt, objectsAt, textAt } from '../../adapt/json.ts';
import type { JsonObject } from '../../adapt/json.ts';
import type { ReferenceCheck } from './check.ts';
import { demand } from './demand.ts';

export const webhooksCheck: ReferenceCheck = {
  id: 'webhooks',
  title: 'The Services behind webhooks, conversions and aggregated APIs are there',
  types: [
    'validatingwebhookconfigurations.admissionregistration.k8s.io',
    'mutatingwebhookconfigurations.admissionregistration.k8s.io',
    'customresourcedefinitions.apiextensions.k8s.io',
    'apiservices.apiregistration.k8s.io',
  ],
  needs: ['services'],
  look({ object, label }, inventory, found) {
    for (const { what, service } of calledBy(object)) {
      if (service === undefined) continue;
      const [namespace, name] = [textAt(service, 'namespace'), textAt(service, 'name')];
      demand(inventory, found, { type: 'services', namespace, name }, label, `${what} is served by the Service ${namespace}/${name}, which is not there`);
    }
    for (const webhook of objectsAt(object, 'webhooks')) {
      const url = textAt(webhook, 'clientConfig', 'url');
      if (url !== '') found.note(label, `webhook ${textAt(webhook, 'name')} is at an address outside the cluster (${hostOf(url)}): whether it answers a restored site was not tried`);
    }
  },
};

function calledBy(object: JsonObject): { readonly what: string; readonly service: JsonObject | undefined }[] {
  const webhooks = objectsAt(object, 'webhooks').map((webhook) => ({ what: `webhook ${textAt(webhook, 'name')}`, service: objectAt(webhook, 'clientConfig', 'service') }));
  return [
    ...webhooks,
    { what: 'conversion', service: objectAt(object, 'spec', 'conversion', 'webhook', 'clientConfig', 'service') },
    { what: 'the API', service: objectAt(object, 'spec', 'service') },
  ];
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'not a URL';
}
