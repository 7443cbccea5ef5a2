import { isLifeboatError } from '../../core/errors.ts';
import { objectMissing, VaultError } from '../errors.ts';
import type { VaultErrorCode } from '../errors.ts';
import { capital, field, isCertificateError, number, record, retryAfter, text } from '../remote-answer.ts';
import type { Doing } from '../remote.ts';

/** What is known of a failed call to an S3 server. */
export interface S3Failure {
  readonly vault: string;
  readonly bucket: string;
  readonly key?: string | undefined;
  readonly doing: Doing;
  /** Takes credentials out of text that came from outside. */
  readonly redact: (text: string) => string;
}

/** An answer of the server, or the reason why there was none. */
export interface S3Answer {
  /** The error's code, such as `NoSuchKey`; of a connection that failed, the system's, such as `ECONNREFUSED`. */
  readonly name: string;
  /** HTTP status; undefined when no answer came. */
  readonly status: number | undefined;
  readonly message: string;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly region: string | undefined;
}

/**
 * Codes of Amazon S3 and its relatives whose meaning the status alone does not tell. Sources: the S3 API reference,
 * "Error responses"; the servers named in docs/vaults.md, as observed.
 */
const BY_NAME: Readonly<Record<string, { readonly code: VaultErrorCode; readonly hint?: string }>> = {
  NoSuchBucket: { code: 'LB_VAULT_NOT_FOUND', hint: 'Create the bucket, or correct `bucket`, `region` and `endpoint`.' },
  // Somebody deleted the object, or aborted the upload, while it was stored.
  NoSuchUpload: { code: 'LB_VAULT_UNAVAILABLE' },
  InvalidAccessKeyId: { code: 'LB_VAULT_ACCESS', hint: 'The store does not know this access key id: check `credentials`.' },
  SignatureDoesNotMatch: {
    code: 'LB_VAULT_ACCESS',
    hint: 'The secret access key does not belong to the access key id: check `credentials`.',
  },
  ExpiredToken: { code: 'LB_VAULT_ACCESS', hint: 'Get fresh temporary credentials.' },
  ExpiredTokenException: { code: 'LB_VAULT_ACCESS', hint: 'Get fresh temporary credentials.' },
  InvalidToken: { code: 'LB_VAULT_ACCESS', hint: 'The session token is wrong: check `credentials`.' },
  // Passing: the SDK corrects its clock by the answer's date, and the next try succeeds.
  RequestTimeTooSkewed: { code: 'LB_VAULT_UNAVAILABLE', hint: "Set this machine's clock right." },
  PermanentRedirect: { code: 'LB_VAULT_NOT_FOUND', hint: 'The bucket is in another region: correct `region`.' },
  AuthorizationHeaderMalformed: { code: 'LB_VAULT_NOT_FOUND', hint: 'The bucket is in another region: correct `region`.' },
  // The bytes were garbled on their way to the store.
  BadDigest: { code: 'LB_VAULT_UNAVAILABLE' },
  XAmzContentSHA256Mismatch: { code: 'LB_VAULT_UNAVAILABLE' },
  XAmzContentChecksumMismatch: { code: 'LB_VAULT_UNAVAILABLE' },
  IncompleteBody: { code: 'LB_VAULT_UNAVAILABLE' },
  RequestTimeout: { code: 'LB_VAULT_UNAVAILABLE' },
  InternalError: { code: 'LB_VAULT_UNAVAILABLE' },
  SlowDown: { code: 'LB_VAULT_UNAVAILABLE' },
  QuotaExceeded: { code: 'LB_VAULT_FULL', hint: 'Raise the quota, or use another vault.' },
  InsufficientStorage: { code: 'LB_VAULT_FULL' },
  XMinioStorageFull: { code: 'LB_VAULT_FULL' },
  NotImplemented: { code: 'LB_VAULT_UNSUPPORTED', hint: 'docs/vaults.md says what a store must be able to do.' },
  ExistingObjectIsDirectory: { code: 'LB_VAULT_INVALID_KEY' },
  ObjectParentIsFile: { code: 'LB_VAULT_INVALID_KEY' },
  KeyTooLongError: { code: 'LB_VAULT_INVALID_KEY' },
  // The SDK found no credentials anywhere.
  CredentialsProviderError: {
    code: 'LB_VAULT_ACCESS',
    hint: 'Set `credentials`, or the AWS_* environment variables, or a profile.',
  },
  TokenProviderError: { code: 'LB_VAULT_ACCESS', hint: 'Log in again: `aws sso login`.' },
};

const CHECK_ENDPOINT = 'Check `endpoint`; docs/vaults.md says what a store must be able to do.';

const RIGHT_TO_READ =
  'Check `credentials`, or grant them s3:GetObject for the objects of the bucket. Without s3:ListBucket, a missing object ' +
  'is refused like this too.';

const HOW_TO_LOCK =
  'The bucket must be made with object lock: docs/vaults.md, "Locks", says how. Or take `lock` out of the vault\'s configuration.';

