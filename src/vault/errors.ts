import { LifeboatError } from '../core/errors.ts';
import type { ErrorCode } from '../core/error-codes.ts';
import { KEY_PATTERN } from './vault.ts';

/** The codes a vault may fail with. */
export type VaultErrorCode = Extract<ErrorCode, `LB_VAULT_${string}`>;

/** What a vault failure carries beside code and message. */
export interface VaultErrorDetails {
  /** The object concerned, when there is one. */
  readonly key?: string | undefined;
  readonly hint?: string | undefined;
  /** Must not carry secrets. */
  readonly cause?: unknown;
  /** How long the store asked to be left alone. */
  readonly retryAfterMs?: number | undefined;
}

/** A failure of a vault; `where` names the vault and, if there is one, the object in it. */
export class VaultError extends LifeboatError {
  /** Milliseconds the store asked to wait before the next try, when it said so. */
  readonly retryAfterMs: number | undefined;

  constructor(code: VaultErrorCode, vault: string, message: string, details: VaultErrorDetails = {}) {
    const where = details.key === undefined ? `vault "${vault}"` : `vault "${vault}", object ${details.key}`;
    super(code, message, {
      where,
      ...(details.hint === undefined ? {} : { hint: details.hint }),
      ...(details.cause === undefined ? {} : { cause: details.cause }),
    });
    this.name = 'VaultError';
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** The failure of a `get` of an object that is not there. */
export function objectMissing(vault: string, key: string, cause?: unknown): VaultError {
  return new VaultError('LB_VAULT_OBJECT_MISSING', vault, `There is no object ${key} in the vault`, { key, cause });
}

/** The failure of locking an object in a vault that does not lock. */
export function lockUnsupported(vault: string, key: string): VaultError {
  const hint = 'Set `lock: true` of a vault whose bucket can lock (docs/vaults.md, "Locks"), or lock nothing in this one.';
  return new VaultError('LB_VAULT_LOCK_UNSUPPORTED', vault, 'Objects in this vault cannot be locked', { key, hint });
}

/** The failure of deleting an object that a lock holds. */
export function stillLocked(vault: string, key: string, until: Date | undefined, cause?: unknown): VaultError {
  const how = until === undefined ? 'by the store' : `until ${until.toISOString()}`;
  return new VaultError('LB_VAULT_LOCKED', vault, `${key} is locked ${how}, and cannot be deleted before`, { key, cause });
}

/** The failure of a body that ended before the length that was announced. Retriable. */
export function endedEarly(vault: string, key: string, received: number, expected: number): VaultError {
  return new VaultError('LB_VAULT_UNAVAILABLE', vault, `The object ended after ${received} of ${expected} bytes`, { key });
}

/** Throws `LB_VAULT_INVALID_KEY` unless `key` can name an object in every vault. */
export function checkKey(vault: string, key: string): void {
  if (!KEY_PATTERN.test(key)) {
    throw new VaultError('LB_VAULT_INVALID_KEY', vault, `${JSON.stringify(key)} cannot be the name of an object`, {
      hint: 'Use letters, digits and "._-" in segments joined by "/", none of them starting with a dot.',
    });
  }
}

/** What can stand before the rest of a key: whole segments, then perhaps the beginning of one. */
const PREFIX_PATTERN = /^([A-Za-z0-9_-][A-Za-z0-9._-]*\/)*([A-Za-z0-9_-][A-Za-z0-9._-]*)?$/;

/** Throws `LB_VAULT_INVALID_KEY` when no key can start with `prefix`; a driver may then trust it in a path. */
export function checkPrefix(vault: string, prefix: string): void {
  if (!PREFIX_PATTERN.test(prefix)) {
    throw new VaultError('LB_VAULT_INVALID_KEY', vault, `No object's name can start with ${JSON.stringify(prefix)}`);
  }
}
