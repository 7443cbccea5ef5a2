import { describe, expect, it } from 'vitest';
import { cutAll, cutLarge, MAX_LARGE_CHUNK, MIN_LARGE_CHUNK, TARGET_LARGE_CHUNK } from '../../../src/repository/bulk/large-chunker.ts';
import { GEAR } from '../../../src/repository/gear.ts';
import { noise } from './made.ts';

const MIB = 1024 * 1024;

/** Where a chunk ends, as docs/format.md puts it: one byte after the other, from its beginning. */
function slowCut(bytes: Uint8Array, start: number): number {
  let hash = 0n;
  for (let at = start; at < bytes.length; at++) {
    hash = (2n * hash + BigInt(GEAR[bytes[at] ?? 0] ?? 0)) & 0xffffffffn;
    const n = at + 1 - start;
    if (n > 524_288 && n <= 1_048_576 && hash >> 10n === 0n) return at + 1;
    if (n > 1_048_576 && hash >> 14n === 0n) return at + 1;
    if (n === 4_194_304) return at + 1;
  }
  return bytes.length;
}

function allCuts(bytes: Uint8Array): number[] {
  return [...cutAll(bytes, bytes.length, true)];
}

describe('the chunker of byte streams', () => {
  it('cuts where the format says', () => {
    const data = noise(9 * MIB, 'chunker');
    const wanted: number[] = [];
    for (let at = 0; at < data.length;) wanted.push((at = slowCut(data, at)));
    expect(allCuts(data)).toEqual(wanted);
  });

  it('cuts the same wherever the data were divided', () => {
    const data = noise(20 * MIB, 'divided');
    const whole = allCuts(data);
    for (const size of [5 * MIB, 8 * MIB, 8 * MIB + 4093]) {
      const cuts: number[] = [];
      let from = 0;
      for (let to = size; from < data.length; to = from + size) {
        const last = to >= data.length;
        const ends = cutAll(data.subarray(from, to), Math.min(size, data.length - from), last);
        cuts.push(...[...ends].map((end) => from + end));
        from += ends.at(-1) ?? 0;
      }
      expect(cuts).toEqual(whole);
    }
  });

  it('keeps chunks within their bounds, and a little over the target in the middle', () => {
    const data = noise(96 * MIB, 'bounds');
    const lengths = allCuts(data).map((end, i, all) => end - (all[i - 1] ?? 0));
    for (const length of lengths.slice(0, -1)) {
      expect(length).toBeGreaterThan(MIN_LARGE_CHUNK);
      expect(length).toBeLessThanOrEqual(MAX_LARGE_CHUNK);
    }
    const mean = data.length / lengths.length;
    expect(mean).toBeGreaterThan(TARGET_LARGE_CHUNK);
    expect(mean).toBeLessThan(1.5 * TARGET_LARGE_CHUNK);
  });

  it('finds the old boundaries again after bytes were inserted', () => {
    const data = noise(24 * MIB, 'edited');
    const edited = Buffer.concat([data.subarray(0, 9 * MIB), Buffer.from('inserted'), data.subarray(9 * MIB)]);
    const before = new Set(allCuts(data));
    const moved = edited.length - data.length;
    const other = allCuts(edited).filter((end) => !before.has(end <= 9 * MIB ? end : end - moved));
    expect(other.length).toBeLessThanOrEqual(3);
  });

  it('cuts data without any variety at the longest length, and gives nothing for nothing', () => {
    expect(allCuts(Buffer.alloc(2 * MAX_LARGE_CHUNK + 5))).toEqual([MAX_LARGE_CHUNK, 2 * MAX_LARGE_CHUNK, 2 * MAX_LARGE_CHUNK + 5]);
    expect(allCuts(Buffer.alloc(0))).toEqual([]);
    expect(cutLarge(Buffer.alloc(10), 3)).toBe(10);
  });
});
