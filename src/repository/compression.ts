import { promisify } from 'node:util';
import { constants, zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import type { ZstdOptions } from 'node:zlib';
import { LifeboatError } from '../core/errors.ts';

/** Zstandard frames (RFC 8878), made in the thread pool. */
const compressAsync = promisify(zstdCompress);
const decompressAsync = promisify(zstdDecompress);

/** Measured on Kubernetes objects: levels 2 and 3 take 1.1 and 1.7 times as long and save nothing. */
const LEVEL = 1;

/**
 * For chunks of a megabyte: a table of matches that stays in the nearest cache, and no matches of five bytes. Measured on logs, table
 * rows and programs, against the level alone: 5% faster, and no larger.
 */
const LARGE = {
  [constants.ZSTD_c_compressionLevel]: LEVEL,
  [constants.ZSTD_c_hashLog]: 13,
  [constants.ZSTD_c_minMatch]: 6,
};

/**
 * Output is made in pieces of this many bytes at most. One piece a block of Kubernetes objects, which shrink to a fifth:
 * measured, each further one costs the main thread as much as the rest of the call. Room for whole blocks would be
 * four times the memory, and a collection of it during every backup.
 */
const PIECE = 80 * 1024;
/** The same for what a frame expands to. */
const PLAIN_PIECE = 256 * 1024;

/** A zstd frame of `bytes`. The bytes must not change before the promise resolves. */
export function compress(bytes: Uint8Array): Promise<Buffer> {
  return compressAsync(bytes, optionsFor(bytes));
}

/**
 * The same at once: for blocks, which take half a millisecond. Measured over the blocks of 10,000 objects: 26 ms of the
 * processor's time, where the thread pool takes 42 to 60, most of what is added on this thread.
 */
export function compressNow(bytes: Uint8Array): Buffer {
  return zstdCompressSync(bytes, optionsFor(bytes));
}

function optionsFor(bytes: Uint8Array): ZstdOptions {
  return {
    params: { [constants.ZSTD_c_compressionLevel]: LEVEL },
    pledgedSrcSize: bytes.length,
    chunkSize: Math.min(PIECE, bytes.length + 1024),
  };
}

/**
 * As `compress`, at once: for threads that do nothing else. The frame has memory of its own, to be released when it is done with:
 * as much as zstd might need (`ZSTD_compressBound`), because it compresses straight into it then. Measured: a third faster.
 */
export function compressWhole(bytes: Uint8Array): Buffer {
  return zstdCompressSync(bytes, {
    params: LARGE,
    pledgedSrcSize: bytes.length,
    chunkSize: bytes.length + (bytes.length >>> 8) + 1024,
  });
}

/** The content of a zstd frame, which must be `maximum` bytes or fewer. Throws `LB_REPO_DAMAGED`. */
export async function decompress(frame: Uint8Array, maximum: number): Promise<Buffer> {
  try {
    return await decompressAsync(frame, { maxOutputLength: Math.max(1, maximum), chunkSize: Math.min(PLAIN_PIECE, maximum) + 1024 });
  } catch (cause) {
    throw new LifeboatError('LB_REPO_DAMAGED', 'Compressed bytes do not expand', { cause });
  }
}

/** As `decompress`, at once and in one piece. */
export function decompressWhole(frame: Uint8Array, maximum: number): Buffer {
  try {
    return zstdDecompressSync(frame, { maxOutputLength: Math.max(1, maximum), chunkSize: maximum + 1024 });
  } catch (cause) {
    throw new LifeboatError('LB_REPO_DAMAGED', 'Compressed bytes do not expand', { cause });
  }
}
