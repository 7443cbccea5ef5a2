import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import type { Identity, Recipient, Stanza } from 'age-encryption';
import { isLifeboatError, LifeboatError } from '../core/errors.ts';
import type { KmsProvider } from './kms/provider.ts';

/**
 * age files (age-encryption.org/v1). The scrypt stanza is made and opened here with Node's own scrypt instead of the
 * package's: the same bytes, but in a thread, so that nothing stands still for the second it takes.
 */
const SCRYPT_LABEL = 'age-encryption.org/v1/scrypt';
const SCRYPT_SALT_BYTES = 16;
/** 2^18 rounds of 1 KiB: 256 MiB of memory and about a second, as the age command line does. */
const DEFAULT_WORK_FACTOR = 18;
/** A slot that asks for more is refused: whoever can write to a vault could otherwise take all our memory. */
const MAX_WORK_FACTOR = 20;

/** Loaded when first needed: a backup needs no age file, and loading takes 50 ms. */
const age = () => import('age-encryption');

const ZERO_NONCE = Buffer.alloc(12);
const TAG_BYTES = 16;

/** The ways to lock a slot. */
export type SlotSecret =
  | AgeSecret
  | {
      readonly kind: 'kms';
      readonly provider: KmsProvider;
    };

/** Those that any age program knows. */
type AgeSecret =
  | {
      readonly kind: 'passphrase';
      readonly passphrase: string;
      /** Base-2 logarithm of scrypt's N; default `DEFAULT_WORK_FACTOR`. Lower only for tests. */
      readonly workFactor?: number;
    }
  | {
      readonly kind: 'age';
      /** `age1…` or, safe against quantum computers, `age1pq1…`. */
      readonly recipient: string;
    };

/** What may open a slot. */
export interface UnlockSecrets {
  readonly passphrases?: readonly string[];
  /** `AGE-SECRET-KEY-1…` and `AGE-SECRET-KEY-PQ-1…`. */
  readonly identities?: readonly string[];
  /** Keys of key services that may be called: slots that name others are left alone. */
  readonly kms?: readonly KmsProvider[];
}

/** A recipient of our own: it makes stanzas that only lifeboat knows. */
export interface OwnRecipient {
  readonly kind: 'own';
  readonly recipient: (StanzaClass: typeof Stanza) => Recipient;
}

/**
 * An age file of `content`. `remark` becomes a stanza without a body, which programs that do not know it pass over.
 * Throws `LB_KEY_INVALID` when the recipient is malformed or the passphrase empty, and what a recipient of our own throws.
 */
export async function encryptAge(content: Uint8Array, secret: AgeSecret | OwnRecipient, remark?: readonly string[]): Promise<Uint8Array> {
  const { Encrypter, Stanza: StanzaClass } = await age();
  const encrypter = new Encrypter();
  switch (secret.kind) {
    case 'passphrase':
      if (secret.passphrase === '') throw new LifeboatError('LB_KEY_INVALID', 'The passphrase is empty');
      encrypter.addRecipient(scryptRecipient(secret.passphrase, secret.workFactor ?? DEFAULT_WORK_FACTOR, StanzaClass));
      break;
    case 'age':
      try {
        encrypter.addRecipient(secret.recipient.trim());
      } catch {
        throw new LifeboatError('LB_KEY_INVALID', 'This is not an age recipient', {
          hint: 'A recipient begins with "age1"; `AGE-SECRET-KEY-…` is the secret half and stays with you.',
        });
      }
      break;
    case 'own':
      encrypter.addRecipient(secret.recipient(StanzaClass));
  }
  if (remark !== undefined) {
    encrypter.addRecipient({ wrapFileKey: () => [new StanzaClass([...remark], new Uint8Array())] });
  }
  return encrypter.encrypt(content);
}

/**
 * The content of an age file, or `undefined` when none of the secrets opens it. Throws `LB_KEY_INVALID` when an identity is
 * malformed, and the `LifeboatError`s that identities of our own throw.
 */
