import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLifeboatError } from '../../src/core/errors.ts';
import { Secret } from '../../src/keys/index.ts';
import { ByteReader, ByteWriter } from '../../src/repository/bytes.ts';
import { ChunkTable } from '../../src/repository/chunk-table.ts';
import { decodeExtents, encodeExtents } from '../../src/repository/extents.ts';
import type { Extent } from '../../src/repository/extents.ts';
import { decodeIndexObject, encodeIndexObject } from '../../src/repository/index-object.ts';
import {
  decodeBlockTable,
  decodePackHeader,
  encodeBlockTable,
  encodePackHeader,
} from '../../src/repository/pack-format.ts';
import { decodePackTable, encodePackTable } from '../../src/repository/pack-table.ts';

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const packRef = fc.record({ id: hash, size: fc.nat(0xffffffff), commitment: hash });

/** True if `decode` refuses the bytes as damaged, or accepts them; false when it fails in any other way. */
function judges(decode: () => unknown): boolean {
  try {
    decode();
    return true;
  } catch (error) {
    return isLifeboatError(error, 'LB_REPO_DAMAGED');
  }
}

describe('numbers', () => {
  it('are read as they were written', () => {
    const numbers = fc.array(fc.oneof(fc.maxSafeNat(), fc.nat(300)));
    fc.assert(
      fc.property(numbers, fc.array(fc.integer()), (unsigned, signed) => {
        const out = new ByteWriter();
        for (const number of unsigned) out.varint(number);
        for (const number of signed) out.zigzag(number);
        const reader = new ByteReader(out.finish(), 'The test');
        expect(unsigned.map(() => reader.varint())).toEqual(unsigned);
        expect(signed.map(() => reader.zigzag())).toEqual(signed);
        reader.end();
      }),
    );
  });

  it('have one form only', () => {
    for (const bytes of [[0x80, 0x00], [0xff, 0x80, 0x00], [0x80], Array<number>(9).fill(0xff)]) {
      expect(() => new ByteReader(Uint8Array.from(bytes), 'The test').varint()).toThrow(/The test/);
    }
  });
});

describe('extent lists', () => {
  const extent: fc.Arbitrary<Extent> = fc.record({
    pack: fc.nat(500),
    block: fc.nat(65_535),
    first: fc.nat(65_535),
    count: fc.integer({ min: 1, max: 65_536 }),
  });
  const list = fc.record({
    extents: fc.array(extent),
    digest: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    nested: fc.boolean(),
  });

  it('are read as they were written', () => {
    fc.assert(
      fc.property(list, (given) => {
        const read = decodeExtents(encodeExtents(given));
        expect({ ...read, digest: Uint8Array.from(read.digest) }).toEqual(given);
      }),
    );
  });

  it('take few bytes for what lies in order', () => {
    const extents = Array.from({ length: 100 }, (_, block) => ({ pack: 0, block, first: 0, count: 200 }));
    expect(encodeExtents({ extents, digest: randomBytes(32), nested: false }).length).toBeLessThan(34 + 100 * 5 + 2);
  });

  it('are refused, or taken as something, when they are any other bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => judges(() => decodeExtents(bytes))));
  });
});

