import { randomBytes } from 'node:crypto';
import { generateSealingKey } from './sealing.ts';
import { Secret } from './secret.ts';
import { generateSigningKey } from './signing.ts';

/**
 * What is no secret of a repository. Every key carries it, so that nobody who can write to a vault can swap it; the
 * header of a repository says it too, to those who have no key.
 */
export interface PublicKeys {
  /** 32 lower-case hex digits: which repository this is. */
  readonly repositoryId: string;
  /** Public half of the sealing key: what points are sealed to. */
  readonly sealingPublicKey: Uint8Array;
  /** Public half of the write role's signing key: checks headers and points. */
  readonly signingPublicKey: Uint8Array;
  /**
   * Public half of the read role's signing key: checks reports. The same as `signingPublicKey` in repositories made
   * before the roles had keys of their own.
   */
  readonly reportPublicKey: Uint8Array;
  /** Public half of the maintain role's signing key: checks removals, sweep marks and leases. The same as `signingPublicKey` in old repositories. */
  readonly maintainPublicKey: Uint8Array;
}

/** The write role: adds recovery points, and cannot read them. */
export interface WriteKey extends PublicKeys {
  /** Ed25519 seed: signs headers and points. */
  readonly signingKey: Secret;
  /** HMAC-SHA-256 key that names chunks by their content. */
  readonly dedupKey: Secret;
  /** Seals index objects, which writers must read. */
  readonly indexKey: Secret;
}

/** The read role: opens points and all they hold, signs reports, and cannot add points. */
export interface ReadKey extends PublicKeys {
  /** Private half of the sealing key: the X-Wing seed. */
  readonly sealingKey: Secret;
  /** Ed25519 seed: signs reports. */
  readonly reportKey: Secret;
  /** To check that chunks are what the point says. */
  readonly dedupKey: Secret;
  /** To check that index objects say what is in the packs. */
  readonly indexKey: Secret;
}

/** The maintain role: takes away what is no longer wanted, and can neither read points nor add any. */
export interface MaintainKey extends PublicKeys {
  /** Ed25519 seed: signs removals, sweep marks and leases. */
  readonly maintainKey: Secret;
}

/** Every role: the owner's keys, which a key slot holds as a rule. */
export interface RepositoryKeys extends WriteKey, ReadKey, MaintainKey {}

/** Bytes of a repository id. */
export const REPOSITORY_ID_BYTES = 16;

/** Keys for a new repository, with its new random id. */
export async function generateRepositoryKeys(): Promise<RepositoryKeys> {
  const sealing = await generateSealingKey();
  const signing = generateSigningKey();
  const report = generateSigningKey();
  const maintain = generateSigningKey();
  return {
    repositoryId: randomBytes(REPOSITORY_ID_BYTES).toString('hex'),
    sealingPublicKey: sealing.publicKey,
    sealingKey: new Secret(sealing.seed),
    signingPublicKey: signing.publicKey,
    signingKey: new Secret(signing.seed),
    reportPublicKey: report.publicKey,
    reportKey: new Secret(report.seed),
    maintainPublicKey: maintain.publicKey,
    maintainKey: new Secret(maintain.seed),
    dedupKey: new Secret(randomBytes(32)),
    indexKey: new Secret(randomBytes(32)),
  };
}

/** What is no secret of `keys`. */
export function publicKeysOf(keys: PublicKeys): PublicKeys {
  const { repositoryId, sealingPublicKey, signingPublicKey, reportPublicKey, maintainPublicKey } = keys;
  return { repositoryId, sealingPublicKey, signingPublicKey, reportPublicKey, maintainPublicKey };
}

/** The write key contained in `keys`. */
export function writeKeyOf(keys: WriteKey): WriteKey {
  const { signingKey, dedupKey, indexKey } = keys;
  return { ...publicKeysOf(keys), signingKey, dedupKey, indexKey };
}

/** The read key contained in `keys`. */
export function readKeyOf(keys: ReadKey): ReadKey {
  const { sealingKey, reportKey, dedupKey, indexKey } = keys;
  return { ...publicKeysOf(keys), sealingKey, reportKey, dedupKey, indexKey };
}

/** The maintain key contained in `keys`. */
export function maintainKeyOf(keys: MaintainKey): MaintainKey {
  return { ...publicKeysOf(keys), maintainKey: keys.maintainKey };
}

/**
 * Whether every role has a signing key of its own. In a repository made before they had, one key signs for all three,
 * so that a read or maintain key could do what a write key can: none is given away there.
 */
export function hasSeparateRoles(keys: PublicKeys): boolean {
  const signing = Buffer.from(keys.signingPublicKey);
  return !signing.equals(keys.reportPublicKey) && !signing.equals(keys.maintainPublicKey);
}
