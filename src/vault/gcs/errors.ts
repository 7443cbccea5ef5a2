import { isLifeboatError } from '../../core/errors.ts';
import { objectMissing, stillLocked, VaultError } from '../errors.ts';
import type { VaultErrorCode } from '../errors.ts';
import { capital, field, isCertificateError, number, retryAfter, text } from '../remote-answer.ts';
import type { Doing } from '../remote.ts';
import { NoToken } from './client.ts';
import type { GcsAnswer } from './client.ts';

/** An answer that is not the one that was wanted. */
export class GcsRefusal extends Error {
  readonly status: number;
  /** Google's word for it, such as `conditionNotMet`. */
  readonly reason: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor({ status, headers, data }: GcsAnswer) {
    const error = field(data, 'error');
    const [first] = Array.isArray(field(error, 'errors')) ? (field(error, 'errors') as unknown[]) : [];
    super(text(field(error, 'message')) ?? text(data)?.slice(0, 300) ?? '');
    this.name = 'GcsRefusal';
    this.status = status;
    this.reason = text(field(first, 'reason'));
    this.retryAfterMs = retryAfter(headers['retry-after']);
  }
}

/** What is known of a failed call to Google Cloud Storage. */
export interface GcsFailure {
  readonly vault: string;
  /** The object, or the bucket. */
  readonly subject: string;
  readonly key?: string | undefined;
  readonly doing: Doing;
}

interface Meaning {
  readonly code: VaultErrorCode;
  readonly hint?: string;
}

const CHECK_ENDPOINT = 'Check `endpoint`; docs/vaults.md says what a store must be able to do.';
const CHECK_CREDENTIALS = 'Check `credentials` of the vault, or log in: `gcloud auth application-default login`.';
const HOW_TO_LOCK =
  "The bucket must have object retention enabled: docs/vaults.md, \"Locks\", says how. Or take `lock` out of the vault's configuration.";

/** Permission that is needed for something (Google Cloud, "IAM permissions for JSON methods"). */
const PERMISSIONS: Readonly<Record<Doing, string>> = {
  storing: 'storage.objects.create',
  'storing and locking': 'storage.objects.create and storage.objects.setRetention',
  reading: 'storage.objects.get',
  finding: 'storage.objects.get',
  listing: 'storage.objects.list',
  deleting: 'storage.objects.delete (a writer needs no such right)',
  locking: 'storage.objects.update and storage.objects.setRetention',
  'finding the lock of': 'storage.objects.get',
  'listing the versions of': 'storage.objects.list',
};

/** The `LB_VAULT_*` error for what was caught. Lifeboat's own errors are returned as they are. */
export function gcsError(error: unknown, failure: GcsFailure): Error {
  if (isLifeboatError(error)) return error;
  const { vault, key, subject, doing } = failure;
  const { code, hint } = error instanceof GcsRefusal ? meaningOfAnswer(error, doing) : meaningOfFailure(error);
  const reason = reasonOf(error);
  const cause = new Error(reason);
  if (key !== undefined && code === 'LB_VAULT_OBJECT_MISSING') return objectMissing(vault, key);
  if (key !== undefined && code === 'LB_VAULT_LOCKED') return stillLocked(vault, key, undefined, cause);
  return new VaultError(code, vault, `${capital(doing)} ${subject} failed: ${reason}`, {
    key,
    hint,
    cause,
    retryAfterMs: error instanceof GcsRefusal ? error.retryAfterMs : undefined,
  });
}

function meaningOfAnswer({ status, reason = '', message }: GcsRefusal, doing: Doing): Meaning {
  const locks = doing.includes('lock');
  if (/retention/i.test(reason) && doing === 'deleting') return { code: 'LB_VAULT_LOCKED' };
  switch (status) {
    case 400:
      if (locks) return { code: 'LB_VAULT_LOCK_UNSUPPORTED', hint: HOW_TO_LOCK };
      // The bytes were garbled on their way to the store.
      if (doing.startsWith('storing') && /hash|md5|crc32c|checksum/i.test(message)) return { code: 'LB_VAULT_UNAVAILABLE' };
      return { code: 'LB_VAULT_UNSUPPORTED', hint: CHECK_ENDPOINT };
    case 401:
      return { code: 'LB_VAULT_ACCESS', hint: CHECK_CREDENTIALS };
    case 403:
      if (/rateLimit|quotaExceeded/i.test(reason)) return { code: 'LB_VAULT_UNAVAILABLE' };
      return { code: 'LB_VAULT_ACCESS', hint: `Grant ${PERMISSIONS[doing]} on the bucket, or check \`credentials\`.` };
    case 404:
      return doing.startsWith('storing') || doing.startsWith('listing') || isBucketMissing(message)
        ? { code: 'LB_VAULT_NOT_FOUND', hint: 'Create the bucket, or correct `bucket` and `endpoint`.' }
        : { code: 'LB_VAULT_OBJECT_MISSING' };
    case 408:
    case 409:
    // An upload that was begun is not known any more.
    case 410:
    case 429:
      return { code: 'LB_VAULT_UNAVAILABLE' };
    case 501:
      return locks ? { code: 'LB_VAULT_LOCK_UNSUPPORTED', hint: HOW_TO_LOCK } : { code: 'LB_VAULT_UNSUPPORTED', hint: CHECK_ENDPOINT };
    default:
      if (status >= 500) return { code: 'LB_VAULT_UNAVAILABLE' };
      return { code: 'LB_VAULT_UNSUPPORTED', hint: CHECK_ENDPOINT };
  }
}

/** Of two things that may be missing, Google names the one that is. */
export function isBucketMissing(message: string): boolean {
  return /bucket (does not|doesn't) exist|no such bucket/i.test(message);
}

/** Names of failures of connections, which may pass. */
const PASSING = /^(E[A-Z]+|UND_ERR_.*)$/;

/** No answer came from the store: there is no connection, or there are no credentials that work. */
function meaningOfFailure(error: unknown): Meaning {
  const code = text(field(error, 'code')) ?? text(field(field(error, 'cause'), 'code')) ?? '';
  if (isCertificateError(code)) {
    return {
      code: 'LB_VAULT_UNTRUSTED',
      hint: 'Name the authority that signed it in NODE_EXTRA_CA_CERTS, or correct `endpoint`.',
    };
  }
  if (error instanceof NoToken) {
    const status = number(field(field(error.cause, 'response'), 'status'));
    const passing = status === undefined ? PASSING.test(code) : status >= 500 || status === 429;
    return passing
      ? { code: 'LB_VAULT_UNAVAILABLE', hint: 'Google gave no token: check the network.' }
      : { code: 'LB_VAULT_ACCESS', hint: CHECK_CREDENTIALS };
  }
  return { code: 'LB_VAULT_UNAVAILABLE', hint: 'Check `endpoint` and the network.' };
}

/** What is said of it, without what opens anything: the address of an upload that was begun does. */
function reasonOf(error: unknown): string {
  if (error instanceof GcsRefusal) {
    const { status, reason, message } = error;
    const what = reason === undefined ? `HTTP ${status}` : `${reason} (HTTP ${status})`;
    return redact(message === '' ? what : `${what}: ${message}`);
  }
  return redact(error instanceof Error ? error.message : String(error));
}

function redact(message: string): string {
  return message
    .replaceAll(/upload_id=[^&\s"']+/g, 'upload_id=[redacted]')
    .replaceAll(/\bya29\.[\w.-]+/g, '[redacted]')
    .replaceAll(/\bBearer [\w.~+/=-]+/g, 'Bearer [redacted]');
}
