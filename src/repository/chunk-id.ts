import { createHmac, hash } from 'node:crypto';
import type { Secret } from '../keys/index.ts';
import { MAX_CHUNK } from './chunker.ts';

/** Bytes of a chunk id. */
export const CHUNK_ID_BYTES = 16;

/** Names chunks by their content, so that equal content is found again, and only holders of the dedup key can tell what it is. */
export interface ChunkNamer {
  /**
   * HMAC-SHA-256 of the parts, one after the other. The first `CHUNK_ID_BYTES` are the id. The bytes are the namer's own: valid until it names the next chunk.
   */
  name(...parts: readonly Uint8Array[]): Buffer;
}

/** SHA-256's block and digest, in bytes (FIPS 180-4). */
const BLOCK = 64;
const DIGEST = 32;

/**
 * HMAC-SHA-256; for up to `MAX_CHUNK` bytes as RFC 2104 puts it together from two hashes. Written out because `createHmac` makes an object for every
 * call that the garbage collector has to finalise. Digests come as strings, which cost less than buffers and are read
 * quicker here than natively: measured over 10,000 chunks of 1 kB, this takes less than half the time.
 */
export function createChunkNamer(dedupKey: Secret): ChunkNamer {
  const key = dedupKey.expose();
  const inner = Buffer.alloc(BLOCK + MAX_CHUNK);
  const outer = Buffer.alloc(BLOCK + DIGEST);
  const name = Buffer.alloc(DIGEST);
  for (let i = 0; i < BLOCK; i++) {
    inner[i] = (key[i] ?? 0) ^ 0x36;
    outer[i] = (key[i] ?? 0) ^ 0x5c;
  }
  const nameLarge = (parts: readonly Uint8Array[]): Buffer => {
    const hmac = createHmac('sha256', key);
    for (const part of parts) hmac.update(part);
    return hmac.digest();
  };
  return {
    name(...parts) {
      if (parts.reduce((sum, part) => sum + part.length, 0) > MAX_CHUNK) return nameLarge(parts);
      let end = BLOCK;
      for (const part of parts) {
        inner.set(part, end);
        end += part.length;
      }
      write(outer, BLOCK, hash('sha256', inner.subarray(0, end), 'binary'));
      write(name, 0, hash('sha256', outer, 'binary'));
      return name;
    },
  };
}

function write(to: Buffer, at: number, digest: string): void {
  for (let i = 0; i < DIGEST; i++) to[at + i] = digest.charCodeAt(i);
}
