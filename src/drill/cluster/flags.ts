import { join } from 'node:path';
import type { ClusterFiles } from './files.ts';

/** The ports of one control plane, all on loopback. */
export interface ClusterPorts {
  readonly etcd: number;
  readonly etcdPeer: number;
  readonly apiServer: number;
}

/**
 * Room for the largest sites. etcd maps this much address space, and uses what it fills.
 * https://etcd.io/docs/v3.6/dev-guide/limit/
 */
const ETCD_QUOTA_BYTES = 8 * 1024 ** 3;

/**
 * Requests a second that the controllers may make. Kubernetes' own limit (20) is for big clusters of small
 * machines; here it would only make everybody wait.
 */
const CONTROLLER_QPS = 500;

/** etcd with one member. Its data is never needed after a crash of the machine: it does not wait for the disk. */
export function etcdFlags(folder: string, files: ClusterFiles, ports: ClusterPorts): string[] {
  const client = `https://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports.etcdPeer}`;
  return [
    '--name=etcd',
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    // Certificates, so that a control plane whose port another one took cannot talk to that one's etcd.
    '--client-cert-auth',
    `--trusted-ca-file=${files.ca.certificate}`,
    `--cert-file=${files.etcd.certificate}`,
    `--key-file=${files.etcd.key}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=etcd=${peer}`,
    '--unsafe-no-fsync',
    `--quota-backend-bytes=${ETCD_QUOTA_BYTES}`,
    '--log-level=warn',
  ];
}

/** What an API server may have beside what every one has. */
export interface ApiServerExtras {
  /** A file for one line a request. */
  readonly auditLog?: string | undefined;
  /** It may not go to anything but its etcd: neither webhooks, nor aggregated APIs, nor services. */
  readonly closed?: boolean;
}

/** An API server as clusters have it: RBAC, service accounts, every default admission plugin, aggregation. */
export function apiServerFlags(files: ClusterFiles, ports: ClusterPorts, { auditLog, closed = false }: ApiServerExtras = {}): string[] {
  return [
    `--etcd-servers=https://127.0.0.1:${ports.etcd}`,
    `--etcd-cafile=${files.ca.certificate}`,
    `--etcd-certfile=${files.etcd.certificate}`,
    `--etcd-keyfile=${files.etcd.key}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${ports.apiServer}`,
    // Endpoints may not be on loopback. This range is for documentation (RFC 5737): nothing answers there.
    `--advertise-address=192.0.2.${1 + (ports.apiServer % 254)}`,
    `--tls-cert-file=${files.server.certificate}`,
    `--tls-private-key-file=${files.server.key}`,
    `--client-ca-file=${files.ca.certificate}`,
    `--token-auth-file=${files.tokens}`,
    '--authorization-mode=Node,RBAC',
    '--allow-privileged=true',
    '--service-cluster-ip-range=10.96.0.0/16',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${files.serviceAccounts.publicKey}`,
    `--service-account-signing-key-file=${files.serviceAccounts.privateKey}`,
    `--requestheader-client-ca-file=${files.frontProxyCa.certificate}`,
    '--requestheader-allowed-names=front-proxy',
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${files.frontProxy.certificate}`,
    `--proxy-client-key-file=${files.frontProxy.key}`,
    // There is no kube-proxy: the API server goes to a service's endpoints itself.
    '--enable-aggregator-routing=true',
    ...(closed ? [`--egress-selector-config-file=${files.egress}`] : []),
    ...(auditLog === undefined ? [] : [`--audit-policy-file=${files.auditPolicy}`, `--audit-log-path=${auditLog}`]),
  ];
}

/** Every default controller, each as its own service account. */
export function controllerManagerFlags(files: ClusterFiles, kubeconfig: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    '--use-service-account-credentials=true',
    `--service-account-private-key-file=${files.serviceAccounts.privateKey}`,
    `--root-ca-file=${files.ca.certificate}`,
    `--cluster-signing-cert-file=${files.ca.certificate}`,
    `--cluster-signing-key-file=${files.ca.key}`,
    '--leader-elect=false',
    '--secure-port=0',
    `--kube-api-qps=${CONTROLLER_QPS}`,
    `--kube-api-burst=${2 * CONTROLLER_QPS}`,
  ];
}

/** The default scheduler. */
export function schedulerFlags(kubeconfig: string): string[] {
  return [`--kubeconfig=${kubeconfig}`, '--leader-elect=false', '--secure-port=0'];
}
