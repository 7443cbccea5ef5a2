import { describe, expect, it } from 'vitest';
import { azureError } from '../../src/vault/azure/errors.ts';
import { NoToken } from '../../src/vault/gcs/client.ts';
import { gcsError, GcsRefusal } from '../../src/vault/gcs/errors.ts';
import { VaultError } from '../../src/vault/errors.ts';
import type { Doing } from '../../src/vault/remote.ts';
import { codeOf } from './bytes.ts';
import { everythingIn } from './secrets.ts';

/** What Node throws when a connection fails. */
const broken = (code: string): Error => Object.assign(new Error(`connect ${code} 127.0.0.1:1`), { code });

describe('what Google Cloud Storage and connections to it say', () => {
  const answer = (status: number, reason?: string, message = 'said so', headers = {}): Error =>
    new GcsRefusal({ status, headers, data: reason === undefined ? message : { error: { message, errors: [{ reason }] } } });
  const noToken = (cause: unknown): Error => new NoToken('no token', { cause });
  const explained = (error: Error, doing: Doing = 'reading', key: string | undefined = 'a/b'): Error =>
    gcsError(error, { vault: 'v', subject: key ?? 'bucket b', key, doing });

  it.each<[string, Error, Doing, string]>([
    ['a missing object', answer(404, 'notFound', 'No such object: b/a'), 'reading', 'LB_VAULT_OBJECT_MISSING'],
    ['a missing bucket', answer(404, 'notFound', 'The specified bucket does not exist.'), 'reading', 'LB_VAULT_NOT_FOUND'],
    ['nothing to store into', answer(404), 'storing', 'LB_VAULT_NOT_FOUND'],
    ['nothing to list', answer(404), 'listing', 'LB_VAULT_NOT_FOUND'],
    ['a refusal', answer(403, 'forbidden'), 'reading', 'LB_VAULT_ACCESS'],
    ['an invalid token', answer(401, 'authError'), 'reading', 'LB_VAULT_ACCESS'],
    ['too many requests', answer(403, 'userRateLimitExceeded'), 'reading', 'LB_VAULT_UNAVAILABLE'],
    ['too many requests, by status', answer(429, 'rateLimitExceeded'), 'storing', 'LB_VAULT_UNAVAILABLE'],
    ['a passing error', answer(503, 'backendError'), 'storing', 'LB_VAULT_UNAVAILABLE'],
    ['an upload that was forgotten', answer(410), 'storing', 'LB_VAULT_UNAVAILABLE'],
    ['garbled bytes', answer(400, 'invalid', 'Provided MD5 hash does not match'), 'storing', 'LB_VAULT_UNAVAILABLE'],
    ['a request that is not known', answer(400, 'invalid'), 'storing', 'LB_VAULT_UNSUPPORTED'],
    ['a bucket that cannot lock', answer(400, 'invalid'), 'locking', 'LB_VAULT_LOCK_UNSUPPORTED'],
    ['a lock', answer(403, 'retentionPolicyNotMet'), 'deleting', 'LB_VAULT_LOCKED'],
    ['a closed port', broken('ECONNREFUSED'), 'reading', 'LB_VAULT_UNAVAILABLE'],
    ['an unknown authority', broken('SELF_SIGNED_CERT_IN_CHAIN'), 'reading', 'LB_VAULT_UNTRUSTED'],
    ['no credentials', noToken(new Error('Could not load the default credentials')), 'reading', 'LB_VAULT_ACCESS'],
    ['credentials that are refused', noToken({ response: { status: 400 } }), 'reading', 'LB_VAULT_ACCESS'],
    ['a token service that fails', noToken({ response: { status: 503 } }), 'reading', 'LB_VAULT_UNAVAILABLE'],
    ['a token service that is away', noToken(broken('ECONNRESET')), 'reading', 'LB_VAULT_UNAVAILABLE'],
  ])('has a code: %s', (_, error, doing, code) => {
    expect(codeOf(explained(error, doing))).toBe(code);
  });

  it('names the vault, the object, what was being done, and how long to wait', () => {
    const error = explained(answer(503, 'backendError', 'said so', { 'retry-after': '7' }), 'storing');
    expect(error.message).toBe('Storing a/b failed: backendError (HTTP 503): said so');
    expect(error).toHaveProperty('where', 'vault "v", object a/b');
    expect(error instanceof VaultError && error.retryAfterMs).toBe(7000);
  });

  it('carries neither tokens nor the address of an upload', () => {
    const leaky = answer(403, undefined, 'Bearer ya29.hush-1 may not PUT https://x/upload?upload_id=hush-2&name=a, says ya29.hush-3');
    expect(everythingIn(explained(leaky))).not.toContain('hush');
  });
});

