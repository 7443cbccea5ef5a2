import { createHash } from 'node:crypto';
import { LifeboatError } from '../core/errors.ts';
import { checksum, tokenOf } from './key-text.ts';
import { Secret } from './secret.ts';
import { generateSigningKey, SIGNING_KEY_BYTES, signingPublicKey } from './signing.ts';

/** Signs the audit trail of a server. It opens nothing and signs nothing else. docs/format.md, "Keys as text". */
export interface AuditKey extends AuditPublicKey {
  readonly signingKey: Secret;
}

/** Checks an audit trail. */
export interface AuditPublicKey {
  /** What the trail is called in the vaults: the first 16 hex digits of the SHA-256 of the public key. */
  readonly server: string;
  readonly publicKey: Uint8Array;
}

const SECRET = 'lifeboat-audit-key-1';
const PUBLIC = 'lifeboat-audit-public-1';

export function generateAuditKey(): AuditKey {
  return auditKeyOf(generateSigningKey().seed);
}

/** One line of text, fit for a file or an environment variable. */
export function formatAuditKey(key: AuditKey): string {
  return format(SECRET, key.signingKey.expose());
}

/** What `lifeboat audit verify --public-key` takes: no secret. */
export function formatAuditPublicKey(key: AuditPublicKey): string {
  return format(PUBLIC, key.publicKey);
}

/** Reads what `formatAuditKey` wrote. White space and lines that begin with `#` are ignored. Throws `LB_KEY_INVALID`. */
export function parseAuditKey(text: string): AuditKey {
  return auditKeyOf(parse(SECRET, 'an audit key', text));
}

/** Reads what `formatAuditPublicKey` wrote; as `parseAuditKey`. */
export function parseAuditPublicKey(text: string): AuditPublicKey {
  return named(parse(PUBLIC, 'the public half of an audit key', text));
}

function auditKeyOf(seed: Uint8Array): AuditKey {
  const signingKey = new Secret(seed);
  return { signingKey, ...named(signingPublicKey(signingKey)) };
}

function named(publicKey: Uint8Array): AuditPublicKey {
  return { server: createHash('sha256').update(publicKey).digest('hex').slice(0, 16), publicKey };
}

function format(family: string, bytes: Uint8Array): string {
  const signed = `${family}.${Buffer.from(bytes).toString('base64url')}`;
  return `${signed}.${checksum(signed)}`;
}

function parse(family: string, what: string, text: string): Uint8Array {
  const [prefix = '', payload = '', sum = '', ...rest] = tokenOf(text).split('.');
  if (prefix !== family) throw new LifeboatError('LB_KEY_INVALID', `This is not ${what}`, { hint: `It begins with "${family}."; \`lifeboat audit init\` makes one.` });
  const bytes = Buffer.from(payload, 'base64url');
  const whole = rest.length === 0 && bytes.toString('base64url') === payload && sum === checksum(`${prefix}.${payload}`);
  if (!whole || bytes.length !== SIGNING_KEY_BYTES) {
    throw new LifeboatError('LB_KEY_INVALID', `This is ${what}, but it is incomplete or has a typing mistake`, { hint: 'Copy the whole line again.' });
  }
  return new Uint8Array(bytes);
}
