import { createHash, getFips } from 'node:crypto';
import type { Checksum } from '../body.ts';
import type { GcsClient } from './client.ts';

/**
 * The checksum of an object as Google keeps it. MD5 is old and weak, but several times quicker here than a CRC32C written in
 * JavaScript, and it is only to find bytes that were garbled on the way; where cryptography is restricted to FIPS 140, which has
 * no MD5, it is CRC32C.
 */
export interface GcsChecksum {
  update(bytes: Uint8Array): unknown;
  /** What the description of an object says; to be asked once, after the last byte. */
  value(): { readonly md5Hash: string } | { readonly crc32c: string };
}

export function newChecksum(client: GcsClient): GcsChecksum {
  if (getFips() === 1) {
    const crc = client.crc32c();
    return { update: (bytes) => crc.update(bytes), value: () => ({ crc32c: crc.value() }) };
  }
  const hash = createHash('md5');
  return { update: (bytes) => hash.update(bytes), value: () => ({ md5Hash: hash.digest('base64') }) };
}

/** Whether an object is described as having these bytes; true when the description has no such checksum. */
export function agrees(object: { readonly md5Hash?: string | undefined; readonly crc32c?: string | undefined }, value: ReturnType<GcsChecksum['value']>): boolean {
  const [ours, theirs] = 'md5Hash' in value ? [value.md5Hash, object.md5Hash] : [value.crc32c, object.crc32c];
  return theirs === undefined || theirs === ours;
}

/** What the bytes of a whole object are to be checked against: the header `x-goog-hash: crc32c=…,md5=…` of the answer. */
export function checksumFrom(header: string | string[] | undefined, client: GcsClient): Checksum | undefined {
  const sums = new Map(String(header ?? '').split(',').map((sum) => split(sum.trim())));
  const given = { md5Hash: sums.get('md5'), crc32c: sums.get('crc32c') };
  if (given.md5Hash === undefined && given.crc32c === undefined) return undefined;
  const sum = newChecksum(client);
  return { update: (bytes) => sum.update(bytes), matches: () => agrees(given, sum.value()) };
}

/** Values are Base64, which ends in `=`. */
function split(sum: string): [name: string, value: string] {
  const at = sum.indexOf('=');
  return [sum.slice(0, at), sum.slice(at + 1)];
}
