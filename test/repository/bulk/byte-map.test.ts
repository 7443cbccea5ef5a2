import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLifeboatError } from '../../../src/core/errors.ts';
import { MAX_RUN, MAX_RUN_BYTES, RunDecoder, RunEncoder } from '../../../src/repository/bulk/byte-map.ts';
import type { Run } from '../../../src/repository/bulk/byte-map.ts';
import { runsOf } from '../../../src/repository/bulk/map-reader.ts';
import { MapWriter } from '../../../src/repository/bulk/map-writer.ts';
import { ByteReader, ByteWriter } from '../../../src/repository/bytes.ts';
import type { ChunkSink } from '../../../src/repository/record-writer.ts';
import { noise } from './made.ts';

const chunkRun = fc
  .record({
    pack: fc.nat(70_000),
    block: fc.nat(5000),
    index: fc.oneof(fc.constant(0), fc.nat(70_000)),
    lengths: fc.oneof(
      fc.array(fc.integer({ min: 1, max: 4_194_304 }), { minLength: 1, maxLength: 6 }),
      fc.tuple(fc.integer({ min: 1, max: MAX_RUN }), fc.constant(1_048_576)).map(([n, length]) => Array<number>(n).fill(length)),
    ),
  })
  .map(({ lengths, ...run }) => ({
    ...run,
    lengths: Uint32Array.from(lengths),
    ids: Uint8Array.from(noise(16 * lengths.length, run.pack)),
  }));
const run: fc.Arbitrary<Run> = fc.oneof(chunkRun, fc.record({ hole: fc.integer({ min: 1, max: 2 ** 50 }) }));

function encode(runs: readonly Run[]): Buffer {
  const out = new ByteWriter();
  out.byte(0);
  const encoder = new RunEncoder();
  for (const one of runs) encoder.encode(one, out);
  return out.finish();
}

const length = (one: Run): number => ('hole' in one ? one.hole : one.lengths.reduce((sum, bytes) => sum + bytes, 0));

async function decode(map: Uint8Array, bytes: number): Promise<Run[]> {
  const runs = await Array.fromAsync(runsOf({ bytes, map: Buffer.from(map).toString('base64') }, never));
  return runs.map((one) => ('hole' in one ? one : { ...one, ids: Uint8Array.from(one.ids) }));
}

function never(): AsyncGenerator<Uint8Array> {
  throw new Error('nothing is nested here');
}

describe('byte maps', () => {
  it('are read as they were written', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(run, { maxLength: 20 }), async (runs) => {
        const bytes = runs.reduce((sum, one) => sum + length(one), 0);
        if (bytes > Number.MAX_SAFE_INTEGER) return;
        expect(await decode(encode(runs), bytes)).toEqual(runs);
      }),
    );
  });

  it('keep each run within the length that reading them in parts counts on', () => {
    const lengths = new Uint32Array(MAX_RUN).fill(4_194_303);
    lengths[0] = 4_194_304;
    const widest = { pack: 2 ** 32, block: 2 ** 32, index: 2 ** 32, lengths, ids: new Uint8Array(16 * MAX_RUN) };
    expect(encode([widest]).length - 1).toBeLessThanOrEqual(MAX_RUN_BYTES);
  });

  it('take few bytes beside the ids for what lies in order', () => {
    const lengths = new Uint32Array(MAX_RUN).fill(1_048_576);
    const runs = Array.from({ length: 10 }, (_, i) => ({ pack: 0, block: i * MAX_RUN, index: 0, lengths, ids: new Uint8Array(16 * MAX_RUN) }));
    expect(encode(runs).length).toBeLessThan(10 * (16 * MAX_RUN + 12));
  });

  it('are refused, or taken as something, when they are any other bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const decoder = new RunDecoder();
        const reader = new ByteReader(bytes, 'The test');
        try {
          while (reader.left > 0) decoder.decode(reader);
          return true;
        } catch (error) {
          return isLifeboatError(error, 'LB_REPO_DAMAGED');
        }
      }),
    );
  });

  it('are refused when they are for more or fewer bytes, of an unknown kind, or of impossible chunks', async () => {
    const runs = [{ hole: 10 }, { pack: 0, block: 0, index: 0, lengths: Uint32Array.of(5), ids: new Uint8Array(16) }];
    const map = encode(runs);
    expect(await decode(map, 15)).toHaveLength(2);
    const damaged = { code: 'LB_REPO_DAMAGED' };
    for (const bytes of [14, 16, 0]) await expect(decode(map, bytes)).rejects.toMatchObject(damaged);
    await expect(decode(Uint8Array.of(2), 0)).rejects.toMatchObject(damaged);
    await expect(decode(Uint8Array.of(), 0)).rejects.toMatchObject(damaged);
    const tooLong = encode([{ pack: 0, block: 0, index: 0, lengths: Uint32Array.of(4_194_305), ids: new Uint8Array(16) }]);
    await expect(decode(tooLong, 4_194_305)).rejects.toMatchObject(damaged);
  });

  it('that are long are stored as a stream themselves, on the way', async () => {
    const stored: Buffer[] = [];
    let most = 0;
    const sink: ChunkSink = {
      name: ([part = new Uint8Array()]) => noise(32, Buffer.from(part).toString('base64')),
      store: (_id, [part = new Uint8Array()]) => ({ pack: 0, block: stored.push(Buffer.from(part)) - 1, index: 0 }),
      ready: () => undefined,
      ended: () => undefined, uncount: () => undefined,
    };
    const map = new MapWriter(sink, {});
    const count = 150_000;
    for (let i = 0; i < count; i++) {
      map.chunk(1000 + (i % 7), noise(16, i), { pack: i % 3, block: i, index: 0 });
      if (i % 10 === 0) map.hole(4096);
      most = Math.max(most, stored.length);
    }
    const encoded = map.finish();
    expect(encoded.length).toBeLessThan(64 * 1024);
    // It did not wait for the end with storing.
    expect(most).toBeGreaterThan(stored.length / 2);
    const bytes = Array.from({ length: count }, (_, i) => 1000 + (i % 7) + (i % 10 === 0 ? 4096 : 0)).reduce((a, b) => a + b, 0);
    let chunk = 0;
    const read = async function* (runs: AsyncIterable<Run>): AsyncGenerator<Uint8Array> {
      for await (const one of runs) if (!('hole' in one)) for (const i of one.lengths.keys()) yield stored[one.block + i] ?? Buffer.alloc(0);
    };
    for await (const one of runsOf({ bytes, map: encoded.toString('base64') }, read)) {
      if ('hole' in one) continue;
      for (const [i, size] of one.lengths.entries()) {
        const id = Buffer.from(one.ids.subarray(16 * i, 16 * (i + 1)));
        if (size !== 1000 + (chunk % 7) || !id.equals(noise(16, chunk)) || one.pack !== chunk % 3) throw new Error(`chunk ${chunk} differs`);
        chunk++;
      }
    }
    expect(chunk).toBe(count);
  });
});
