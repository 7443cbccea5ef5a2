import { noise } from './made.ts';

const MIB = 1024 * 1024;

/** Own bytes, and after them bytes that all have. Enough for threads, and for several packs. */
export function streamFor(seed: string): Buffer {
  return Buffer.concat([noise(9 * MIB + 4321, `stream of ${seed}`), noise(24 * MIB, 'shared')]);
}

/** The same for an image. */
export function imageFor(seed: string): Buffer {
  return Buffer.concat([noise(16 * MIB, 'shared image'), Buffer.alloc(3 * MIB), noise(6 * MIB, `image of ${seed}`)]);
}
