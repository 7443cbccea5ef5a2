import type { Manifest } from '../testbed/kubernetes/api.ts';

/** What a Secret of the site holds: it must never be seen in a report. */
export const PLANTED_SECRET = 'correct-horse-battery-staple';

const pod = (spec: object): object => ({ metadata: { labels: { app: 'x' } }, spec });
const container = { name: 'web', image: 'example.invalid/shop/web:1.4' };

function deployment(name: string, spec: object): Manifest {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace: 'shop' }, spec: { replicas: 1, selector: { matchLabels: { app: 'x' } }, template: pod(spec) } };
}

/** A namespace in which everything that is referred to is there, with one of each kind that a drill must keep from acting. */
export const SOUND: readonly Manifest[] = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
  { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'db', namespace: 'shop' }, stringData: { password: PLANTED_SECRET } },
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'prices', namespace: 'shop' }, data: { bread: '3.20' } },
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'runner', namespace: 'shop' } },
  { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'fast' }, provisioner: 'example.com/fast' },
  { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data', namespace: 'shop' }, spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'fast', resources: { requests: { storage: '1Gi' } } } },
  { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'shop', annotations: { 'external-dns.alpha.kubernetes.io/hostname': 'shop.example.com' } }, spec: { type: 'LoadBalancer', selector: { app: 'x' }, ports: [{ port: 80 }] } },
  deployment('web', {
    serviceAccountName: 'runner',
    containers: [{ ...container, env: [{ name: 'P', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }], envFrom: [{ configMapRef: { name: 'prices' } }, { configMapRef: { name: 'absent', optional: true } }] }],
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
  }),
  { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'mail', namespace: 'shop' }, spec: { schedule: '* * * * *', jobTemplate: { spec: { template: pod({ restartPolicy: 'Never', containers: [container] }) } } } },
  {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'boats.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'boats', singular: 'boat', kind: 'Boat' },
      conversion: { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig: { service: { namespace: 'shop', name: 'web', path: '/convert' } } } },
      versions: ['v1alpha1', 'v1'].map((name) => ({ name, served: true, storage: name === 'v1', schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } })),
    },
  },
  { apiVersion: 'example.com/v1', kind: 'Boat', metadata: { name: 'ada', namespace: 'shop' }, spec: { sails: 2 } },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'sound' },
    webhooks: [{ name: 'sound.example.com', clientConfig: { service: { namespace: 'shop', name: 'web' } }, rules: [{ apiGroups: ['example.org'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['things'] }], sideEffects: 'None', admissionReviewVersions: ['v1'] }],
  },
  { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name: 'v1.things.example.org' }, spec: { group: 'things.example.org', version: 'v1', service: { namespace: 'shop', name: 'web' }, groupPriorityMinimum: 1000, versionPriority: 10, insecureSkipTLSVerify: true } },
];

/** One thing that is broken for each check of references. */
export const BROKEN: readonly Manifest[] = [
  deployment('no-secret', { containers: [{ ...container, envFrom: [{ secretRef: { name: 'gone' } }] }] }),
  deployment('no-account', { serviceAccountName: 'nobody', containers: [container] }),
  deployment('no-claim', { containers: [container], volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'lost' } }] }),
  deployment('no-class', { priorityClassName: 'urgent', containers: [container] }),
  deployment('no-image', { containers: [{ name: 'web', image: 'example.invalid/Shop:UPPER:1' }] }),
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { name: 'no-role', namespace: 'shop' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'baker' }, subjects: [] },
  { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: 'no-class', namespace: 'shop' }, spec: { ingressClassName: 'public', rules: [{ http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'closed', port: { number: 80 } } } }] } }] } },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: 'broken' },
    webhooks: [{ name: 'broken.example.com', clientConfig: { service: { namespace: 'shop', name: 'nothing' } }, rules: [{ apiGroups: ['example.org'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['things'] }], sideEffects: 'None', admissionReviewVersions: ['v1'] }],
  },
];
