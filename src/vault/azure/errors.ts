import { isLifeboatError } from '../../core/errors.ts';
import { objectMissing, stillLocked, VaultError } from '../errors.ts';
import type { VaultErrorCode } from '../errors.ts';
import { capital, field, isCertificateError, number, record, retryAfter, text } from '../remote-answer.ts';
import type { Doing } from '../remote.ts';

/** What is known of a failed call to Azure Blob Storage. */
export interface AzureFailure {
  readonly vault: string;
  /** The object, or the container. */
  readonly subject: string;
  readonly key?: string | undefined;
  readonly doing: Doing;
  /** Takes credentials out of text that came from outside. */
  readonly redact: (text: string) => string;
}

/** An answer of the store, or the reason why there was none. */
export interface AzureAnswer {
  /** Azure's code, such as `BlobNotFound`; of a connection that failed, the system's, such as `ECONNREFUSED`. */
  readonly name: string;
  /** HTTP status; undefined when no answer came. */
  readonly status: number | undefined;
  readonly message: string;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;
}

interface Meaning {
  readonly code: VaultErrorCode;
  readonly hint?: string;
}

const CHECK_ENDPOINT = 'Check `account` and `endpoint`; docs/vaults.md says what a store must be able to do.';
const NO_CONTAINER = 'Create the container, or correct `account`, `container` and `endpoint`.';
const HOW_TO_LOCK =
  'The container must have version-level immutability: docs/vaults.md, "Locks", says how. Or take `lock` out of the vault\'s configuration.';

/** Codes whose meaning the status alone does not tell (Azure Storage REST API, "Blob Storage error codes"; Azurite, as observed). */
const BY_NAME: Readonly<Record<string, Meaning>> = {
  ContainerNotFound: { code: 'LB_VAULT_NOT_FOUND', hint: NO_CONTAINER },
  ContainerDisabled: { code: 'LB_VAULT_NOT_FOUND', hint: NO_CONTAINER },
  ContainerBeingDeleted: { code: 'LB_VAULT_NOT_FOUND', hint: NO_CONTAINER },
  BlobNotFound: { code: 'LB_VAULT_OBJECT_MISSING' },
  // The bytes were garbled on their way to the store.
  Md5Mismatch: { code: 'LB_VAULT_UNAVAILABLE' },
  Crc64Mismatch: { code: 'LB_VAULT_UNAVAILABLE' },
  // Somebody else has stored the object meanwhile, which throws away parts that were sent for it.
  InvalidBlockList: { code: 'LB_VAULT_UNAVAILABLE' },
  BlobImmutableDueToPolicy: { code: 'LB_VAULT_LOCKED' },
  BlobImmutableDueToLegalHold: { code: 'LB_VAULT_LOCKED' },
  AccountIsDisabled: { code: 'LB_VAULT_ACCESS', hint: 'The storage account is disabled.' },
  AuthenticationFailed: {
    code: 'LB_VAULT_ACCESS',
    hint: 'The key or signature is wrong or has expired, or the clock of this machine is wrong: check `credentials`.',
  },
  // Thrown here by the SDK when it finds no credentials, or those it finds are refused.
  CredentialUnavailableError: { code: 'LB_VAULT_ACCESS', hint: 'Set `credentials` of the vault, or the AZURE_* environment variables.' },
  AggregateAuthenticationError: { code: 'LB_VAULT_ACCESS', hint: 'Set `credentials` of the vault, or the AZURE_* environment variables.' },
  AuthenticationError: { code: 'LB_VAULT_ACCESS', hint: 'Azure refused the identity: check the AZURE_* environment variables.' },
  AuthenticationRequiredError: { code: 'LB_VAULT_ACCESS', hint: 'Log in again: `az login`.' },
};

/** What to grant when it was refused: the letter of a shared access signature, and the data action of a role. */
const RIGHTS: Readonly<Record<Doing, string>> = {
  storing: 'create (`c`), or the data action blobs/add/action',
  'storing and locking': 'create and set immutability policy (`ci`)',
  reading: 'read (`r`), or the data action blobs/read',
  finding: 'read (`r`), or the data action blobs/read',
  listing: 'list (`l`), or the data action blobs/read',
  deleting: 'delete (`d`), or the data action blobs/delete; a writer needs no such right',
  locking: 'set immutability policy (`i`)',
  'finding the lock of': 'read (`r`)',
  'listing the versions of': 'list (`l`), or the data action blobs/read',
};

