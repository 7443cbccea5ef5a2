import { resolve } from 'node:path';
import { LifeboatError } from '../core/errors.ts';
import { nearest } from '../core/suggest.ts';
import { vaultConfigSchema } from '../vault/config.ts';
import type { VaultSettings } from '../vault/config.ts';
import { resolvePath } from './load.ts';

const S3_PARAMETERS = ['endpoint', 'region', 'pathStyle', 'profile'];

/**
 * A vault as named on the command line: `dir:/backups`, a plain path (with a `/` or beginning with `.`), or
 * `s3://bucket/prefix?endpoint=…&region=…&pathStyle=true&profile=…`. Credentials cannot be written in it, because
 * command lines are visible to everyone on a machine. Paths are relative to `folder`.
 * Throws `LB_USAGE`.
 */
export function parseVaultUrl(given: string, folder: string): VaultSettings {
  if (given.startsWith('s3://')) return parseS3(given);
  const path = given.startsWith('dir:') ? given.slice('dir:'.length).replace(/^\/\/(?=\/)/, '') : given;
  const looksLikePath = given.startsWith('dir:') || (/[/.~]/.test(given) && !/^[a-z0-9+]+:/i.test(given));
  if (!looksLikePath || path === '') {
    throw refused(given, 'is not an address of a vault', 'Write dir:PATH or s3://BUCKET/PREFIX?endpoint=URL.');
  }
  return { type: 'directory', path: resolve(resolvePath(path, folder)) };
}

function parseS3(given: string): VaultSettings {
  const url = URL.parse(given);
  if (url === null || url.hostname === '') {
    throw refused(given, 'is not an address of a bucket', 'Write s3://BUCKET/PREFIX?endpoint=URL&region=REGION.');
  }
  if (url.username !== '' || url.password !== '') {
    const safe = `s3://…@${url.host}${url.pathname}`;
    throw refused(
      safe,
      'carries credentials',
      'Leave them out: they come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or the AWS configuration files.',
    );
  }
  for (const name of url.searchParams.keys()) {
    if (S3_PARAMETERS.includes(name)) continue;
    const best = nearest(name, S3_PARAMETERS);
    const hint = best === undefined ? `Possible are ${S3_PARAMETERS.join(', ')}.` : `Did you mean \`${best}\`?`;
    throw refused(given, `has an unknown parameter \`${name}\``, hint);
  }
  const parameter = (name: string): string | undefined => url.searchParams.get(name) ?? undefined;
  const profile = parameter('profile');
  const prefix = url.pathname.replaceAll(/^\/+|\/+$/g, '');
  const parsed = vaultConfigSchema.safeParse({
    type: 's3',
    bucket: url.hostname,
    prefix: prefix === '' ? undefined : prefix,
    endpoint: parameter('endpoint'),
    region: parameter('region'),
    pathStyle: url.searchParams.has('pathStyle') ? parameter('pathStyle') !== 'false' : undefined,
    credentials: profile === undefined ? undefined : { profile },
  });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw refused(given, `does not name a vault: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

function refused(given: string, message: string, hint?: string): LifeboatError {
  return new LifeboatError('LB_USAGE', `The vault \`${given}\` ${message}`, hint === undefined ? {} : { hint });
}
