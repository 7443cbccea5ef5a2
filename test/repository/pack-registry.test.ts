import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isIndexDue } from '../../src/repository/index-object.ts';
import { PackRegistry } from '../../src/repository/pack-registry.ts';
import { decodePackTable, encodePackTable } from '../../src/repository/pack-table.ts';
import type { PackRef } from '../../src/repository/pack-table.ts';

const made = (size: number): PackRef => ({ id: randomBytes(32).toString('hex'), size, commitment: randomBytes(32).toString('hex') });

describe('the packs a session knows', () => {
  const packs = Array.from({ length: 5000 }, (_, i) => made(i + 1));

  it('are found by their ids when they were there before, and others are not', () => {
    const registry = new PackRegistry();
    for (const [i, pack] of packs.entries()) {
      // Among them are packs that are being made.
      if (i % 7 === 0) registry.resolve(registry.add(), made(9));
      const number = registry.addFound(encodePackTable([pack]));
      expect(registry.sizeOf(number)).toBe(pack.size);
    }
    for (const pack of packs) {
      const number = registry.find(Buffer.from(pack.id, 'hex'));
      expect(decodePackTable(registry.refOf(number))).toEqual([pack]);
    }
    for (let i = 0; i < 100; i++) expect(registry.find(randomBytes(32))).toBe(-1);
  });

  it('get their places in the order in which they are first used, and make up the table of the point', () => {
    const used: PackRef[] = [];
    const registry = new PackRegistry((pack) => used.push(pack));
    const [before, other, fresh] = [made(1), made(2), made(3)];
    const numbers = [registry.addFound(encodePackTable([before])), registry.add(), registry.addFound(encodePackTable([other]))];
    expect([numbers[2], numbers[1], numbers[2]].map((number) => registry.placeOf(number ?? 0))).toEqual([0, 1, 0]);
    expect(() => registry.table()).toThrow('never stored');
    registry.resolve(numbers[1] ?? 0, fresh);
    expect(decodePackTable(registry.table())).toEqual([other, fresh]);
    expect(used).toEqual([other]);
  });
});

describe('the index objects of a long backup', () => {
  it('come soon at first, and are few however long it is', () => {
    const at: number[] = [];
    for (let packs = 1, waiting = 1; packs <= 100_000; packs++, waiting++) {
      if (!isIndexDue(waiting, waiting * 16 * 16, packs)) continue;
      at.push(packs);
      waiting = 0;
    }
    expect(at.slice(0, 3)).toEqual([4, 8, 12]);
    expect(at.length).toBeLessThan(250);
    // What a killed backup loses is bounded all the same.
    for (const [i, packs] of at.entries()) expect(packs - (at[i - 1] ?? 0)).toBeLessThanOrEqual(512);
  });

  it('are no larger than can be read again, however small the chunks', () => {
    expect(isIndexDue(1, 4 * 1024 * 1024, 100_000)).toBe(true);
    expect(isIndexDue(1, 1024, 100_000)).toBe(false);
  });
});
