import { randomBytes } from 'node:crypto';
import { LifeboatError } from '../core/errors.ts';
import type { Secret } from '../keys/index.ts';
import { counterNonce, deriveKey, seal, secretKey, unseal } from './aead.ts';
import { ByteReader, ByteWriter } from './bytes.ts';
import { CHUNK_ID_BYTES } from './chunk-id.ts';
import { compress, decompress } from './compression.ts';
import { FORMAT_VERSION } from './layout.ts';
import { readPackRef, writePackRef } from './pack-table.ts';
import type { PackRef } from './pack-table.ts';

/** Layout of an index object: docs/format.md, "Index objects". */
const MAGIC = Buffer.from('LBINDX\0');
const SALT_AT = MAGIC.length + 1;
const SALT_BYTES = 32;
const SEALED_AT = SALT_AT + SALT_BYTES;
/** Bound on the size of one index object, before compression: 4 million chunks. */
const MAX_INDEX = 256 * 1024 * 1024;

/** Which chunks a pack holds. */
export interface PackIndex {
  readonly pack: PackRef;
  /** Number of chunks of each block. */
  readonly blocks: readonly number[];
  /** Ids of all chunks, `CHUNK_ID_BYTES` each, in the order of blocks and of chunks within them. */
  readonly ids: Uint8Array;
}

/** An index object: sealed with the index key under a fresh salt. */
export async function encodeIndexObject(
  packs: readonly PackIndex[],
  indexKey: Secret,
  repositoryId: Uint8Array,
): Promise<Buffer> {
  const out = new ByteWriter();
  out.varint(packs.length);
  for (const { pack, blocks } of packs) {
    writePackRef(out, pack);
    out.varint(blocks.length);
    for (const count of blocks) out.varint(count);
  }
  for (const { ids } of packs) out.bytes(ids);
  const salt = randomBytes(SALT_BYTES);
  const head = Buffer.concat([MAGIC, Uint8Array.of(FORMAT_VERSION), salt]);
  const sealed = seal(keyFor(indexKey, salt), counterNonce(0), aadFor(repositoryId), await compress(out.finish()));
  return Buffer.concat([head, sealed]);
}

/** What `encodeIndexObject` encoded. Throws `LB_REPO_DAMAGED`, `LB_REPO_NEWER_FORMAT`. */
export async function decodeIndexObject(
  bytes: Uint8Array,
  indexKey: Secret,
  repositoryId: Uint8Array,
): Promise<PackIndex[]> {
  if (bytes.length < SEALED_AT || !MAGIC.equals(bytes.subarray(0, MAGIC.length))) {
    throw new LifeboatError('LB_REPO_DAMAGED', 'This is not an index object');
  }
  const version = bytes[MAGIC.length] as number;
  if (version > FORMAT_VERSION)
    throw new LifeboatError('LB_REPO_NEWER_FORMAT', `The index object has format ${version}`);
  const key = keyFor(indexKey, bytes.subarray(SALT_AT, SEALED_AT));
  const packed = unseal(key, counterNonce(0), aadFor(repositoryId), bytes.subarray(SEALED_AT));
  const reader = new ByteReader(await decompress(packed, MAX_INDEX), 'The index object');
  const heads: { readonly pack: PackRef; readonly blocks: number[]; readonly chunks: number }[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    const pack = readPackRef(reader);
    const blocks: number[] = [];
    let chunks = 0;
    for (let block = reader.count(1); block > 0; block--) {
      const count = reader.varint();
      blocks.push(count);
      chunks += count;
    }
    heads.push({ pack, blocks, chunks });
  }
  const packs = heads.map(({ pack, blocks, chunks }) => ({ pack, blocks, ids: reader.bytes(chunks * CHUNK_ID_BYTES) }));
  reader.end();
  return packs;
}

function keyFor(indexKey: Secret, salt: Uint8Array): ReturnType<typeof secretKey> {
  return secretKey(deriveKey(indexKey.expose(), salt, 'lifeboat/1/index'));
}

function aadFor(repositoryId: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from('lifeboat/1/index'), repositoryId]);
}