/** The `LB_VAULT_*` error for what the SDK threw. Lifeboat's own errors are returned as they are. */
export function azureError(error: unknown, failure: AzureFailure): Error {
  if (isLifeboatError(error)) return error;
  const { vault, key, subject, doing, redact } = failure;
  const answer = answerOf(error);
  const { code, hint } = meaningOf(answer, doing);
  const cause = new Error(redact(`${answer.name} ${answer.status ?? ''} ${answer.requestId ?? ''} ${answer.message}`));
  if (key !== undefined && code === 'LB_VAULT_OBJECT_MISSING') return objectMissing(vault, key);
  if (key !== undefined && code === 'LB_VAULT_LOCKED') return stillLocked(vault, key, undefined, cause);
  return new VaultError(code, vault, redact(`${capital(doing)} ${subject} failed: ${reasonOf(answer)}`), {
    key,
    hint,
    cause,
    retryAfterMs: answer.retryAfterMs,
  });
}

function meaningOf(answer: AzureAnswer, doing: Doing): Meaning {
  const known = BY_NAME[answer.name];
  if (known !== undefined) return known;
  if (isCertificateError(answer.name)) {
    return { code: 'LB_VAULT_UNTRUSTED', hint: 'Name the authority that signed it in NODE_EXTRA_CA_CERTS, or correct `endpoint`.' };
  }
  const { status } = answer;
  if (status === undefined) {
    if (/non-TLS|non-https/i.test(answer.message)) return { code: 'LB_VAULT_UNSUPPORTED', hint: 'Use an `endpoint` with https://.' };
    return { code: 'LB_VAULT_UNAVAILABLE', hint: 'Check `account`, `endpoint` and the network.' };
  }
  if (doing.includes('lock') && [400, 409, 501].includes(status)) return { code: 'LB_VAULT_LOCK_UNSUPPORTED', hint: HOW_TO_LOCK };
  switch (status) {
    case 401:
    case 403:
      return { code: 'LB_VAULT_ACCESS', hint: `Check \`credentials\`, or grant them ${RIGHTS[doing]}.` };
    case 404:
      return doing.startsWith('storing') || doing.startsWith('listing')
        ? { code: 'LB_VAULT_NOT_FOUND', hint: NO_CONTAINER }
        : { code: 'LB_VAULT_OBJECT_MISSING' };
    case 408:
    case 409:
    case 429:
      return { code: 'LB_VAULT_UNAVAILABLE' };
    case 507:
      return { code: 'LB_VAULT_FULL' };
    default:
      return status >= 500 && status !== 501 ? { code: 'LB_VAULT_UNAVAILABLE' } : { code: 'LB_VAULT_UNSUPPORTED', hint: CHECK_ENDPOINT };
  }
}

/** True when the answer is that an object of this name is there: Azure says 409 to a create-only request, and 412 to some. */
export function saysItExists(error: unknown): boolean {
  const { status, name } = answerOf(error);
  return name === 'BlobAlreadyExists' || (status === 412 && name === 'ConditionNotMet') || name === 'UnauthorizedBlobOverwrite';
}

function reasonOf({ name, status, message }: AzureAnswer): string {
  // What follows the first line says how a signature should have looked.
  const [first = ''] = message.split('\n');
  if (status === undefined) return first === '' ? name : first;
  const said = name === '' || name === 'RestError' ? `HTTP ${status}` : `${name} (HTTP ${status})`;
  return first === '' ? said : `${said}: ${first}`;
}

/** What the SDK's error says, whatever class it has. */
export function answerOf(error: unknown): AzureAnswer {
  const status = number(field(error, 'statusCode'));
  const headers = field(field(error, 'response'), 'headers');
  const header = (name: string): string | undefined => headerOf(headers, name);
  const named = text(field(error, 'code')) ?? text(field(record(field(error, 'details')), 'errorCode'));
  const name = (status === undefined ? named : (header('x-ms-error-code') ?? named)) ?? text(field(error, 'name')) ?? '';
  return {
    name,
    status,
    message: text(field(error, 'message')) ?? '',
    requestId: header('x-ms-request-id'),
    retryAfterMs: retryAfter(header('retry-after')),
  };
}

function headerOf(headers: unknown, name: string): string | undefined {
  const get = field(headers, 'get');
  return typeof get === 'function' ? text(Reflect.apply(get, headers, [name])) : undefined;
}
