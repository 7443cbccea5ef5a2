import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { LifeboatError } from '../core/errors.ts';
import { copyShared } from '../core/shared-memory.ts';
import { release } from './bytes.ts';

/** AES-256-GCM with 96-bit nonces and 128-bit tags (NIST SP 800-38D). */
export const TAG_BYTES = 16;

/**
 * Bytes given to the cipher at a time: OpenSSL works in the processor's cache then. Measured on Node 24:
 * 1.4 GB/s where one call for a megabyte reaches 0.8 GB/s.
 */
const SLICE = 64 * 1024;

/** HKDF-SHA256 (RFC 5869), 32 bytes. */
export function deriveKey(secret: Uint8Array, salt: Uint8Array, info: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, info, 32));
}

export function secretKey(bytes: Uint8Array): KeyObject {
  return createSecretKey(bytes);
}

/** A nonce that counts: eight zero bytes, then the counter as 4 bytes, big endian. Unique under a key that seals nothing else. */
export function counterNonce(counter: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(counter, 8);
  return nonce;
}

/** Ciphertext, then tag. */
export function seal(key: KeyObject, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Buffer {
  const sealed = Buffer.allocUnsafe(plaintext.length + TAG_BYTES);
  sealInto(sealed, 0, key, nonce, aad, plaintext);
  return sealed;
}

/** As `seal`, into `target` from `offset` on, where there must be room for `TAG_BYTES` more than the plaintext has. */
export function sealInto(
  target: Uint8Array,
  offset: number,
  key: KeyObject,
  nonce: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): void {
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(aad);
  let at = offset;
  for (let from = 0; from < plaintext.length; from += SLICE) {
    const part = cipher.update(plaintext.subarray(from, from + SLICE));
    target.set(part, at);
    at += part.length;
    release(part);
  }
  cipher.final();
  target.set(cipher.getAuthTag(), at);
}

/**
 * The plaintext of what `seal` gave, in `target` if it is given, which must be as long. Throws `LB_REPO_DAMAGED` when the bytes,
 * the key, the nonce or `aad` are others.
 */
export function unseal(
  key: KeyObject,
  nonce: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
  target?: Uint8Array,
): Uint8Array {
  const length = sealed.length - TAG_BYTES;
  if (length < 0) throw new LifeboatError('LB_REPO_DAMAGED', 'Sealed bytes are too short');
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(length));
  const plaintext = target ?? Buffer.allocUnsafe(length);
  let at = 0;
  for (let from = 0; from < length; from += SLICE) {
    const part = decipher.update(sealed.subarray(from, Math.min(length, from + SLICE)));
    // It may be memory that threads share, and lie anywhere in words.
    copyShared(part, plaintext, at);
    at += part.length;
    release(part);
  }
  try {
    decipher.final();
  } catch (cause) {
    plaintext.fill(0);
    throw new LifeboatError('LB_REPO_DAMAGED', 'Sealed bytes do not open: they were changed, or belong elsewhere', {
      cause,
    });
  }
  return plaintext;
}
