import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { LifeboatError, messageOf } from '../core/errors.ts';

/**
 * What is read of a kubeconfig file. Source of the fields: `k8s.io/client-go/tools/clientcmd/api/v1` types.go.
 * Unknown fields are ignored, as kubectl does.
 */
const text = z.string().min(1);
const execSchema = z.object({
  apiVersion: z.string().optional(),
  command: text,
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: text, value: z.string() })).nullish(),
  installHint: z.string().optional(),
  provideClusterInfo: z.boolean().optional(),
});
const clusterSchema = z.object({
  server: z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }),
  'certificate-authority': z.string().optional(),
  'certificate-authority-data': z.string().optional(),
  'insecure-skip-tls-verify': z.boolean().optional(),
  'tls-server-name': z.string().optional(),
  'proxy-url': z.string().optional(),
});
const userSchema = z.object({
  'client-certificate': z.string().optional(),
  'client-certificate-data': z.string().optional(),
  'client-key': z.string().optional(),
  'client-key-data': z.string().optional(),
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  as: z.string().optional(),
  'as-groups': z.array(z.string()).nullish(),
  'as-uid': z.string().optional(),
  exec: execSchema.nullish(),
  'auth-provider': z.object({ name: text, config: z.record(z.string(), z.string()).nullish() }).nullish(),
});
const contextSchema = z.object({ cluster: text, user: z.string().optional() });
const fileSchema = z.object({
  'current-context': z.string().nullish(),
  clusters: z.array(z.object({ name: text, cluster: clusterSchema })).nullish(),
  users: z.array(z.object({ name: text, user: userSchema.nullish() })).nullish(),
  contexts: z.array(z.object({ name: text, context: contextSchema })).nullish(),
});

export type ClusterEntry = z.infer<typeof clusterSchema>;
export type UserEntry = z.infer<typeof userSchema>;
export type ExecEntry = z.infer<typeof execSchema>;

/** One cluster and the user to be there, as a kubeconfig (or a pod's service account) says. Paths are absolute. */
export interface SiteAccess {
  readonly context: string;
  readonly cluster: ClusterEntry;
  readonly user: UserEntry;
  /** For messages: the file, or `the pod's service account`. */
  readonly from: string;
}

/** Which kubeconfig files are read when none is named: `$KUBECONFIG` (several, joined by `:`), else `~/.kube/config`. */
export function defaultKubeconfigPaths(env: NodeJS.ProcessEnv = process.env): readonly string[] {
  const named = (env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  return named.length > 0 ? named : [join(homedir(), '.kube', 'config')];
}

/**
 * Reads kubeconfig files and picks one context (default: the current one). As kubectl does, the first file to
 * define a name wins. Throws `LB_SITE_CONFIG` naming the file and the mistake.
 */
export async function readKubeconfig(paths: readonly string[], contextName?: string): Promise<SiteAccess> {
  const clusters = new Map<string, { entry: ClusterEntry; file: string }>();
  const users = new Map<string, UserEntry>();
  const contexts = new Map<string, z.infer<typeof contextSchema>>();
  let current = contextName;
  const from = paths.join(delimiter);
  for (const path of paths) {
    const file = await readOne(path);
    const folder = dirname(resolve(path));
    for (const { name, cluster } of file.clusters ?? []) {
      if (!clusters.has(name)) clusters.set(name, { entry: absoluteCluster(cluster, folder), file: path });
    }
    for (const { name, user } of file.users ?? []) if (!users.has(name)) users.set(name, absoluteUser(user ?? {}, folder));
    for (const { name, context } of file.contexts ?? []) if (!contexts.has(name)) contexts.set(name, context);
    current ??= file['current-context'] === '' ? undefined : (file['current-context'] ?? undefined);
  }
  if (current === undefined) {
    throw wrong(from, 'it names no current context', `Name one of its contexts: ${listed(contexts.keys())}.`);
  }
  const context = contexts.get(current);
  if (context === undefined) throw wrong(from, `it has no context "${current}"`, `Its contexts are: ${listed(contexts.keys())}.`);
  const cluster = clusters.get(context.cluster);
  if (cluster === undefined) throw wrong(from, `context "${current}" names the cluster "${context.cluster}", which is not there`);
  const user = context.user === undefined ? {} : users.get(context.user);
  if (user === undefined) throw wrong(from, `context "${current}" names the user "${context.user}", which is not there`);
  return { context: current, cluster: cluster.entry, user, from };
}

/** Where Kubernetes puts a pod's credentials. Source: Kubernetes docs, "Accessing the Kubernetes API from a Pod". */
const SERVICE_ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Access with the service account of the pod this runs in. Throws `LB_SITE_CONFIG` outside a pod. */
export function inClusterAccess(env: NodeJS.ProcessEnv = process.env, folder: string = SERVICE_ACCOUNT_FOLDER): SiteAccess {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'];
  if (!host || !port) {
    throw new LifeboatError('LB_SITE_CONFIG', 'This does not run in a pod: KUBERNETES_SERVICE_HOST is not set', {
      hint: 'Name a kubeconfig instead.',
    });
  }
  return {
    context: 'in-cluster',
    cluster: {
      server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
      'certificate-authority': join(folder, 'ca.crt'),
    },
    user: { tokenFile: join(folder, 'token') },
    from: "the pod's service account",
  };
}

async function readOne(path: string): Promise<z.infer<typeof fileSchema>> {
  let content: string;
  try {
    content = await readFile(path, 'utf8');
  } catch (error) {
    throw wrong(path, messageOf(error), 'Give the path of a kubeconfig, or set KUBECONFIG.');
  }
  let document: unknown;
  try {
    document = parse(content);
  } catch (error) {
    // Only the first line: the lines after it quote the file, which holds credentials.
    throw wrong(path, `it is not YAML: ${messageOf(error).split('\n')[0]}`);
  }
  const checked = fileSchema.safeParse(document ?? {});
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw wrong(path, issue === undefined ? 'it is malformed' : `${issue.path.join('.')}: ${issue.message}`);
  }
  return checked.data;
}

function absoluteCluster(cluster: ClusterEntry, folder: string): ClusterEntry {
  return { ...cluster, ...absolute(cluster, ['certificate-authority'], folder) };
}

function absoluteUser(user: UserEntry, folder: string): UserEntry {
  const paths = absolute(user, ['client-certificate', 'client-key', 'tokenFile'], folder);
  const command = user.exec?.command;
  // As kubectl: a plugin named with a folder is looked up beside the kubeconfig, a bare name in PATH.
  const exec =
    user.exec && command !== undefined && command.includes('/') ? { ...user.exec, command: resolve(folder, command) } : user.exec;
  return { ...user, ...paths, exec };
}

function absolute<K extends string>(
  entry: { readonly [key in K]?: string | undefined },
  keys: readonly K[],
  folder: string,
): Partial<Record<K, string>> {
  const result: Partial<Record<K, string>> = {};
  for (const key of keys) {
    const path = entry[key];
    if (path !== undefined && path !== '') result[key] = isAbsolute(path) ? path : join(folder, path);
  }
  return result;
}

function wrong(file: string, what: string, hint?: string): LifeboatError {
  return new LifeboatError('LB_SITE_CONFIG', `The kubeconfig ${file} cannot be used: ${what}`, {
    where: file,
    ...(hint === undefined ? {} : { hint }),
  });
}

function listed(names: Iterable<string>): string {
  return [...names].toSorted().join(', ') || 'none';
}
