import { randomBytes } from 'node:crypto';
import { generateSealingKey } from './sealing.ts';
import { Secret } from './secret.ts';
import { generateSigningKey } from './signing.ts';

/** What adds recovery points, and cannot read them. */
export interface WriteKey {
  /** 32 lower-case hex digits: which repository this key belongs to. */
  readonly repositoryId: string;
  /** Public half of the sealing key. Part of the write key so that nobody who can write to a vault can swap it. */
  readonly sealingPublicKey: Uint8Array;
  readonly signingPublicKey: Uint8Array;
  /** Ed25519 seed: signs headers, points and tombstones. */
  readonly signingKey: Secret;
  /** HMAC-SHA-256 key that names chunks by their content. */
  readonly dedupKey: Secret;
  /** Seals index objects, which writers must read. */
  readonly indexKey: Secret;
}

/** Everything: reads and writes. */
export interface RepositoryKeys extends WriteKey {
  /** Private half of the sealing key: the X-Wing seed. The one thing a write key lacks. */
  readonly sealingKey: Secret;
}

/** Bytes of a repository id. */
export const REPOSITORY_ID_BYTES = 16;

/** Keys for a new repository, with its new random id. */
export async function generateRepositoryKeys(): Promise<RepositoryKeys> {
  const sealing = await generateSealingKey();
  const signing = generateSigningKey();
  return {
    repositoryId: randomBytes(REPOSITORY_ID_BYTES).toString('hex'),
    sealingPublicKey: sealing.publicKey,
    sealingKey: new Secret(sealing.seed),
    signingPublicKey: signing.publicKey,
    signingKey: new Secret(signing.seed),
    dedupKey: new Secret(randomBytes(32)),
    indexKey: new Secret(randomBytes(32)),
  };
}

/** The write key contained in `keys`: everything but the private sealing key. */
export function writeKeyOf(keys: RepositoryKeys): WriteKey {
  const { sealingKey: _left, ...writeKey } = keys;
  return writeKey;
}
