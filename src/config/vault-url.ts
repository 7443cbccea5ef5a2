import { resolve } from 'node:path';
import { LifeboatError } from '../core/errors.ts';
import { nearest } from '../core/suggest.ts';
import { vaultConfigSchema } from '../vault/config.ts';
import type { VaultSettings } from '../vault/config.ts';
import { resolvePath } from './load.ts';

/** A kind of address: `scheme://…`. */
interface Scheme {
  /** Shown to whoever wrote another. */
  readonly form: string;
  /** What may stand behind the `?`. */
  readonly parameters: readonly string[];
  /** Where credentials come from, since they cannot be written in the address. */
  readonly credentials: string;
  /** The vault that the address means, yet to be checked. Undefined when it lacks something. */
  readonly settings: (url: URL, parameter: (name: string) => string | undefined, folder: string) => object | undefined;
}

const SCHEMES: Readonly<Record<string, Scheme>> = {
  's3:': {
    form: 's3://BUCKET/PREFIX?endpoint=URL&region=REGION',
    parameters: ['endpoint', 'region', 'pathStyle', 'profile', 'lock'],
    credentials: 'they come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or the AWS configuration files',
    settings: (url, parameter) => ({
      type: 's3',
      bucket: url.hostname,
      prefix: pathOf(url),
      endpoint: parameter('endpoint'),
      region: parameter('region'),
      pathStyle: flag(parameter('pathStyle')),
      credentials: group('profile', parameter('profile')),
      lock: flag(parameter('lock')),
    }),
  },
  'gs:': {
    form: 'gs://BUCKET/PREFIX?keyFile=FILE',
    parameters: ['endpoint', 'keyFile', 'keyEnv', 'lock'],
    credentials: 'they come from GOOGLE_APPLICATION_CREDENTIALS, from `gcloud auth application-default login`, or the file that `keyFile` names',
    settings: (url, parameter, folder) => {
      const keyFile = parameter('keyFile');
      return {
        type: 'gcs',
        bucket: url.hostname,
        prefix: pathOf(url),
        endpoint: parameter('endpoint'),
        credentials: group('keyFile', keyFile && resolvePath(keyFile, folder)) ?? group('keyEnv', parameter('keyEnv')),
        lock: flag(parameter('lock')),
      };
    },
  },
  'azure:': {
    form: 'azure://ACCOUNT/CONTAINER/PREFIX?sasEnv=NAME',
    parameters: ['endpoint', 'sasEnv', 'accountKeyEnv', 'connectionStringEnv', 'lock'],
    credentials: 'they come from the AZURE_* environment variables, from `az login`, or the environment variable that `sasEnv` names',
    settings: (url, parameter) => {
      const [container, ...prefix] = (pathOf(url) ?? '').split('/');
      if (container === undefined || container === '') return undefined;
      const named = ['sasEnv', 'accountKeyEnv', 'connectionStringEnv'].map((name) => group(name, parameter(name)));
      return {
        type: 'azure',
        account: url.hostname,
        container,
        prefix: prefix.length === 0 ? undefined : prefix.join('/'),
        endpoint: parameter('endpoint'),
        credentials: named.find((one) => one !== undefined),
        lock: flag(parameter('lock')),
      };
    },
  },
};

/**
 * A vault as named on the command line: `dir:/backups`, a plain path (with a `/` or beginning with `.`),
 * `s3://bucket/prefix?endpoint=…&region=…&pathStyle=true&profile=…`, `gs://bucket/prefix?keyFile=…` or
 * `azure://account/container/prefix?sasEnv=…`; with `lock=true` its objects can be locked. Credentials cannot be written in
 * it, because command lines are visible to everyone on a machine. Paths are relative to `folder`.
 * Throws `LB_USAGE`.
 */
export function parseVaultUrl(given: string, folder: string): VaultSettings {
  const scheme = SCHEMES[/^([a-z0-9]+:)\/\//.exec(given)?.[1] ?? ''];
  if (scheme !== undefined) return parseAddress(given, scheme, folder);
  const path = given.startsWith('dir:') ? given.slice('dir:'.length).replace(/^\/\/(?=\/)/, '') : given;
  const looksLikePath = given.startsWith('dir:') || (/[/.~]/.test(given) && !/^[a-z0-9+]+:/i.test(given));
  if (!looksLikePath || path === '') {
    const forms = ['dir:PATH', ...Object.values(SCHEMES).map(({ form }) => form)];
    throw refused(given, 'is not an address of a vault', `Write ${forms.slice(0, -1).join(', ')} or ${forms.at(-1) ?? ''}.`);
  }
  return { type: 'directory', path: resolve(resolvePath(path, folder)) };
}

function parseAddress(given: string, scheme: Scheme, folder: string): VaultSettings {
  const { form, parameters, credentials } = scheme;
  const url = URL.parse(given);
  if (url === null || url.hostname === '') throw refused(given, 'is not an address of a vault', `Write ${form}.`);
  // The signature of a shared access signature, pasted with the rest of an address, is one too.
  if (url.username !== '' || url.password !== '' || url.searchParams.has('sig')) {
    const user = url.username === '' && url.password === '' ? '' : '…@';
    throw refused(`${url.protocol}//${user}${url.host}${url.pathname}`, 'carries credentials', `Leave them out: ${credentials}.`);
  }
  for (const name of url.searchParams.keys()) {
    if (parameters.includes(name)) continue;
    const best = nearest(name, parameters);
    const hint = best === undefined ? `Possible are ${parameters.join(', ')}.` : `Did you mean \`${best}\`?`;
    // Its value is not shown: it may be a secret that has no place there.
    throw refused(`${url.protocol}//${url.host}${url.pathname}`, `has an unknown parameter \`${name}\``, hint);
  }
  const settings = scheme.settings(url, (name) => url.searchParams.get(name) ?? undefined, folder);
  if (settings === undefined) throw refused(given, 'is not an address of a vault', `Write ${form}.`);
  const parsed = vaultConfigSchema.safeParse(settings);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw refused(given, `does not name a vault: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

function pathOf(url: URL): string | undefined {
  const path = url.pathname.replaceAll(/^\/+|\/+$/g, '');
  return path === '' ? undefined : path;
}

function flag(value: string | undefined): boolean | undefined {
  return value === undefined ? undefined : value !== 'false';
}

function group(name: string, value: string | undefined): Record<string, string> | undefined {
  return value === undefined ? undefined : { [name]: value };
}

function refused(given: string, message: string, hint?: string): LifeboatError {
  return new LifeboatError('LB_USAGE', `The vault \`${given}\` ${message}`, hint === undefined ? {} : { hint });
}
