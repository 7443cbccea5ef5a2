import { createHash, getFips } from 'node:crypto';

/**
 * The Content-MD5 header of a request's body, against bytes garbled on the way. Old and weak, but the one check that
 * every server makes (SeaweedFS does not compare the signed SHA-256), and that buckets with object lock ask for.
 * It keeps nobody out: what protects the bytes is their name, which is their SHA-256, and their sealing.
 * Undefined where cryptography is restricted to FIPS 140, which has no MD5; the signed SHA-256 has to do then.
 */
export function contentMd5(body: Uint8Array): string | undefined {
  return getFips() === 1 ? undefined : createHash('md5').update(body).digest('base64');
}
