import { createHash } from 'node:crypto';
import { LifeboatError } from '../core/errors.ts';
import type { WriteKey } from './material.ts';
import { REPOSITORY_ID_BYTES } from './material.ts';
import { SEALING_PUBLIC_BYTES } from './sealing.ts';
import { Secret } from './secret.ts';
import { SIGNING_KEY_BYTES, signingPublicKey } from './signing.ts';

/** Text form of a write key: `lifeboat-write-key-1.<base64url>.<checksum>`. docs/format.md, "Write key". */
const PREFIX = 'lifeboat-write-key-1';
const FAMILY = /^lifeboat-write-key-(\d+)\./;
const PAYLOAD_BYTES = REPOSITORY_ID_BYTES + SEALING_PUBLIC_BYTES + 3 * 32;

/**
 * One line of text that holds the whole write key, fit for a file or an environment variable.
 * The checksum finds typing and copying mistakes; it protects nothing.
 */
export function formatWriteKey(key: WriteKey): string {
  const payload = Buffer.concat([
    Buffer.from(key.repositoryId, 'hex'),
    key.sealingPublicKey,
    key.dedupKey.expose(),
    key.indexKey.expose(),
    key.signingKey.expose(),
  ]).toString('base64url');
  return `${PREFIX}.${payload}.${checksum(payload)}`;
}

/**
 * Reads what `formatWriteKey` wrote. White space and lines that begin with `#` are ignored.
 * Throws `LB_KEY_INVALID` when the text is not a write key, was damaged, or is of a newer kind.
 */
export function parseWriteKey(text: string): WriteKey {
  const token = text.replace(/^\s*#.*$/gm, '').replace(/\s+/g, '');
  const version = FAMILY.exec(token)?.[1];
  if (version === undefined) throw invalid('This is not a write key', `A write key begins with "${PREFIX}."`);
  if (version !== '1') throw invalid('This write key is of a newer kind', 'Use a newer lifeboat.');
  const [, payload = '', sum = '', ...rest] = token.split('.');
  const bytes = Buffer.from(payload, 'base64url');
  const whole = rest.length === 0 && bytes.toString('base64url') === payload && sum === checksum(payload);
  if (!whole || bytes.length !== PAYLOAD_BYTES) {
    throw invalid('The write key is incomplete or has a typing mistake', 'Copy the whole key file again.');
  }
  let at = 0;
  const take = (length: number): Uint8Array => new Uint8Array(bytes.subarray(at, (at += length)));
  const repositoryId = Buffer.from(take(REPOSITORY_ID_BYTES)).toString('hex');
  const sealingPublicKey = take(SEALING_PUBLIC_BYTES);
  const dedupKey = new Secret(take(32));
  const indexKey = new Secret(take(32));
  const signingKey = new Secret(take(SIGNING_KEY_BYTES));
  return {
    repositoryId,
    sealingPublicKey,
    dedupKey,
    indexKey,
    signingKey,
    signingPublicKey: signingPublicKey(signingKey),
  };
}

/** First 4 bytes of the SHA-256 of prefix and payload, in hex. */
function checksum(payload: string): string {
  return createHash('sha256').update(`${PREFIX}.${payload}`).digest('hex').slice(0, 8);
}

function invalid(message: string, hint: string): LifeboatError {
  return new LifeboatError('LB_KEY_INVALID', message, { hint });
}
