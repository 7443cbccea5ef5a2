import { ByteReader, ByteWriter, toHex } from './bytes.ts';

/** What a point or an index object says of a pack: enough to find it, and to tell it from any other. */
export interface PackRef {
  /** SHA-256 of the whole pack, lower-case hex. */
  readonly id: string;
  /** Bytes of the whole pack. */
  readonly size: number;
  /** Commitment to its content key, lower-case hex: what parts of a pack are checked against without reading all of it. */
  readonly commitment: string;
}

export function writePackRef(out: ByteWriter, pack: PackRef): void {
  out.bytes(Buffer.from(pack.id, 'hex'));
  out.u32(pack.size);
  out.bytes(Buffer.from(pack.commitment, 'hex'));
}

export function readPackRef(reader: ByteReader): PackRef {
  const id = toHex(reader.bytes(32));
  const size = reader.u32();
  return { id, size, commitment: toHex(reader.bytes(32)) };
}

/** Bytes of an encoded `PackRef`. */
export const PACK_REF_BYTES = 68;

/** A `PackRef` at a place of a pack table. */
export function readPackRefAt(table: Buffer, at: number): PackRef {
  return {
    id: table.toString('hex', at, at + 32),
    size: table.readUInt32LE(at + 32),
    commitment: table.toString('hex', at + 36, at + PACK_REF_BYTES),
  };
}

export function writePackRefAt(table: Buffer, at: number, { id, size, commitment }: PackRef): void {
  table.write(id, at, 32, 'hex');
  table.writeUInt32LE(size, at + 32);
  table.write(commitment, at + 36, 32, 'hex');
}

/** The pack table of a point: one `PackRef` of 68 bytes after the other; extent lists name packs by their place in it. */
export function encodePackTable(packs: readonly PackRef[]): Buffer {
  const out = new ByteWriter();
  for (const pack of packs) writePackRef(out, pack);
  return out.finish();
}

/** Throws `LB_REPO_DAMAGED`. */
export function decodePackTable(bytes: Uint8Array): PackRef[] {
  const reader = new ByteReader(bytes, 'The pack table');
  const packs: PackRef[] = [];
  while (reader.left > 0) packs.push(readPackRef(reader));
  return packs;
}

/** Ids (32 bytes) and sizes in a pack table, without making an object of each pack. Throws `LB_REPO_DAMAGED`. */
export function* packsIn(table: Uint8Array): Generator<{ readonly id: Uint8Array; readonly size: number }, void, undefined> {
  const reader = new ByteReader(table, 'The pack table');
  while (reader.left > 0) {
    const id = reader.bytes(32);
    const size = reader.u32();
    reader.bytes(32);
    yield { id, size };
  }
}
