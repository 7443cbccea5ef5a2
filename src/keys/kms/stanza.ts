import { createHash } from 'node:crypto';
import type { Identity, Recipient, Stanza } from 'age-encryption';
import { isLifeboatError } from '../../core/errors.ts';
import type { LifeboatError } from '../../core/errors.ts';
import { KMS_KINDS, kmsKey, opensSameSlots } from './address.ts';
import type { KmsKey } from './address.ts';
import { connectionError, kmsError } from './errors.ts';
import { contextBytes } from './provider.ts';
import type { KmsProvider, SlotContext } from './provider.ts';

/** `-> lifeboat-kms <service> <key> <version> <repository>`, the wrapped key below. docs/format.md, "Key slots". */
export const KMS_STANZA = 'lifeboat-kms';
const FILE_KEY_BYTES = 16;
const VERSION = /^[\x21-\x7e]{1,64}$/;
const REPOSITORY = /^[0-9a-f]{32}$/;

/** What a stanza says in the clear. */
export interface KmsLock {
  readonly key: KmsKey;
  /** Version of the key that locked it; `-` where the service does not say. */
  readonly version: string;
  readonly repositoryId: string;
}

/** Reads the arguments of a stanza; `undefined` when it is not one of these, or names something that cannot be. */
export function parseKmsStanza([type, service, name = '', version = '', repositoryId = '', ...more]: readonly string[]): KmsLock | undefined {
  const kind = KMS_KINDS.find((known) => known === service);
  if (type !== KMS_STANZA || kind === undefined || more.length > 0 || !VERSION.test(version) || !REPOSITORY.test(repositoryId)) return undefined;
  const key = kmsKey(kind, name);
  return key && { key, version, repositoryId };
}

/**
 * Locks a file key with a key service. What is wrapped is the file key and, after it, a digest of what it belongs to, so
 * that it is bound also where the service binds nothing.
 */
export function kmsRecipient(provider: KmsProvider, context: SlotContext, StanzaClass: typeof Stanza, signal?: AbortSignal): Recipient {
  return {
    async wrapFileKey(fileKey) {
      const { version, bytes } = await provider.wrap(Buffer.concat([fileKey, digestOf(context)]), context, signal);
      const { kind, name } = provider.key;
      return [new StanzaClass([KMS_STANZA, kind, name, version, context.repositoryId], bytes)];
    },
  };
}

/**
 * Opens file keys with a key service. Only stanzas that name the provider's own key are sent to it. Throws what the provider
 * throws, `LB_KEY_WRONG` too when what comes back belongs to something else.
 */
export function kmsIdentity(provider: KmsProvider, role: SlotContext['role'], signal?: AbortSignal): Identity {
  return {
    async unwrapFileKey(stanzas) {
      let failure: LifeboatError | undefined;
      for (const stanza of stanzas) {
        const lock = parseKmsStanza(stanza.args);
        if (lock === undefined || !opensSameSlots(provider.key, lock.key)) continue;
        const context = { repositoryId: lock.repositoryId, role };
        try {
          const plain = await provider.unwrap({ version: lock.version, bytes: stanza.body }, context, signal);
          const bound = plain.length > FILE_KEY_BYTES && digestOf(context).equals(plain.subarray(FILE_KEY_BYTES));
          if (bound) return new Uint8Array(plain.subarray(0, FILE_KEY_BYTES));
          failure ??= kmsError('LB_KEY_WRONG', provider.key);
        } catch (error) {
          signal?.throwIfAborted();
          if (!isLifeboatError(error, 'LB_KEY_WRONG')) throw connectionError(error, provider.key);
          failure ??= error;
        }
      }
      if (failure !== undefined) throw failure;
      return null;
    },
  };
}

function digestOf(context: SlotContext): Buffer {
  return createHash('sha256').update(contextBytes(context)).digest();
}
