import { createHmac, createSecretKey } from 'node:crypto';
import type { Secret } from '../keys/index.ts';

/** Bytes of a chunk id. */
export const CHUNK_ID_BYTES = 16;

/** Names chunks by their content, so that equal content is found again, and only holders of the dedup key can tell what it is. */
export interface ChunkNamer {
  /** HMAC-SHA-256 of the parts, one after the other. The first `CHUNK_ID_BYTES` are the id. */
  name(...parts: readonly Uint8Array[]): Buffer;
}

export function createChunkNamer(dedupKey: Secret): ChunkNamer {
  const key = createSecretKey(dedupKey.expose());
  return {
    name(...parts) {
      const hmac = createHmac('sha256', key);
      for (const part of parts) hmac.update(part);
      return hmac.digest();
    },
  };
}
