import { createCipheriv } from 'node:crypto';

/** Bytes of a chunk of a block image. */
export const CHUNK = 1024 * 1024;
/** Chunks of the index whose content is known: enough to see that all of it is searched. */
export const KNOWN_CHUNKS = 256;

/** The content of one of them. */
export function knownChunk(number: number): Buffer {
  return createCipheriv('aes-256-ctr', Buffer.alloc(32, `chunk ${number}`), Buffer.alloc(16)).update(Buffer.alloc(CHUNK));
}