export async function decryptAge(
  file: Uint8Array,
  secrets: Pick<UnlockSecrets, 'identities' | 'passphrases'>,
  own: readonly Identity[] = [],
): Promise<Uint8Array | undefined> {
  const { Decrypter } = await age();
  const decrypter = new Decrypter();
  for (const identity of secrets.identities ?? []) {
    try {
      decrypter.addIdentity(identity.trim());
    } catch {
      throw new LifeboatError('LB_KEY_INVALID', 'This is not an age identity', {
        hint: 'An identity begins with "AGE-SECRET-KEY-".',
      });
    }
  }
  for (const identity of own) decrypter.addIdentity(identity);
  for (const passphrase of secrets.passphrases ?? []) decrypter.addIdentity(scryptIdentity(passphrase));
  try {
    return await decrypter.decrypt(file);
  } catch (error) {
    if (isLifeboatError(error)) throw error;
    return undefined;
  }
}

/** A new age identity and the recipient that belongs to it. */
export async function generateIdentity(
  kind: 'x25519' | 'post-quantum',
): Promise<{ readonly identity: string; readonly recipient: string }> {
  const { generateHybridIdentity, generateX25519Identity, identityToRecipient } = await age();
  const identity = kind === 'x25519' ? await generateX25519Identity() : await generateHybridIdentity();
  return { identity, recipient: await identityToRecipient(identity) };
}

/** The recipient of an identity. Throws `LB_KEY_INVALID`. */
export async function recipientOf(identity: string): Promise<string> {
  const { identityToRecipient } = await age();
  try {
    return await identityToRecipient(identity.trim());
  } catch {
    throw new LifeboatError('LB_KEY_INVALID', 'This is not an age identity', {
      hint: 'An identity begins with "AGE-SECRET-KEY-".',
    });
  }
}

/** The identities in the text of an identity file: one a line, lines that begin with `#` ignored. Throws `LB_KEY_INVALID` when there is none. */
export function parseIdentities(text: string): readonly string[] {
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  if (lines.length > 0 && lines.every((line) => /^AGE-SECRET-KEY-(PQ-)?1[02-9AC-HJ-NP-Z]+$/.test(line))) return lines;
  throw new LifeboatError('LB_KEY_INVALID', 'This is not an age identity file', {
    hint: 'It has one identity a line, and an identity begins with "AGE-SECRET-KEY-".',
  });
}

function scryptRecipient(passphrase: string, workFactor: number, StanzaClass: typeof Stanza): Recipient {
  return {
    async wrapFileKey(fileKey) {
      const salt = randomBytes(SCRYPT_SALT_BYTES);
      const cipher = createCipheriv('chacha20-poly1305', await scryptKey(passphrase, salt, workFactor), ZERO_NONCE, {
        authTagLength: TAG_BYTES,
      });
      const body = Buffer.concat([cipher.update(fileKey), cipher.final(), cipher.getAuthTag()]);
      return [new StanzaClass(['scrypt', salt.toString('base64').replace(/=+$/, ''), String(workFactor)], body)];
    },
  };
}

function scryptIdentity(passphrase: string): Identity {
  return {
    async unwrapFileKey(stanzas) {
      const [stanza] = stanzas;
      const [type, salt = '', factor = ''] = stanza?.args ?? [];
      // A passphrase must be the only way into a file (age-encryption.org/v1): else it would not say who made the file.
      if (stanza === undefined || stanzas.length !== 1 || type !== 'scrypt' || stanza.body.length !== 32) return null;
      const workFactor = /^[1-9]\d?$/.test(factor) ? Number(factor) : Infinity;
      if (workFactor > MAX_WORK_FACTOR) return null;
      const key = await scryptKey(passphrase, Buffer.from(salt, 'base64'), workFactor);
      const decipher = createDecipheriv('chacha20-poly1305', key, ZERO_NONCE, { authTagLength: TAG_BYTES });
      decipher.setAuthTag(stanza.body.subarray(-TAG_BYTES));
      try {
        return new Uint8Array(Buffer.concat([decipher.update(stanza.body.subarray(0, -TAG_BYTES)), decipher.final()]));
      } catch {
        return null;
      }
    },
  };
}

const scryptAsync = promisify<string, Uint8Array, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(
  scrypt,
);

function scryptKey(passphrase: string, salt: Uint8Array, workFactor: number): Promise<Buffer> {
  const N = 2 ** workFactor;
  return scryptAsync(passphrase, Buffer.concat([Buffer.from(SCRYPT_LABEL), salt]), 32, {
    N,
    r: 8,
    p: 1,
    maxmem: 128 * N * 8 + 1024 * 1024,
  });
}
