import type { KeyObject } from 'node:crypto';
import { LifeboatError } from '../core/errors.ts';
import { ENCAPSULATED_BYTES, SEAL_OVERHEAD } from '../keys/sealing-sizes.ts';
import { counterNonce, deriveKey, secretKey, TAG_BYTES } from './aead.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { compress, decompress } from './compression.ts';

/** Layout of a pack: docs/format.md, "Packs". */
const MAGIC = Buffer.from('LBPACK\0');
const FOOTER_MAGIC = Buffer.from('LBPE');
const SEALED_KEY_AT = MAGIC.length + 1;
const COMMITMENT_BYTES = 32;
const COMMITMENT_AT = SEALED_KEY_AT + SEAL_OVERHEAD + 32;
/** Bytes before the first block. */
export const PACK_HEADER_BYTES = COMMITMENT_AT + COMMITMENT_BYTES;
/** Bytes after the sealed block table. */
export const PACK_FOOTER_BYTES = 8;

/**
 * Version 1 is for records, version 2 for byte streams: larger blocks, and so fewer of them. They are laid out the same,
 * and sealed under different contexts, so that neither can be taken for the other.
 */
export type PackVersion = 1 | 2;

/** A block holds at most this much plaintext. */
export const MAX_BLOCK = 256 * 1024;
/** The same in a pack of version 2. */
export const MAX_LARGE_BLOCK = 4 * 1024 * 1024;
/** A pack is closed when this many sealed bytes are in it. */
export const PACK_TARGET = 16 * 1024 * 1024;

/** HPKE `info` of a pack's content key, of either version; its AAD is the repository id. */
export const PACK_SEAL_INFO = 'lifeboat/1/pack';

/** What a pack's content key is made into. */
export interface PackKeys {
  readonly key: KeyObject;
  /**
   * Says which content key it is without giving it away. AES-GCM alone does not: one ciphertext can be made to open
   * under two keys. Checked before anything is opened, and part of the signed point.
   */
  readonly commitment: Buffer;
}

/** The most plaintext in one block of a pack of this version. */
export function maxBlockOf(version: PackVersion): number {
  return version === 1 ? MAX_BLOCK : MAX_LARGE_BLOCK;
}

/** Key and commitment of a content key in a repository (both HKDF-SHA256, salted with the repository's id). */
export function packKeys(contentKey: Uint8Array, repositoryId: Uint8Array, version: PackVersion = 1): PackKeys {
  return {
    key: secretKey(deriveKey(contentKey, repositoryId, `lifeboat/${version}/pack/key`)),
    commitment: deriveKey(contentKey, repositoryId, `lifeboat/${version}/pack/commitment`),
  };
}

/** Nonce and associated data of the block with this number, or of the block table. */
export function blockContext(
  position: number | 'table',
  repositoryId: Uint8Array,
  commitment: Uint8Array,
  version: PackVersion = 1,
): { readonly nonce: Buffer; readonly aad: Buffer } {
  const number = position === 'table' ? 0xffffffff : position;
  const nonce = counterNonce(number);
  const aad = Buffer.concat([
    Buffer.from(`lifeboat/${version}/pack/block`),
    repositoryId,
    commitment,
    nonce.subarray(8),
  ]);
  return { nonce, aad };
}

export function encodePackHeader(
  sealedContentKey: Uint8Array,
  commitment: Uint8Array,
  version: PackVersion = 1,
): Buffer {
  return Buffer.concat([MAGIC, Uint8Array.of(version), sealedContentKey, commitment]);
}

/** The parts of a pack's beginning. Throws `LB_REPO_DAMAGED`, `LB_REPO_NEWER_FORMAT`. */
export function decodePackHeader(bytes: Uint8Array): {
  readonly version: PackVersion;
  readonly sealedContentKey: Uint8Array;
  readonly commitment: Uint8Array;
} {
  if (bytes.length < PACK_HEADER_BYTES || !MAGIC.equals(bytes.subarray(0, MAGIC.length))) {
    throw new LifeboatError('LB_REPO_DAMAGED', 'This is not a pack');
  }
  const version = bytes[MAGIC.length] as number;
  if (version > 2) throw new LifeboatError('LB_REPO_NEWER_FORMAT', `The pack has format ${version}`);
  return {
    version: version === 2 ? 2 : 1,
    sealedContentKey: bytes.subarray(SEALED_KEY_AT, SEALED_KEY_AT + ENCAPSULATED_BYTES + 32 + TAG_BYTES),
    commitment: bytes.subarray(COMMITMENT_AT, PACK_HEADER_BYTES),
  };
}

export function encodePackFooter(sealedTableBytes: number): Buffer {
  const footer = Buffer.alloc(PACK_FOOTER_BYTES);
  footer.writeUInt32LE(sealedTableBytes, 0);
  footer.set(FOOTER_MAGIC, 4);
  return footer;
}

/** Bytes of the sealed block table, from a pack's last `PACK_FOOTER_BYTES`. Throws `LB_REPO_DAMAGED`. */
export function decodePackFooter(bytes: Uint8Array): number {
  if (bytes.length !== PACK_FOOTER_BYTES || !FOOTER_MAGIC.equals(bytes.subarray(4))) {
    throw new LifeboatError('LB_REPO_DAMAGED', 'The pack does not end as a pack does');
  }
  return new ByteReader(bytes, 'The pack').u32();
}

/** One block of a pack as its block table tells it. */
export interface BlockEntry {
  /** Bytes in the pack, with the tag. */
  readonly sealedBytes: number;
  readonly compressed: boolean;
  /** Plaintext bytes of each chunk, in order. */
  readonly chunkLengths: readonly number[];
}

/** The block table before it is sealed. */
export function encodeBlockTable(blocks: readonly BlockEntry[]): Promise<Buffer> {
  return compress(blockTableBytes(blocks));
}

/** The block table before it is compressed. */
export function blockTableBytes(blocks: readonly BlockEntry[]): Buffer {
  const out = new ByteWriter();
  out.varint(blocks.length);
  for (const block of blocks) {
    out.varint(block.sealedBytes);
    out.byte(block.compressed ? 1 : 0);
    out.varint(block.chunkLengths.length);
    for (const length of block.chunkLengths) out.varint(length);
  }
  return out.finish();
}

/** A table can be no larger than this: what bounds memory when a hostile writer made it. */
const MAX_TABLE = 64 * 1024 * 1024;

/** What `encodeBlockTable` encoded. Throws `LB_REPO_DAMAGED`. */
export async function decodeBlockTable(encoded: Uint8Array, version: PackVersion = 1): Promise<BlockEntry[]> {
  const maximum = maxBlockOf(version);
  const reader = new ByteReader(await decompress(encoded, MAX_TABLE), 'The block table');
  const blocks: BlockEntry[] = [];
  for (let left = reader.count(3); left > 0; left--) {
    const sealedBytes = reader.varint();
    const encoding = reader.byte();
    if (encoding > 1) throw reader.damaged(`names the unknown encoding ${encoding}`);
    const chunkLengths: number[] = [];
    let total = 0;
    for (let chunk = reader.count(1); chunk > 0; chunk--) {
      const length = reader.varint();
      total += length;
      chunkLengths.push(length);
    }
    if (total > maximum) throw reader.damaged('has a block that is too long');
    blocks.push({ sealedBytes, compressed: encoding === 1, chunkLengths });
  }
  reader.end();
  return blocks;
}
