import { ByteReader, ByteWriter } from './bytes.ts';

/** Chunks that lie one after the other in one block of a pack. */
export interface Extent {
  /** Place of the pack in the point's pack table. */
  readonly pack: number;
  readonly block: number;
  /** Index, within the block, of the first chunk. */
  readonly first: number;
  /** How many: 1 or more. */
  readonly count: number;
}

/** Where the bytes of a stream are. docs/format.md, "Extent lists". */
export interface ExtentList {
  readonly extents: readonly Extent[];
  /** SHA-256 of the ids of all chunks, in order: says that these are the chunks that were written, whatever the index said. */
  readonly digest: Uint8Array;
  /** The chunks hold another, encoded extent list, which is the one that is meant. */
  readonly nested: boolean;
}

const DIRECT = 0;
const NESTED = 1;
const DIGEST_BYTES = 32;

/** Each extent relative to where the one before it ended, so that what lies in order takes few bytes. */
export function encodeExtents(list: ExtentList): Buffer {
  const out = new ByteWriter();
  out.byte(list.nested ? NESTED : DIRECT);
  out.bytes(list.digest);
  out.varint(list.extents.length);
  let last: Extent = { pack: 0, block: 0, first: 0, count: 0 };
  for (const extent of list.extents) {
    const samePack = extent.pack === last.pack;
    const sameBlock = samePack && extent.block === last.block;
    out.zigzag(extent.pack - last.pack);
    out.zigzag(extent.block - (samePack ? last.block : 0));
    out.zigzag(extent.first - (sameBlock ? last.first + last.count : 0));
    out.varint(extent.count - 1);
    last = extent;
  }
  return out.finish();
}

/** What `encodeExtents` encoded. Throws `LB_REPO_DAMAGED`. */
export function decodeExtents(bytes: Uint8Array): ExtentList {
  const reader = new ByteReader(bytes, 'The extent list');
  const kind = reader.byte();
  if (kind !== DIRECT && kind !== NESTED) throw reader.damaged(`is of the unknown kind ${kind}`);
  const digest = reader.bytes(DIGEST_BYTES);
  const extents: Extent[] = [];
  let last: Extent = { pack: 0, block: 0, first: 0, count: 0 };
  for (let left = reader.count(4); left > 0; left--) {
    const pack = last.pack + reader.zigzag();
    const samePack = pack === last.pack;
    const block = (samePack ? last.block : 0) + reader.zigzag();
    const first = (samePack && block === last.block ? last.first + last.count : 0) + reader.zigzag();
    const count = reader.varint() + 1;
    if (pack < 0 || block < 0 || first < 0) throw reader.damaged('points before a beginning');
    last = { pack, block, first, count };
    extents.push(last);
  }
  reader.end();
  return { extents, digest, nested: kind === NESTED };
}
