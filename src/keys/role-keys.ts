import { LifeboatError } from '../core/errors.ts';
import { checksum, tokenOf } from './key-text.ts';
import { hasSeparateRoles, REPOSITORY_ID_BYTES } from './material.ts';
import type { MaintainKey, ReadKey, WriteKey } from './material.ts';
import type { Role, RoleKey } from './roles.ts';
import { SEALING_PUBLIC_BYTES } from './sealing-sizes.ts';
import { Secret } from './secret.ts';
import { SIGNING_KEY_BYTES, signingPublicKey } from './signing.ts';

/** Text form of a role's key: `lifeboat-<role>-key-<version>.<base64url>.<checksum>`. docs/format.md, "Keys as text". */
const FAMILY = /^lifeboat-(write|read|maintain)-key-(\d+)\./;

type ExportedRole = Exclude<Role, 'owner'>;

/** Bytes of each kind of key that there is, by role and version. */
const PAYLOAD_BYTES: Readonly<Record<ExportedRole, Readonly<Record<string, number>>>> = {
  write: { 1: REPOSITORY_ID_BYTES + SEALING_PUBLIC_BYTES + 3 * 32, 2: REPOSITORY_ID_BYTES + SEALING_PUBLIC_BYTES + 5 * 32 },
  read: { 1: REPOSITORY_ID_BYTES + SEALING_PUBLIC_BYTES + 6 * 32 },
  maintain: { 1: REPOSITORY_ID_BYTES + SEALING_PUBLIC_BYTES + 3 * 32 },
};

/**
 * One line of text that holds the whole write key, fit for a file or an environment variable.
 * The checksum finds typing and copying mistakes; it protects nothing.
 */
export function formatWriteKey(key: WriteKey): string {
  const secrets = [key.dedupKey.expose(), key.indexKey.expose(), key.signingKey.expose()];
  return hasSeparateRoles(key)
    ? format('write', 2, key, [...secrets, key.reportPublicKey, key.maintainPublicKey])
    : format('write', 1, key, secrets);
}

/** The read key as `formatWriteKey` writes a write key. Throws `LB_KEY_ROLE` in a repository made before there were read keys. */
export function formatReadKey(key: ReadKey): string {
  requireSeparateRoles(key, 'read');
  const { sealingKey, reportKey, dedupKey, indexKey, signingPublicKey: signing, maintainPublicKey } = key;
  const secrets = [sealingKey, reportKey, dedupKey, indexKey].map((secret) => secret.expose());
  return format('read', 1, key, [...secrets, signing, maintainPublicKey]);
}

/** The maintain key as `formatWriteKey` writes a write key. Throws `LB_KEY_ROLE` in a repository made before there were maintain keys. */
export function formatMaintainKey(key: MaintainKey): string {
  requireSeparateRoles(key, 'maintain');
  return format('maintain', 1, key, [key.maintainKey.expose(), key.signingPublicKey, key.reportPublicKey]);
}

/**
 * Reads what `formatWriteKey` wrote. White space and lines that begin with `#` are ignored.
 * Throws `LB_KEY_INVALID` when the text is not a write key, was damaged, or is of a newer kind.
 */
export function parseWriteKey(text: string): WriteKey {
  const { version, about, take } = parse('write', text);
  const [dedupKey, indexKey, signingKey] = [secret(take), secret(take), secret(take)];
  const signing = signingPublicKey(signingKey);
  const others = version === '1' ? [signing, signing] : [take(SIGNING_KEY_BYTES), take(SIGNING_KEY_BYTES)];
  const [reportPublicKey = signing, maintainPublicKey = signing] = others;
  return { ...about, dedupKey, indexKey, signingKey, signingPublicKey: signing, reportPublicKey, maintainPublicKey };
}

