import { createHash } from 'node:crypto';

/** A key without comments and white space. */
export function tokenOf(text: string): string {
  return text.replace(/^\s*#.*$/gm, '').replace(/\s+/g, '');
}

/** First 4 bytes of the SHA-256 of all that is before it, in hex. */
export function checksum(signed: string): string {
  return createHash('sha256').update(signed).digest('hex').slice(0, 8);
}
