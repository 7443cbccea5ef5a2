import { createHash } from 'node:crypto';

/**
 * The table of the gear hash: entry `i` is the first 4 bytes, little endian, of SHA-256("lifeboat gear 1" ‖ byte i).
 * Anyone can compute it, and see that nothing is hidden in it.
 */
export const GEAR: Uint32Array = Uint32Array.from({ length: 256 }, (_, i) =>
  createHash('sha256').update('lifeboat gear 1').update(Uint8Array.of(i)).digest().readUInt32LE(0),
);