/** Reads what `formatReadKey` wrote; as `parseWriteKey`. */
export function parseReadKey(text: string): ReadKey {
  const { about, take } = parse('read', text);
  const [sealingKey, reportKey, dedupKey, indexKey] = [secret(take), secret(take), secret(take), secret(take)];
  const [signing, maintainPublicKey] = [take(SIGNING_KEY_BYTES), take(SIGNING_KEY_BYTES)];
  const reportPublicKey = signingPublicKey(reportKey);
  return { ...about, sealingKey, reportKey, dedupKey, indexKey, signingPublicKey: signing, reportPublicKey, maintainPublicKey };
}

/** Reads what `formatMaintainKey` wrote; as `parseWriteKey`. */
export function parseMaintainKey(text: string): MaintainKey {
  const { about, take } = parse('maintain', text);
  const maintainKey = secret(take);
  const [signing, reportPublicKey] = [take(SIGNING_KEY_BYTES), take(SIGNING_KEY_BYTES)];
  return { ...about, maintainKey, signingPublicKey: signing, reportPublicKey, maintainPublicKey: signingPublicKey(maintainKey) };
}

/** Reads an exported key of any role. Throws as `parseWriteKey`. */
export function parseRoleKey(text: string): RoleKey {
  const role = FAMILY.exec(tokenOf(text))?.[1];
  if (role === 'write') return { role, keys: parseWriteKey(text) };
  if (role === 'maintain') return { role, keys: parseMaintainKey(text) };
  if (role === 'read') return { role, keys: parseReadKey(text) };
  throw invalid('This is not an exported key', 'It begins with "lifeboat-read-key-", "lifeboat-maintain-key-" or "lifeboat-write-key-".');
}

function format(role: ExportedRole, version: number, key: { readonly repositoryId: string; readonly sealingPublicKey: Uint8Array }, rest: readonly Uint8Array[]): string {
  const payload = Buffer.concat([Buffer.from(key.repositoryId, 'hex'), key.sealingPublicKey, ...rest]).toString('base64url');
  const signed = `lifeboat-${role}-key-${version}.${payload}`;
  return `${signed}.${checksum(signed)}`;
}

type Take = (length: number) => Uint8Array;

interface Parsed {
  readonly version: string;
  readonly about: { readonly repositoryId: string; readonly sealingPublicKey: Uint8Array };
  /** The next bytes after those. */
  readonly take: Take;
}

function parse(role: ExportedRole, text: string): Parsed {
  const token = tokenOf(text);
  const [, actual, version = ''] = FAMILY.exec(token) ?? [];
  const beginning = `A ${role} key begins with "lifeboat-${role}-key-".`;
  if (actual === undefined) throw invalid(`This is not a ${role} key`, beginning);
  if (actual !== role) throw invalid(`This is a ${actual} key, and a ${role} key is needed`, beginning);
  const length = PAYLOAD_BYTES[role][version];
  if (length === undefined) throw invalid(`This ${role} key is of a newer kind`, 'Use a newer lifeboat.');
  const [prefix = '', payload = '', sum = '', ...rest] = token.split('.');
  const bytes = Buffer.from(payload, 'base64url');
  const whole = rest.length === 0 && bytes.toString('base64url') === payload && sum === checksum(`${prefix}.${payload}`);
  if (!whole || bytes.length !== length) {
    throw invalid(`The ${role} key is incomplete or has a typing mistake`, 'Copy the whole key file again.');
  }
  let at = 0;
  const take: Take = (count) => new Uint8Array(bytes.subarray(at, (at += count)));
  const repositoryId = Buffer.from(take(REPOSITORY_ID_BYTES)).toString('hex');
  return { version, about: { repositoryId, sealingPublicKey: take(SEALING_PUBLIC_BYTES) }, take };
}

function secret(take: Take): Secret {
  return new Secret(take(32));
}

function requireSeparateRoles(key: ReadKey | MaintainKey, role: ExportedRole): void {
  if (hasSeparateRoles(key)) return;
  throw new LifeboatError('LB_KEY_ROLE', `This repository was made before there were ${role} keys`, {
    hint: 'Only a new repository has one for each role: run `lifeboat init` with another folder or prefix.',
  });
}

function invalid(message: string, hint: string): LifeboatError {
  return new LifeboatError('LB_KEY_INVALID', message, { hint });
}
