import { createHash } from 'node:crypto';
import { z } from 'zod';
import { LifeboatError } from '../core/errors.ts';
import { decryptAge, encryptAge } from './age.ts';
import type { SlotSecret, UnlockSecrets } from './age.ts';
import type { RepositoryKeys } from './material.ts';
import { SEALING_PUBLIC_BYTES } from './sealing.ts';
import { Secret } from './secret.ts';
import { signingPublicKey } from './signing.ts';

/** What a key slot holds once it is open: the read key as JSON. docs/format.md, "Key slots". */
const FORMAT = 'lifeboat-read-key';
const VERSION = 1;

const hex32 = z.string().regex(/^[0-9a-f]{64}$/);
const readKeySchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.int().min(1),
  repository: z.string().regex(/^[0-9a-f]{32}$/),
  sealingKey: hex32,
  sealingPublicKey: z.base64(),
  signingKey: hex32,
  dedupKey: hex32,
  indexKey: hex32,
});

/** A key slot: an age file that any age implementation opens, with the read key in it. Throws `LB_KEY_INVALID`. */
export async function sealSlot(keys: RepositoryKeys, secret: SlotSecret): Promise<Uint8Array> {
  const document = {
    format: FORMAT,
    version: VERSION,
    repository: keys.repositoryId,
    sealingKey: hexOf(keys.sealingKey),
    sealingPublicKey: Buffer.from(keys.sealingPublicKey).toString('base64'),
    signingKey: hexOf(keys.signingKey),
    dedupKey: hexOf(keys.dedupKey),
    indexKey: hexOf(keys.indexKey),
  };
  return encryptAge(Buffer.from(JSON.stringify(document)), secret);
}

/**
 * The read key in a slot, or `undefined` when none of the secrets opens it.
 * Throws `LB_KEY_INVALID` when an identity is malformed, or when what the slot holds is not a read key.
 */
export async function openSlot(slot: Uint8Array, secrets: UnlockSecrets): Promise<RepositoryKeys | undefined> {
  const opened = await decryptAge(slot, secrets);
  if (opened === undefined) return undefined;
  const document = parseJson(opened);
  const version =
    z.object({ format: z.literal(FORMAT), version: z.int() }).safeParse(document).data?.version ?? VERSION;
  if (version > VERSION) {
    throw new LifeboatError('LB_REPO_NEWER_FORMAT', `The key slot has format version ${version}`, {
      hint: 'Use a newer lifeboat.',
    });
  }
  const parsed = readKeySchema.safeParse(document);
  if (!parsed.success) throw new LifeboatError('LB_KEY_INVALID', 'The key slot opens, but holds no read key');
  const sealingPublicKey = new Uint8Array(Buffer.from(parsed.data.sealingPublicKey, 'base64'));
  if (sealingPublicKey.length !== SEALING_PUBLIC_BYTES)
    throw new LifeboatError('LB_KEY_INVALID', 'The read key in the slot is malformed');
  const sealingKey = secretOf(parsed.data.sealingKey);
  const signingKey = secretOf(parsed.data.signingKey);
  return {
    repositoryId: parsed.data.repository,
    sealingKey,
    sealingPublicKey,
    signingKey,
    signingPublicKey: signingPublicKey(signingKey),
    dedupKey: secretOf(parsed.data.dedupKey),
    indexKey: secretOf(parsed.data.indexKey),
  };
}

/** The name of a slot: SHA-256 of its bytes, lower-case hex. */
export function slotId(slot: Uint8Array): string {
  return createHash('sha256').update(slot).digest('hex');
}

/** How a slot is locked, as its first lines tell; `unknown` for what is not an age file or uses something else. */
export type SlotKind = 'passphrase' | 'x25519' | 'post-quantum' | 'unknown';

export function slotKind(slot: Uint8Array): SlotKind {
  const [version, stanza = ''] = Buffer.from(slot.subarray(0, 200)).toString('latin1').split('\n');
  if (version !== 'age-encryption.org/v1') return 'unknown';
  if (stanza.startsWith('-> scrypt ')) return 'passphrase';
  if (stanza.startsWith('-> X25519 ')) return 'x25519';
  return stanza.startsWith('-> mlkem768x25519 ') ? 'post-quantum' : 'unknown';
}

function hexOf(secret: Secret): string {
  return Buffer.from(secret.expose()).toString('hex');
}

function secretOf(hex: string): Secret {
  return new Secret(Buffer.from(hex, 'hex'));
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
}
