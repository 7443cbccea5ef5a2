import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunks, cutAfter, MAX_CHUNK, MIN_CHUNK, TARGET_CHUNK } from '../../src/repository/chunker.ts';

/** Ends of the chunks of bytes given in parts. */
async function cuts(parts: Iterable<Uint8Array>): Promise<number[]> {
  const ends: number[] = [];
  let at = 0;
  for await (const chunk of chunks(parts)) ends.push((at += chunk.length));
  return ends;
}

describe('the chunker', () => {
  it('cuts at the same places however the data arrive', async () => {
    const data = randomBytes(2_000_000);
    const whole = await cuts([data]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: data.length }), { maxLength: 60 }), async (at) => {
        const ends = [...at, data.length].sort((a, b) => a - b);
        const parts = ends.map((end, i) => data.subarray(ends[i - 1] ?? 0, end));
        expect(await cuts(parts)).toEqual(whole);
      }),
      { numRuns: 25 },
    );
  });

  it('cuts the same in memory as from a stream', async () => {
    const data = randomBytes(1_500_000);
    const ends: number[] = [];
    for (let at = 0; at < data.length;) ends.push((at = cutAfter(data, at)));
    expect(await cuts([data])).toEqual(ends);
  });

  it('keeps chunks within their bounds, and near the target in the middle', async () => {
    const lengths = (await cuts([randomBytes(20_000_000)])).map((end, i, all) => end - (all[i - 1] ?? 0));
    for (const length of lengths.slice(0, -1)) {
      expect(length).toBeGreaterThanOrEqual(MIN_CHUNK);
      expect(length).toBeLessThanOrEqual(MAX_CHUNK);
    }
    const mean = 20_000_000 / lengths.length;
    expect(mean).toBeGreaterThan(TARGET_CHUNK * 0.75);
    expect(mean).toBeLessThan(TARGET_CHUNK * 1.25);
  });

  it('finds the old boundaries again after bytes were inserted, removed or changed', async () => {
    const data = randomBytes(4_000_000);
    const pieces = async (bytes: Uint8Array): Promise<Set<string>> => {
      const found = new Set<string>();
      for await (const chunk of chunks([bytes])) found.add(Buffer.from(chunk).toString('base64'));
      return found;
    };
    const before = await pieces(data);
    const edits = [
      Buffer.concat([data.subarray(0, 1_000_000), Buffer.from('inserted'), data.subarray(1_000_000)]),
      Buffer.concat([data.subarray(0, 1_000_000), data.subarray(1_000_100)]),
      Buffer.concat([Buffer.from('x'), data]),
      Buffer.from(data.map((byte, i) => (i === 2_000_000 ? byte ^ 1 : byte))),
    ];
    for (const edited of edits) {
      const after = await pieces(edited);
      expect([...after].filter((piece) => !before.has(piece)).length).toBeLessThanOrEqual(4);
    }
  });

  it('cuts data without any variety at the longest length, and gives nothing for nothing', async () => {
    expect(await cuts([Buffer.alloc(3 * MAX_CHUNK)])).toEqual([MAX_CHUNK, 2 * MAX_CHUNK, 3 * MAX_CHUNK]);
    expect(await cuts([])).toEqual([]);
    expect(await cuts([Buffer.alloc(0)])).toEqual([]);
  });
});
