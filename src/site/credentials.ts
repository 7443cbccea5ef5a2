import { readFile } from 'node:fs/promises';
import { LifeboatError, messageOf } from '../core/errors.ts';
import type { ExecEntry, SiteAccess } from './kubeconfig.ts';

/** What TLS needs to reach a server as this user. */
export interface TlsIdentity {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly rejectUnauthorized: boolean;
  readonly servername?: string;
}

/** Credentials as they are now. A refused request makes new ones from the same `SiteAccess`: everything is read again. */
export interface Credentials {
  readonly tls: TlsIdentity;
  /** Headers to send with a request made now; follows token files and plugins that rotate. */
  headers(): Promise<Readonly<Record<string, string | string[]>>>;
}

/** How long a token from a file or a plugin is used before it is asked for again. client-go re-reads token files every minute. */
const TOKEN_FRESH_MS = 60_000;
const PLUGIN_FRESH_MS = 10_000;

/**
 * Reads certificates, tokens and, if the user has one, runs the credential plugin.
 * Throws `LB_SITE_CONFIG` naming the file or plugin that failed.
 */
export async function loadCredentials(access: SiteAccess): Promise<Credentials> {
  const { cluster, user } = access;
  const ca = await pem(access, cluster['certificate-authority'], cluster['certificate-authority-data']);
  const cert = await pem(access, user['client-certificate'], user['client-certificate-data']);
  const key = await pem(access, user['client-key'], user['client-key-data']);
  const servername = cluster['tls-server-name'];
  const plugin = user.exec || user['auth-provider'] ? await openPlugin(access) : undefined;
  const first = await plugin?.();
  const identity = first?.cert !== undefined && first.key !== undefined ? { cert: first.cert, key: first.key } : { cert, key };
  const token = plugin
    ? fresh(PLUGIN_FRESH_MS, async () => (await plugin()).authorization)
    : fresh(TOKEN_FRESH_MS, () => authorization(access));
  const impersonation = impersonationHeaders(access);
  return {
    tls: {
      rejectUnauthorized: cluster['insecure-skip-tls-verify'] !== true,
      ...(ca === undefined ? {} : { ca }),
      ...(identity.cert === undefined ? {} : { cert: identity.cert }),
      ...(identity.key === undefined ? {} : { key: identity.key }),
      ...(servername ? { servername } : {}),
    },
    async headers() {
      const value = await token();
      return value === undefined ? impersonation : { ...impersonation, authorization: value };
    },
  };
}

async function authorization({ user, from }: SiteAccess): Promise<string | undefined> {
  // As kubectl: a token file wins over a token, a token over a password.
  if (user.tokenFile) return `Bearer ${(await readText(from, user.tokenFile)).trim()}`;
  if (user.token) return `Bearer ${user.token}`;
  if (user.username) return `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`;
  return undefined;
}

/** Source: Kubernetes docs, "User impersonation": one header line for each group. */
function impersonationHeaders({ user }: SiteAccess): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  if (user.as) headers['impersonate-user'] = user.as;
  if (user['as-uid']) headers['impersonate-uid'] = user['as-uid'];
  if (user['as-groups'] && user['as-groups'].length > 0) headers['impersonate-group'] = user['as-groups'];
  return headers;
}

interface PluginAnswer {
  readonly authorization: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/**
 * The Kubernetes client's own machinery for credential plugins and the older auth providers (OIDC).
 * It is loaded only for users that need it: it takes a quarter of a second and 90 MB.
 */
async function openPlugin(access: SiteAccess): Promise<() => Promise<PluginAnswer>> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const { exec, 'auth-provider': authProvider } = access.user;
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: 'site', server: access.cluster.server, skipTLSVerify: true },
    {
      name: 'user',
      ...(exec ? { exec: { ...exec, env: pluginEnvironment(access, exec) } } : {}),
      ...(authProvider ? { authProvider } : {}),
    },
  );
  return async () => {
    const options: { headers?: Record<string, string>; cert?: string; key?: string } = {};
    try {
      await config.applyToHTTPSOptions(options);
    } catch (error) {
      throw pluginFailed(access, error);
    }
    return { authorization: options.headers?.['Authorization'], cert: options.cert, key: options.key };
  };
}

/** Plugins are told what asks through KUBERNETES_EXEC_INFO. Source: `k8s.io/client-go` exec plugin, `ExecCredential.spec`. */
function pluginEnvironment({ cluster }: SiteAccess, exec: ExecEntry): { name: string; value: string }[] {
  const info = {
    apiVersion: exec.apiVersion ?? 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: {
      interactive: false,
      ...(exec.provideClusterInfo === true
        ? {
            cluster: {
              server: cluster.server,
              'certificate-authority-data': cluster['certificate-authority-data'],
              'insecure-skip-tls-verify': cluster['insecure-skip-tls-verify'],
              'tls-server-name': cluster['tls-server-name'],
            },
          }
        : {}),
    },
  };
  return [...(exec.env ?? []), { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }];
}

function pluginFailed(access: SiteAccess, error: unknown): LifeboatError {
  const name = access.user.exec?.command ?? access.user['auth-provider']?.name ?? '';
  const hint = access.user.exec?.installHint;
  // What the plugin wrote to its standard error: usually how to log in again.
  const said = messageOf(error).trim().slice(0, 500);
  return new LifeboatError('LB_SITE_CONFIG', `The credential plugin ${name} failed: ${said}`, {
    where: access.from,
    ...(hint === undefined ? {} : { hint }),
  });
}

async function pem(access: SiteAccess, path: string | undefined, data: string | undefined): Promise<string | undefined> {
  // As kubectl: data wins over a file.
  if (data) return Buffer.from(data, 'base64').toString('latin1');
  return path ? readText(access.from, path) : undefined;
}

async function readText(from: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new LifeboatError('LB_SITE_CONFIG', `A file that ${from} names cannot be read: ${messageOf(error)}`, { where: path });
  }
}

/** Keeps a value for `ms`; callers that ask at the same time share one look. A failure is not kept. */
function fresh<T>(ms: number, load: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | undefined;
  let until = 0;
  return () => {
    if (value === undefined || Date.now() >= until) {
      const loading = load();
      value = loading;
      until = Date.now() + ms;
      loading.catch(() => {
        if (value === loading) value = undefined;
      });
    }
    return value;
  };
}