describe('tables', () => {
  it('of packs are read as they were written', () => {
    fc.assert(
      fc.property(fc.array(packRef), (packs) => {
        expect(decodePackTable(encodePackTable(packs))).toEqual(packs);
      }),
    );
    expect(judges(() => decodePackTable(randomBytes(67)))).toBe(true);
  });

  it('of blocks are read as they were written', async () => {
    const block = fc.record({
      sealedBytes: fc.integer({ min: 16, max: 300_000 }),
      compressed: fc.boolean(),
      chunkLengths: fc.array(fc.nat(2000), { maxLength: 100 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(block), async (blocks) => {
        expect(await decodeBlockTable(await encodeBlockTable(blocks))).toEqual(blocks);
      }),
    );
  });

  it('of blocks are refused when a block is longer than blocks are', async () => {
    const chunkLengths = [200_000, 100_000];
    const table = await encodeBlockTable([{ sealedBytes: 20, compressed: true, chunkLengths }]);
    await expect(decodeBlockTable(table)).rejects.toMatchObject({ code: 'LB_REPO_DAMAGED' });
  });
});

describe('index objects', () => {
  const indexKey = new Secret(randomBytes(32));
  const repositoryId = randomBytes(16);
  const packIndex = fc.record({ pack: packRef, blocks: fc.array(fc.nat(20)) }).map(({ pack, blocks }) => ({
    pack,
    blocks,
    ids: randomBytes(16 * blocks.reduce((sum, count) => sum + count, 0)),
  }));

  it('are read as they were written', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(packIndex, { maxLength: 8 }), async (packs) => {
        const read = await decodeIndexObject(
          await encodeIndexObject(packs, indexKey, repositoryId),
          indexKey,
          repositoryId,
        );
        expect(read.map((index) => ({ ...index, ids: Buffer.from(index.ids) }))).toEqual(packs);
      }),
      { numRuns: 50 },
    );
  });

  it('open with their key and in their repository only', async () => {
    const bytes = await encodeIndexObject([], indexKey, repositoryId);
    await expect(decodeIndexObject(bytes, new Secret(randomBytes(32)), repositoryId)).rejects.toMatchObject({
      code: 'LB_REPO_DAMAGED',
    });
    await expect(decodeIndexObject(bytes, indexKey, randomBytes(16))).rejects.toMatchObject({
      code: 'LB_REPO_DAMAGED',
    });
  });

  it('and packs of a newer format are refused as that', async () => {
    const newer = { code: 'LB_REPO_NEWER_FORMAT' };
    const index = await encodeIndexObject([], indexKey, repositoryId);
    index[7] = 2;
    await expect(decodeIndexObject(index, indexKey, repositoryId)).rejects.toMatchObject(newer);
    const pack = encodePackHeader(randomBytes(1168), randomBytes(32));
    pack[7] = 3;
    expect(() => decodePackHeader(pack)).toThrow(expect.objectContaining(newer));
  });

  it('never look the same twice, though they say the same', async () => {
    const [one, two] = await Promise.all([
      encodeIndexObject([], indexKey, repositoryId),
      encodeIndexObject([], indexKey, repositoryId),
    ]);
    expect(one.equals(two)).toBe(false);
  });
});

describe('the table of known chunks', () => {
  it('finds what was added, and nothing else', () => {
    const id = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(fc.uniqueArray(id, { selector: String, maxLength: 200 }), fc.array(id), (added, others) => {
        const table = new ChunkTable(4);
        for (const [i, bytes] of added.entries()) expect(table.add(bytes, 0, i, i + 1, i + 2)).toBe(true);
        for (const [i, bytes] of added.entries()) {
          const entry = table.find(bytes);
          expect([table.packOf(entry), table.blockOf(entry), table.indexOf(entry)]).toEqual([i, i + 1, i + 2]);
          expect(table.add(bytes, 0, 9, 9, 9)).toBe(false);
        }
        for (const other of others) {
          expect(table.find(other) >= 0).toBe(added.some((bytes) => Buffer.from(bytes).equals(other)));
        }
      }),
    );
  });

  it('keeps ids apart that differ in one bit, and that begin the same', () => {
    const table = new ChunkTable();
    const base = Buffer.alloc(16, 7);
    table.add(base, 0, 1, 1, 1);
    for (let bit = 0; bit < 128; bit++) {
      const other = Buffer.from(base);
      other[bit >> 3] = (other[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(table.find(other)).toBe(-1);
      expect(table.add(other, 0, 2, bit, 0)).toBe(true);
    }
    expect(table.size).toBe(129);
  });

  it('moves chunks, and does not find what it forgot until that is added again', () => {
    const table = new ChunkTable();
    const [one, two] = [randomBytes(16), randomBytes(16)];
    expect(table.addOrFind(one, 0, 1, 2, 3)).toBe(-1);
    expect(table.addOrFind(two, 0, 4, 5, 6)).toBe(-1);
    const entry = table.find(one);
    expect(table.addOrFind(one, 0, 7, 8, 9)).toBe(entry);
    table.move(entry, 7, 8, 9);
    expect([table.packOf(entry), table.blockOf(entry), table.indexOf(entry)]).toEqual([7, 8, 9]);
    table.forget(entry);
    expect(table.find(one)).toBe(-1);
    expect(table.find(two)).toBeGreaterThanOrEqual(0);
    expect(table.add(one, 0, 1, 1, 1)).toBe(true);
    expect(table.packOf(table.find(one))).toBe(1);
    expect(table.add(one, 0, 2, 2, 2)).toBe(false);
    expect(table.size).toBe(2);
  });

  it('holds a hundred thousand chunks', () => {
    const ids = randomBytes(1_600_000);
    const table = new ChunkTable();
    for (let i = 0; i < 100_000; i++) table.add(ids, 16 * i, 0, i >> 8, i & 255);
    expect(table.size).toBe(100_000);
    for (let i = 0; i < 100_000; i += 997) expect(table.blockOf(table.find(ids, 16 * i))).toBe(i >> 8);
  });
});
