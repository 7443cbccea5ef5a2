import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_MLKEM768_X25519 } from 'hpke';
import { LifeboatError } from '../core/errors.ts';
import { ENCAPSULATED_BYTES } from './sealing-sizes.ts';
import type { Secret } from './secret.ts';

/**
 * Sealing to the repository's public key: HPKE (RFC 9180) in base mode, with
 * KEM 0x647a MLKEM768-X25519 (X-Wing; draft-ietf-hpke-pq-05, draft-irtf-cfrg-hybrid-kems-12 as `hpke` implements it),
 * KDF 0x0001 HKDF-SHA256 and AEAD 0x0002 AES-256-GCM. docs/format.md, "Sealing".
 */
const suite = new CipherSuite(KEM_MLKEM768_X25519, KDF_HKDF_SHA256, AEAD_AES_256_GCM);

/** Seals bytes that only the holder of the private key can open. */
export interface Sealer {
  /** Encapsulated secret, then ciphertext with its tag: `plaintext.length + SEAL_OVERHEAD` bytes. */
  seal(plaintext: Uint8Array, info: string, aad: Uint8Array): Promise<Uint8Array>;
}

/** Opens what was sealed to its key. */
export interface Opener {
  /** Throws `LB_REPO_DAMAGED` when the bytes were not sealed to this key with the same `info` and `aad`. */
  open(sealed: Uint8Array, info: string, aad: Uint8Array): Promise<Uint8Array>;
}

/** A new key pair, both halves as raw bytes. */
export async function generateSealingKey(): Promise<{ readonly seed: Uint8Array; readonly publicKey: Uint8Array }> {
  const pair = await suite.GenerateKeyPair(true);
  return {
    seed: await suite.SerializePrivateKey(pair.privateKey),
    publicKey: await suite.SerializePublicKey(pair.publicKey),
  };
}

/** A sealer for a public key of `SEALING_PUBLIC_BYTES`. Throws `LB_KEY_INVALID` when it is not one. */
export async function createSealer(publicKey: Uint8Array): Promise<Sealer> {
  const key = await suite.DeserializePublicKey(publicKey).catch((cause: unknown) => {
    throw new LifeboatError('LB_KEY_INVALID', 'The public sealing key is malformed', { cause });
  });
  return {
    async seal(plaintext, info, aad) {
      const { encapsulatedSecret, ciphertext } = await suite.Seal(key, plaintext, { info: utf8(info), aad });
      return Buffer.concat([encapsulatedSecret, ciphertext]);
    },
  };
}

/** An opener for a private key: an X-Wing seed of 32 bytes. Throws `LB_KEY_INVALID` when it is not one. */
export async function createOpener(seed: Secret): Promise<Opener> {
  const key = await suite.DeserializePrivateKey(seed.expose()).catch(() => {
    throw new LifeboatError('LB_KEY_INVALID', 'The private sealing key is malformed');
  });
  return {
    async open(sealed, info, aad) {
      try {
        const encapsulated = sealed.subarray(0, ENCAPSULATED_BYTES);
        return await suite.Open(key, encapsulated, sealed.subarray(ENCAPSULATED_BYTES), { info: utf8(info), aad });
      } catch (cause) {
        throw new LifeboatError('LB_REPO_DAMAGED', 'Sealed bytes do not open with this key', { cause });
      }
    },
  };
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
