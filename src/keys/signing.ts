import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { LifeboatError } from '../core/errors.ts';
import type { Purpose } from './purposes.ts';
import { Secret } from './secret.ts';

/** Ed25519 (RFC 8032). Raw keys are wrapped in the fixed DER prefixes of RFC 8410 to get into Node's crypto. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

export const SIGNING_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** A new signing key pair, both halves as raw bytes. */
export function generateSigningKey(): { readonly seed: Uint8Array; readonly publicKey: Uint8Array } {
  const { privateKey } = generateKeyPairSync('ed25519');
  const seed = new Uint8Array(privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(PKCS8_PREFIX.length));
  return { seed, publicKey: signingPublicKey(new Secret(seed)) };
}

/** The public half of a signing key. */
export function signingPublicKey(seed: Secret): Uint8Array {
  const spki = createPublicKey(privateKeyOf(seed)).export({ format: 'der', type: 'spki' });
  return new Uint8Array(spki.subarray(SPKI_PREFIX.length));
}

/** Signs `message` for one purpose. The purpose is signed too, so a signature cannot be moved to another kind of object. */
export function signFor(purpose: Purpose, message: Uint8Array, seed: Secret): Uint8Array {
  return sign(null, toBeSigned(purpose, message), privateKeyOf(seed));
}

/** True if `signature` was made by `signFor(purpose, message, …)` with the private half of `publicKey`. */
export function verifyFor(purpose: Purpose, message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  return verify(null, toBeSigned(purpose, message), publicKeyOf(publicKey), signature);
}

function toBeSigned(purpose: Purpose, message: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${purpose}\n`), message]);
}

/** Made once: it takes as long as checking a signature, and of a public key there are thousands to check. */
const publicKeys = new Map<string, KeyObject>();
/** A process has to do with a few repositories. */
const MOST_KEPT = 64;

function privateKeyOf(seed: Secret): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed.expose()]), format: 'der', type: 'pkcs8' });
}

function publicKeyOf(raw: Uint8Array): KeyObject {
  if (raw.length !== SIGNING_KEY_BYTES)
    throw new LifeboatError('LB_KEY_INVALID', 'The public signing key is malformed');
  const name = Buffer.from(raw).toString('latin1');
  const known = publicKeys.get(name);
  if (known !== undefined) return known;
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
  if (publicKeys.size >= MOST_KEPT) publicKeys.clear();
  publicKeys.set(name, key);
  return key;
}
