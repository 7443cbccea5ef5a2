import { randomBytes } from 'node:crypto';
import { LifeboatError } from '../core/errors.ts';
import type { Secret } from '../keys/index.ts';
import { counterNonce, deriveKey, seal, secretKey, unseal } from './aead.ts';
import { ByteReader, ByteWriter, release } from './bytes.ts';
import { CHUNK_ID_BYTES } from './chunk-id.ts';
import { compress, decompress } from './compression.ts';
import { FORMAT_VERSION } from './layout.ts';
import { PACK_REF_BYTES, readPackRef, writePackRef } from './pack-table.ts';
import type { PackRef } from './pack-table.ts';

/** Layout of an index object: docs/format.md, "Index objects". */
const MAGIC = Buffer.from('LBINDX\0');
const SALT_AT = MAGIC.length + 1;
const SALT_BYTES = 32;
const SEALED_AT = SALT_AT + SALT_BYTES;
/** Bound on the size of one index object, before compression: 4 million chunks. */
const MAX_INDEX = 256 * 1024 * 1024;
const WHAT = 'The index object';

/**
 * A long backup writes an index object now and then, so that a later one can go on from a killed one: after a few packs at first,
 * then after an eighth more than it had, because each is an object to be read by every backup that follows.
 */
const FIRST_PACKS = 4;
const PART_MORE = 8;
/** As many as are lost at most. */
const MOST_PACKS = 512;
/** And bytes of ids, where packs hold many small chunks. */
const MOST_IDS = 4 * 1024 * 1024;

/** Whether a backup that has made `packs` should write an index object of those that are in none. */
export function isIndexDue(unindexed: number, idBytes: number, packs: number): boolean {
  return idBytes >= MOST_IDS || unindexed >= Math.min(MOST_PACKS, Math.max(FIRST_PACKS, packs / PART_MORE));
}

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
  const index = await openIndexObject(bytes, indexKey, repositoryId);
  return Array.from({ length: index.packs }, (_, number) => packIndexOf(index, number));
}

/** An index object, opened: what it says of the packs, without an object for each, because there may be a million in all. */
export interface OpenIndex {
  readonly contents: Uint8Array;
  readonly packs: number;
  /** Where in the contents each pack is told of, as in a pack table. */
  readonly refsAt: Uint32Array;
  /** Where in the contents its ids begin. */
  readonly idsAt: Uint32Array;
  /** Where its blocks begin in `blocks`, and after the last pack their end. */
  readonly blocksAt: Uint32Array;
  /** Number of chunks of each block. */
  readonly blocks: Uint32Array;
}

/** What an opened index object says of one of its packs. */
export function packIndexOf({ contents, refsAt, idsAt, blocksAt, blocks }: OpenIndex, number: number): PackIndex {
  const at = refsAt[number] as number;
  const pack = readPackRef(new ByteReader(contents.subarray(at, at + PACK_REF_BYTES), WHAT));
  const counts = [...blocks.subarray(blocksAt[number], blocksAt[number + 1])];
  const ids = contents.subarray(idsAt[number]).subarray(0, counts.reduce((sum, count) => sum + count, 0) * CHUNK_ID_BYTES);
  return { pack, blocks: counts, ids };
}

/** As `decodeIndexObject`, and quicker. */
export async function openIndexObject(
  bytes: Uint8Array,
  indexKey: Secret,
  repositoryId: Uint8Array,
): Promise<OpenIndex> {
  if (bytes.length < SEALED_AT || !MAGIC.equals(bytes.subarray(0, MAGIC.length))) {
    throw new LifeboatError('LB_REPO_DAMAGED', 'This is not an index object');
  }
  const version = bytes[MAGIC.length] as number;
  if (version > FORMAT_VERSION)
    throw new LifeboatError('LB_REPO_NEWER_FORMAT', `The index object has format ${version}`);
  const key = keyFor(indexKey, bytes.subarray(SALT_AT, SEALED_AT));
  const packed = unseal(key, counterNonce(0), aadFor(repositoryId), bytes.subarray(SEALED_AT));
  const contents = await decompress(packed, MAX_INDEX);
  release(packed);
  const reader = new ByteReader(contents, WHAT);
  const packs = reader.count(PACK_REF_BYTES);
  const [refsAt, idsAt, blocksAt] = [new Uint32Array(packs), new Uint32Array(packs), new Uint32Array(packs + 1)];
  let found = 0;
  let ids = 0;
  for (let pack = 0; pack < packs; pack++) {
    refsAt[pack] = contents.length - reader.left;
    reader.skip(PACK_REF_BYTES);
    idsAt[pack] = ids;
    for (let block = reader.count(1); block > 0; block--) {
      const count = reader.varint();
      if (found === scratch.length) scratch = twiceAsLong(scratch);
      scratch[found++] = count;
      ids += count * CHUNK_ID_BYTES;
    }
    blocksAt[pack + 1] = found;
  }
  const first = contents.length - reader.left;
  for (let pack = 0; pack < packs; pack++) idsAt[pack] = first + (idsAt[pack] as number);
  reader.skip(ids);
  reader.end();
  return { contents, packs, refsAt, idsAt, blocksAt, blocks: scratch.slice(0, found) };
}

/** Where counts of blocks are put until it is known how many there are: an array of numbers for each object is a lot to collect. */
let scratch = new Uint32Array(1024);

function twiceAsLong(counts: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const longer = new Uint32Array(2 * counts.length);
  longer.set(counts);
  return longer;
}

function keyFor(indexKey: Secret, salt: Uint8Array): ReturnType<typeof secretKey> {
  return secretKey(deriveKey(indexKey.expose(), salt, 'lifeboat/1/index'));
}

function aadFor(repositoryId: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from('lifeboat/1/index'), repositoryId]);
}
