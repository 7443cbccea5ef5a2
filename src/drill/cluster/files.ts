import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAuthority } from './certificates.ts';
import type { Authority, Credential, Subject } from './certificates.ts';

/** The user and group of the admin: the group may do everything (Kubernetes binds it to `cluster-admin`). */
const ADMIN = { user: 'admin', group: 'system:masters' } as const;

/** The path of a certificate's file and of its key's. */
export interface CredentialFiles {
  readonly certificate: string;
  readonly key: string;
}

/** What a control plane's components and clients prove and check identities with, as files in its folder. */
export interface ClusterFiles {
  readonly authority: Authority;
  readonly adminToken: string;
  readonly ca: CredentialFiles;
  /** The API server's own, valid for 127.0.0.1 and localhost. */
  readonly server: CredentialFiles;
  /** The API server's towards etcd, and etcd's own. */
  readonly etcd: CredentialFiles;
  /** The API server's towards servers that extend it. */
  readonly frontProxyCa: CredentialFiles;
  readonly frontProxy: CredentialFiles;
  /** For service account tokens. */
  readonly serviceAccounts: { readonly privateKey: string; readonly publicKey: string };
  /** Static tokens: the admin's. */
  readonly tokens: string;
  readonly auditPolicy: string;
  /** For an API server that is to reach nothing but its etcd. */
  readonly egress: string;
}

/** Every request, without its content; one line for each when it is answered. */
const AUDIT_POLICY = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted'],
  rules: [{ level: 'Metadata' }],
};

/**
 * Whatever the API server would connect to, it has to go through a proxy that is not there, in a folder nobody else can put
 * one into. `controlplane` is for webhooks by URL, `cluster` for services. Source: apiserver.k8s.io/v1beta1; KEP-1281.
 */
function noWayOut(folder: string): unknown {
  const nowhere = { proxyProtocol: 'HTTPConnect', transport: { uds: { udsName: join(folder, 'no-way-out.sock') } } };
  return {
    apiVersion: 'apiserver.k8s.io/v1beta1',
    kind: 'EgressSelectorConfiguration',
    egressSelections: ['cluster', 'controlplane'].map((name) => ({ name, connection: nowhere })),
  };
}

/** Makes a control plane's keys and certificates, and writes them into its folder. */
export async function writeClusterFiles(folder: string): Promise<ClusterFiles> {
  const write = async (name: string, content: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  };
  const writeCredential = async (name: string, { certificate, key }: Credential): Promise<CredentialFiles> => ({
    certificate: await write(`${name}.crt`, certificate),
    key: await write(`${name}.key`, key),
  });
  const loopback = (commonName: string, usage: Subject['usage']): Subject => ({
    commonName,
    usage,
    // Names by which clients inside a cluster know the API server, beside those on loopback.
    dnsNames: ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'],
    addresses: ['127.0.0.1'],
  });

  const authority = createAuthority('lifeboat');
  const frontProxyAuthority = createAuthority('lifeboat front proxy');
  // Kubernetes' own choice for service account tokens, RS256.
  const serviceAccountKeys = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const adminToken = randomBytes(24).toString('base64url');
  return {
    authority,
    adminToken,
    ca: await writeCredential('ca', authority),
    server: await writeCredential('kube-apiserver', authority.issue(loopback('kube-apiserver', 'server'))),
    etcd: await writeCredential('etcd', authority.issue(loopback('etcd', 'both'))),
    frontProxyCa: await writeCredential('front-proxy-ca', frontProxyAuthority),
    frontProxy: await writeCredential(
      'front-proxy',
      frontProxyAuthority.issue({ commonName: 'front-proxy', usage: 'client' }),
    ),
    serviceAccounts: {
      privateKey: await write('service-accounts.key', serviceAccountKeys.privateKey),
      publicKey: await write('service-accounts.pub', serviceAccountKeys.publicKey),
    },
    tokens: await write('tokens.csv', `${adminToken},${ADMIN.user},${ADMIN.user},${ADMIN.group}\n`),
    auditPolicy: await write('audit-policy.json', JSON.stringify(AUDIT_POLICY)),
    egress: await write('egress.json', JSON.stringify(noWayOut(folder))),
  };
}
