import { describe, expect, it } from 'vitest';
import { VaultError } from '../../src/vault/errors.ts';
import { s3Error } from '../../src/vault/s3/errors.ts';
import type { Doing } from '../../src/vault/remote.ts';
import { codeOf } from './bytes.ts';

/** What the SDK throws for an answer, as far as it matters. */
function answer(status: number, name = 'Unknown', headers: Record<string, string> = {}): Error {
  return Object.assign(new Error('server said so'), { name, $metadata: { httpStatusCode: status }, $response: { headers } });
}

/** What Node throws when a connection fails. */
function broken(code: string): Error {
  return Object.assign(new Error(`connect ${code} 127.0.0.1:1`), { code });
}

const explained = (error: Error, doing: Doing = 'reading', key: string | undefined = 'a/b'): Error =>
  s3Error(error, { vault: 'v', bucket: 'b', key, doing, redact: (text) => text.replaceAll('hush', '[redacted]') });

describe('what S3 servers and connections say', () => {
  it.each<[string, Error, string]>([
    ['a missing object', answer(404, 'NoSuchKey'), 'LB_VAULT_OBJECT_MISSING'],
    ['a missing bucket', answer(404, 'NoSuchBucket'), 'LB_VAULT_NOT_FOUND'],
    ['another region', answer(301, 'PermanentRedirect'), 'LB_VAULT_NOT_FOUND'],
    ['another region, when signing', answer(400, 'AuthorizationHeaderMalformed'), 'LB_VAULT_NOT_FOUND'],
    ['an expired token', answer(400, 'ExpiredToken'), 'LB_VAULT_ACCESS'],
    ['a refusal', answer(403, 'AccessDenied'), 'LB_VAULT_ACCESS'],
    ['a refusal without a body', answer(403), 'LB_VAULT_ACCESS'],
    ['a wrong clock', answer(403, 'RequestTimeTooSkewed'), 'LB_VAULT_UNAVAILABLE'],
    ['a quota', answer(403, 'QuotaExceeded'), 'LB_VAULT_FULL'],
    ['a full store', answer(507), 'LB_VAULT_FULL'],
    ['too many requests', answer(429), 'LB_VAULT_UNAVAILABLE'],
    ['throttling', answer(503, 'SlowDown'), 'LB_VAULT_UNAVAILABLE'],
    ['two creators at once', answer(409, 'ConditionalRequestConflict'), 'LB_VAULT_UNAVAILABLE'],
    ['an error after the answer had begun', answer(200, 'InternalError'), 'LB_VAULT_UNAVAILABLE'],
    ['garbled bytes', answer(400, 'BadDigest'), 'LB_VAULT_UNAVAILABLE'],
    ['a condition that is not known', answer(501, 'NotImplemented'), 'LB_VAULT_UNSUPPORTED'],
    ['a request that is not known', answer(400, 'InvalidRequest'), 'LB_VAULT_UNSUPPORTED'],
    ['no credentials', Object.assign(new Error('none'), { name: 'CredentialsProviderError' }), 'LB_VAULT_ACCESS'],
    ['a closed port', broken('ECONNREFUSED'), 'LB_VAULT_UNAVAILABLE'],
    ['an unknown host', broken('ENOTFOUND'), 'LB_VAULT_UNAVAILABLE'],
    ['an unknown authority', broken('SELF_SIGNED_CERT_IN_CHAIN'), 'LB_VAULT_UNTRUSTED'],
    ['an expired certificate', broken('CERT_HAS_EXPIRED'), 'LB_VAULT_UNTRUSTED'],
    ["another host's certificate", broken('ERR_TLS_CERT_ALTNAME_INVALID'), 'LB_VAULT_UNTRUSTED'],
  ])('has a code: %s', (_, error, code) => {
    expect(codeOf(explained(error))).toBe(code);
  });

  it('means the vault, not the object, when there is nothing to store into or to list', () => {
    for (const doing of ['storing', 'listing'] as const) expect(codeOf(explained(answer(404), doing))).toBe('LB_VAULT_NOT_FOUND');
  });

  it('names the vault, the object, and what was being done', () => {
    const error = explained(answer(503, 'SlowDown'), 'storing');
    expect(error.message).toBe('Storing a/b failed: SlowDown (HTTP 503): server said so');
    expect(error).toHaveProperty('where', 'vault "v", object a/b');
    expect(error).toHaveProperty('retriable', true);
  });

  it('names the right region when the server does', () => {
    const error = explained(answer(301, 'PermanentRedirect', { 'x-amz-bucket-region': 'eu-west-3' }));
    expect(error).toHaveProperty('hint', expect.stringContaining('eu-west-3'));
  });

  it('says how long the server asks to wait, in seconds or until a date', () => {
    const asked = (value: string): number | undefined => {
      const error = explained(answer(503, 'SlowDown', { 'retry-after': value }));
      return error instanceof VaultError ? error.retryAfterMs : undefined;
    };
    expect(asked('7')).toBe(7000);
    expect(asked('Thu, 01 Jan 1970 00:00:00 GMT')).toBe(0);
    expect(asked('soon')).toBeUndefined();
  });

  it('carries nothing of the answer but what was made safe', () => {
    const leaky = Object.assign(answer(403, 'AccessDenied'), { message: 'key hush denied', AWSAccessKeyId: 'hush', StringToSign: 'hush' });
    const error = explained(leaky);
    expect(error.message).toContain('key [redacted] denied');
    expect(JSON.stringify([error, error.stack, String(error.cause), error.cause])).not.toContain('hush');
  });
});
