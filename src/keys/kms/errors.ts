import type { ErrorCode } from '../../core/error-codes.ts';
import { isLifeboatError, LifeboatError } from '../../core/errors.ts';
import { SERVICES } from './address.ts';
import type { KmsKey } from './address.ts';
import { whereKey } from './provider.ts';

/** The codes a key service may fail with. */
export type KmsErrorCode = Extract<
  ErrorCode,
  'LB_KEY_ACCESS' | 'LB_KEY_DISABLED' | 'LB_KEY_GONE' | 'LB_KEY_WRONG' | 'LB_KEY_INVALID' | 'LB_KEY_UNTRUSTED' | 'LB_KEY_UNAVAILABLE'
>;

const SAYS: Readonly<Record<KmsErrorCode, string>> = {
  LB_KEY_ACCESS: 'refused the credentials or the permission',
  LB_KEY_DISABLED: 'has disabled the key, or the version of it that is needed',
  LB_KEY_GONE: 'has no such key',
  LB_KEY_WRONG: 'does not open the slot: the slot was changed, or is of another key or repository',
  LB_KEY_INVALID: 'has a key of a kind that cannot lock slots',
  LB_KEY_UNTRUSTED: 'could not prove that it is what it claims to be',
  LB_KEY_UNAVAILABLE: 'did not answer, or answered with a passing error',
};

/** Hints that fit every service; a driver knows better ones for access. */
const HINTS: Readonly<Record<KmsErrorCode, string>> = {
  LB_KEY_ACCESS: 'Check the credentials and what they permit.',
  LB_KEY_DISABLED: 'Enable it again, also to take another key into use: the slot opens with this one. Or open the repository with another slot.',
  LB_KEY_GONE: 'Check the name. A key that was deleted is lost: open the repository with another slot, and remove this one with `lifeboat keys remove`.',
  LB_KEY_WRONG: 'Open the repository with another slot; `lifeboat keys list` shows them.',
  LB_KEY_INVALID: 'docs/keys.md says which kinds of keys can.',
  LB_KEY_UNTRUSTED: 'For a private certificate authority set NODE_EXTRA_CA_CERTS=FILE.',
  LB_KEY_UNAVAILABLE: 'Check the network and the service, or open the repository with another slot.',
};

/** The failure of a key service. `reason`: what it said, in its own words; nothing secret. */
export function kmsError(
  code: KmsErrorCode,
  key: KmsKey,
  details: { readonly reason?: string | undefined; readonly hint?: string | undefined; readonly cause?: unknown } = {},
): LifeboatError {
  const reason = details.reason === undefined || details.reason === '' ? '' : `: ${details.reason}`;
  return new LifeboatError(code, `${SERVICES[key.kind]} ${SAYS[code]}${reason}`, {
    where: whereKey(key),
    hint: details.hint ?? HINTS[code],
    ...(details.cause !== undefined && { cause: details.cause }),
  });
}

/** Names of certificate failures of Node's TLS. */
const CERTIFICATE = /^(?:CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_|HOSTNAME_MISMATCH)/;

/** The failure to reach a service at all: what Node's network code throws, however it is wrapped. */
export function connectionError(error: unknown, key: KmsKey): LifeboatError {
  if (isLifeboatError(error)) return error;
  const code = systemCode(error);
  const untrusted = code !== undefined && CERTIFICATE.test(code);
  return kmsError(untrusted ? 'LB_KEY_UNTRUSTED' : 'LB_KEY_UNAVAILABLE', key, { reason: code, cause: error });
}

/** The system's code of a failed connection, such as `ECONNREFUSED`. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error instanceof AggregateError) return systemCode(error.errors[0]);
  return systemCode(error.cause);
}