/** What to grant when it was refused. */
const RIGHTS: Readonly<Record<Doing, string>> = {
  storing: 'Check `credentials`, or grant them s3:PutObject for the objects of the bucket.',
  'storing and locking':
    'Check `credentials`, or grant them s3:PutObject and s3:PutObjectRetention for the objects of the bucket.',
  reading: RIGHT_TO_READ,
  finding: RIGHT_TO_READ,
  listing: 'Check `credentials`, or grant them s3:ListBucket for the bucket.',
  deleting: 'Check `credentials`, or grant them s3:DeleteObject for the objects of the bucket. A writer needs no such right.',
  locking: 'Check `credentials`, or grant them s3:PutObjectRetention for the objects of the bucket.',
  'finding the lock of': 'Check `credentials`, or grant them s3:GetObjectRetention for the objects of the bucket.',
  'listing the versions of': 'Check `credentials`, or grant them s3:ListBucketVersions for the bucket.',
};

/** The `LB_VAULT_*` error for what the SDK threw. Lifeboat's own errors are returned as they are. */
export function s3Error(error: unknown, failure: S3Failure): Error {
  if (isLifeboatError(error)) return error;
  const answer = answerOf(error);
  const { vault, key, bucket, doing, redact } = failure;
  const { code, hint } = meaningOf(answer, doing);
  const what = key ?? `bucket ${bucket}`;
  if (code === 'LB_VAULT_OBJECT_MISSING' && key !== undefined) return objectMissing(vault, key);
  return new VaultError(code, vault, redact(`${capital(doing)} ${what} failed: ${reasonOf(answer)}`), {
    key,
    hint: hint === undefined ? undefined : redact(hint),
    cause: new Error(redact(`${answer.name} ${answer.status ?? ''} ${answer.requestId ?? ''} ${answer.message}`)),
    retryAfterMs: answer.retryAfterMs,
  });
}

function meaningOf(answer: S3Answer, doing: Doing): { readonly code: VaultErrorCode; readonly hint?: string } {
  if (doing.includes('lock') && saysItCannotLock(answer)) return { code: 'LB_VAULT_LOCK_UNSUPPORTED', hint: HOW_TO_LOCK };
  const known = BY_NAME[answer.name];
  if (known !== undefined) {
    if (answer.region === undefined || known.code !== 'LB_VAULT_NOT_FOUND') return known;
    return { ...known, hint: `The bucket is in the region ${answer.region}: correct \`region\`.` };
  }
  if (isCertificateError(answer.name)) {
    return {
      code: 'LB_VAULT_UNTRUSTED',
      hint: 'Name the authority that signed it in NODE_EXTRA_CA_CERTS, or correct `endpoint`.',
    };
  }
  const { status } = answer;
  if (status === undefined) return { code: 'LB_VAULT_UNAVAILABLE', hint: 'Check `endpoint` and the network.' };
  switch (status) {
    case 301:
    case 307:
      return { code: 'LB_VAULT_NOT_FOUND', hint: 'The bucket is in another region: correct `region`.' };
    case 401:
    case 403:
      return { code: 'LB_VAULT_ACCESS', hint: RIGHTS[doing] };
    case 404:
      return doing.startsWith('storing') || doing.startsWith('listing')
        ? { code: 'LB_VAULT_NOT_FOUND', hint: CHECK_ENDPOINT }
        : { code: 'LB_VAULT_OBJECT_MISSING' };
    case 405:
    case 501:
      return { code: 'LB_VAULT_UNSUPPORTED', hint: CHECK_ENDPOINT };
    case 408:
    case 409:
    case 429:
      return { code: 'LB_VAULT_UNAVAILABLE' };
    case 507:
      return { code: 'LB_VAULT_FULL' };
    default:
      if (status >= 500) return { code: 'LB_VAULT_UNAVAILABLE' };
      // A status below 300 with an error is an error in the body of an answer that had begun: a passing one.
      if (status < 300 && !isUnreadable(answer)) return { code: 'LB_VAULT_UNAVAILABLE' };
      return { code: 'LB_VAULT_UNSUPPORTED', hint: CHECK_ENDPOINT };
  }
}

/** Asked to lock, stores without it and buckets that were made without it say so in these ways. */
function saysItCannotLock({ name, status }: S3Answer): boolean {
  return status === 501 || name === 'InvalidRequest' || name === 'ObjectLockConfigurationNotFoundError' || name === 'InvalidBucketState';
}

function reasonOf(answer: S3Answer): string {
  const { name, status, message } = answer;
  if (status === undefined) return message === '' ? name : message;
  const said = name === '' || name === 'Error' || name === 'Unknown' ? `HTTP ${status}` : `${name} (HTTP ${status})`;
  if (isUnreadable(answer)) return `HTTP ${status}, with an answer that is not that of an S3 store`;
  return message === '' || message === name || message === 'UnknownError' ? said : `${said}: ${message}`;
}

/** True when the SDK could make nothing of the answer's body. */
function isUnreadable({ message }: S3Answer): boolean {
  return message.includes('Deserialization error') || message.includes('parse error');
}

/** What the SDK's error says, whatever class it has. */
export function answerOf(error: unknown): S3Answer {
  const metadata = record(field(error, '$metadata'));
  const headers = record(field(field(error, '$response'), 'headers'));
  const code = text(field(error, 'code')) ?? text(field(field(error, 'cause'), 'code'));
  const status = number(metadata['httpStatusCode']) ?? number(field(field(error, '$response'), 'statusCode'));
  const name = text(field(error, 'name')) ?? '';
  return {
    name: status === undefined ? (code ?? name) : (text(field(error, 'Code')) ?? name),
    status,
    message: text(field(error, 'message')) ?? '',
    requestId: text(metadata['requestId']),
    retryAfterMs: retryAfter(text(headers['retry-after'])),
    region: text(headers['x-amz-bucket-region']) ?? text(field(error, 'Region')),
  };
}
