import type { Secret } from '../secret.ts';
import type { SlotRole } from '../slot-content.ts';
import { formatKmsKey } from './address.ts';
import type { KmsKey } from './address.ts';

/** What a locked file key belongs to. The service is told it too, where it can bind ciphertexts to something. */
export interface SlotContext {
  readonly repositoryId: string;
  readonly role: SlotRole;
}

/** What a service made of something that was wrapped. */
export interface Wrapped {
  /** Which version of the key was used, or `-` where the service does not say. */
  readonly version: string;
  readonly bytes: Uint8Array;
}

/**
 * A key in a key service. Every call may take up to `CALL_MS`, goes to that service and nowhere else, ends early with
 * the signal's reason when the signal fires, and throws
 *
 * - `LB_KEY_ACCESS` when the service refuses the credentials or the permission, or none are found,
 * - `LB_KEY_DISABLED` when the key, or the version that is needed, is disabled, or waits to be deleted,
 * - `LB_KEY_GONE` when there is no such key,
 * - `LB_KEY_WRONG` when the bytes were not wrapped by this key in this context,
 * - `LB_KEY_INVALID` when the key is of a kind that cannot wrap,
 * - `LB_KEY_UNTRUSTED` when the service cannot prove who it is,
 * - `LB_KEY_UNAVAILABLE` when it did not answer, was too busy, or answered something else; that was tried again already.
 *
 * No error carries a secret.
 */
export interface KmsProvider {
  readonly key: KmsKey;
  /** Wraps at most 64 bytes with the newest version of the key. */
  wrap(plaintext: Uint8Array, context: SlotContext, signal?: AbortSignal): Promise<Wrapped>;
  unwrap(wrapped: Wrapped, context: SlotContext, signal?: AbortSignal): Promise<Uint8Array>;
}

/** How a service is reached, beyond what its name says. */
export interface KmsOptions {
  /** AWS: a profile of its configuration files. */
  readonly profile?: string;
  /** AWS and Google: address of the service, for private endpoints. */
  readonly endpoint?: string;
  /** OpenBao and Vault: what to authenticate with; asked for when first needed. Throws `LB_KEY_MISSING`. */
  readonly token?: () => Promise<Secret>;
  /** OpenBao and Vault: the namespace the engine is in. */
  readonly namespace?: string;
}

/** Time for one call with all its tries, milliseconds. */
export const CALL_MS = 30_000;

/** What is bound to a wrapped file key: what the repository, and the role the slot holds. docs/format.md, "Key slots". */
export function contextBytes({ repositoryId, role }: SlotContext): Buffer {
  return Buffer.from(`lifeboat/1/slot\n${repositoryId}\n${role}`);
}

/** The key as errors name it. */
export function whereKey(key: KmsKey): string {
  return `key ${formatKmsKey(key)}`;
}