describe('what Azure Blob Storage and connections to it say', () => {
  const answer = (statusCode: number, code?: string, headers: Record<string, string> = {}): Error =>
    Object.assign(new Error('server said so\nRequestId:1'), {
      name: 'RestError',
      statusCode,
      ...(code === undefined ? {} : { code }),
      response: { headers: new Headers({ ...headers, ...(code === undefined ? {} : { 'x-ms-error-code': code }) }) },
    });
  const named = (name: string): Error => Object.assign(new Error('no'), { name });
  const explained = (error: Error, doing: Doing = 'reading', key: string | undefined = 'a/b'): Error =>
    azureError(error, { vault: 'v', subject: key ?? 'container c', key, doing, redact: (text) => text.replaceAll('hush', '[redacted]') });

  it.each<[string, Error, Doing, string]>([
    ['a missing object', answer(404, 'BlobNotFound'), 'reading', 'LB_VAULT_OBJECT_MISSING'],
    ['a missing container', answer(404, 'ContainerNotFound'), 'reading', 'LB_VAULT_NOT_FOUND'],
    ['a container that is being deleted', answer(409, 'ContainerBeingDeleted'), 'storing', 'LB_VAULT_NOT_FOUND'],
    ['a wrong signature', answer(403, 'AuthenticationFailed'), 'reading', 'LB_VAULT_ACCESS'],
    ['a refusal', answer(403, 'AuthorizationPermissionMismatch'), 'storing', 'LB_VAULT_ACCESS'],
    ['a refusal without a body', answer(403), 'reading', 'LB_VAULT_ACCESS'],
    ['garbled bytes', answer(400, 'Md5Mismatch'), 'storing', 'LB_VAULT_UNAVAILABLE'],
    ['parts that another writer threw away', answer(400, 'InvalidBlockList'), 'storing', 'LB_VAULT_UNAVAILABLE'],
    ['a busy server', answer(503, 'ServerBusy'), 'storing', 'LB_VAULT_UNAVAILABLE'],
    ['too many requests', answer(429), 'storing', 'LB_VAULT_UNAVAILABLE'],
    ['a request that is not known', answer(400, 'InvalidHeaderValue'), 'reading', 'LB_VAULT_UNSUPPORTED'],
    ['something that is not done', answer(501, 'NotImplemented'), 'reading', 'LB_VAULT_UNSUPPORTED'],
    ['a container that cannot lock', answer(409, 'FeatureNotEnabled'), 'locking', 'LB_VAULT_LOCK_UNSUPPORTED'],
    ['a lock', answer(409, 'BlobImmutableDueToPolicy'), 'deleting', 'LB_VAULT_LOCKED'],
    ['a closed port', broken('ECONNREFUSED'), 'reading', 'LB_VAULT_UNAVAILABLE'],
    ['an expired certificate', broken('CERT_HAS_EXPIRED'), 'reading', 'LB_VAULT_UNTRUSTED'],
    ['no credentials', named('CredentialUnavailableError'), 'reading', 'LB_VAULT_ACCESS'],
    ['an identity that is refused', named('AggregateAuthenticationError'), 'reading', 'LB_VAULT_ACCESS'],
  ])('has a code: %s', (_, error, doing, code) => {
    expect(codeOf(explained(error, doing))).toBe(code);
  });

  it('names the vault, the object, what was being done, and how long to wait', () => {
    const error = explained(answer(503, 'ServerBusy', { 'retry-after': '7' }), 'storing');
    expect(error.message).toBe('Storing a/b failed: ServerBusy (HTTP 503): server said so');
    expect(error).toHaveProperty('where', 'vault "v", object a/b');
    expect(error instanceof VaultError && error.retryAfterMs).toBe(7000);
  });

  it('carries nothing of the answer but what was made safe', () => {
    const leaky = Object.assign(answer(403, 'AuthenticationFailed'), { message: 'sig hush is wrong\nstring to sign: hush', request: { url: 'https://x?sig=hush' } });
    expect(everythingIn(explained(leaky))).not.toContain('hush');
  });
});
