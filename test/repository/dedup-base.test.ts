import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseBase } from '../../src/repository/dedup-base.ts';

interface Pack {
  readonly id: Uint8Array;
  readonly size: number;
}

interface Holding {
  has(id: Uint8Array, size: number): boolean;
}

const pack = (id: string, size = 10): Pack => ({ id: Buffer.from(id), size });

/** Vaults by name, with the packs each has. */
const holding = (vaults: Readonly<Record<string, readonly Pack[]>>): Map<string, Holding> =>
  new Map(
    Object.entries(vaults).map(([name, packs]) => [
      name,
      { has: (id, size) => packs.some((one) => one.size === size && Buffer.from(one.id).equals(id)) },
    ]),
  );

const [old, missed, other] = [pack('old', 100), pack('missed', 5), pack('other', 3)] as const;

describe('the vaults a backup builds on', () => {
  it('are all when all have the same', () => {
    expect(chooseBase([old, missed], holding({ a: [old, missed], b: [old, missed], c: [old, missed] }), 2)).toEqual(['a', 'b', 'c']);
    expect(chooseBase([], holding({ a: [], b: [] }), 2)).toEqual(['a', 'b']);
  });

  it('are without one that was away, if the others are enough', () => {
    expect(chooseBase([old, missed], holding({ a: [old, missed], b: [old, missed], c: [old] }), 2)).toEqual(['a', 'b']);
  });

  it('are with one that was away, if without it they are not enough', () => {
    expect(chooseBase([old, missed], holding({ a: [old, missed], b: [old] }), 2)).toEqual(['a', 'b']);
    expect(chooseBase([old, missed], holding({ a: [old, missed], b: [old] }), 1)).toEqual(['a']);
  });

  it('have their packs in common: not each pack in some of them', () => {
    const vaults = holding({ a: [old, missed], b: [old, other], c: [old, missed, other] });
    expect(chooseBase([old, missed, other], vaults, 2)).toEqual(['a', 'c']);
  });

  it('are without one that lacks most, however many are wanted', () => {
    expect(chooseBase([old, missed], holding({ a: [old, missed], fresh: [] }), 2)).toEqual(['a']);
    expect(chooseBase([old, missed], holding({ a: [old, missed], fresh: [missed] }), 2)).toEqual(['a']);
  });

  it('do not count a pack of another size as that pack', () => {
    expect(chooseBase([old, missed], holding({ a: [old, missed], b: [old, missed], c: [old, pack('missed', 4)] }), 2)).toEqual(['a', 'b']);
  });

  it('save as much as any enough of those that count', () => {
    const packs = Array.from({ length: 8 }, (_, i) => pack(`${i}`, 1 + i));
    const scene = fc.record({
      vaults: fc.array(fc.uniqueArray(fc.constantFrom(...packs)), { minLength: 1, maxLength: 5 }),
      copies: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(scene, ({ vaults, copies }) => {
        const held = holding(Object.fromEntries(vaults.map((list, i) => [`v${i}`, list])));
        const saved = (names: readonly string[]): number =>
          packs.filter(({ id, size }) => names.every((name) => held.get(name)?.has(id, size) === true)).reduce((sum, { size }) => sum + size, 0);
        const most = Math.max(...[...held.keys()].map((name) => saved([name])));
        const counting = [...held.keys()].filter((name) => 2 * saved([name]) >= most);
        const base = chooseBase(packs, held, copies);
        expect(base.length).toBeGreaterThanOrEqual(Math.min(copies, counting.length));
        const others = Array.from({ length: (1 << counting.length) - 1 }, (_, choice) => counting.filter((__, i) => ((choice + 1) & (1 << i)) !== 0));
        const enough = others.filter((chosen) => chosen.length >= Math.min(copies, counting.length));
        expect(saved(base)).toBe(Math.max(...enough.map(saved)));
      }),
    );
  });
});
