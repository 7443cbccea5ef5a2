import { beforeEach, describe, expect, it } from 'vitest';
import type { Warning } from '../../../src/core/progress.ts';
import type { BytesRef } from '../../../src/repository/api.ts';
import { MAX_RUN_BYTES, RunDecoder, RunEncoder } from '../../../src/repository/bulk/byte-map.ts';
import { ByteReader, ByteWriter } from '../../../src/repository/bytes.ts';
import { verify } from '../../../src/repository/index.ts';
import type { MemoryVault } from '../../support/memory-vault.ts';
import { flipBit, makeScene } from '../scene.ts';
import type { Scene } from '../scene.ts';
import { imageOf, noise } from './made.ts';
import { backUpBytes, collect, withPoint } from './scene.ts';

const MIB = 1024 * 1024;

describe('a damaged byte stream', () => {
  const data = noise(6 * MIB, 'damage');
  let scene: Scene;
  let vaults: [MemoryVault, MemoryVault];
  let packs: string[];
  beforeEach(async () => {
    scene = await makeScene('a', 'b');
    vaults = scene.vaults as [MemoryVault, MemoryVault];
    await backUpBytes(scene, async (session) => ({ image: await session.image(imageOf(data), data.length) }));
    packs = [...vaults[0].objects.keys()].filter((key) => key.startsWith('packs/'));
  });

  const damage = (vault: MemoryVault, at: number): void => {
    const [pack = ''] = packs;
    vault.objects.set(pack, flipBit(vault.objects.get(pack) ?? new Uint8Array(), at));
  };
  const readAll = (warnings: Warning[] = []): Promise<Buffer> =>
    withPoint(scene, (point, refs) => collect(point.read(refs['image'] ?? { bytes: 0, map: '' }, {}, { onWarning: (warning) => warnings.push(warning) })));

  it('is read from the next vault, block by block', async () => {
    // Another block is damaged in each: no vault has the pack intact, and together they have all of it.
    damage(vaults[0], 1208 + 100);
    damage(vaults[1], 1208 + 5 * (MIB + 16) + 100);
    const warnings: Warning[] = [];
    expect((await readAll(warnings)).equals(data)).toBe(true);
    expect(new Set(warnings.map(({ kind }) => kind))).toEqual(new Set(['pack-unreadable']));
    expect(await verify({ vaults, keys: scene.keys, depth: 'data' })).toMatchObject({ findings: [{ kind: 'damaged' }, { kind: 'damaged' }] });
  });

  it('is never given out: not one byte of a damaged chunk', async () => {
    for (const vault of vaults) damage(vault, 1208 + 2 * (MIB + 16) + 100);
    const got: Uint8Array[] = [];
    const reading = withPoint(scene, async (point, refs) => {
      for await (const part of point.read(refs['image'] ?? { bytes: 0, map: '' })) got.push(part);
    });
    await expect(reading).rejects.toMatchObject({ code: 'LB_REPO_DAMAGED' });
    const before = Buffer.concat(got);
    expect(before.equals(data.subarray(0, before.length))).toBe(true);
    expect(before.length).toBeLessThanOrEqual(2 * MIB);
    // What is intact can still be had.
    await withPoint(scene, async (point, refs) => {
      const rest = point.read(refs['image'] ?? { bytes: 0, map: '' }, { offset: 5 * MIB, length: MIB });
      expect((await collect(rest)).equals(data.subarray(5 * MIB))).toBe(true);
    });
  });

  it.each([
    ['the header', 3],
    ['the sealed key', 100],
    ['the commitment', 1190],
    ['the block table', -30],
    ['the footer', -2],
  ])('is met when %s of a pack is damaged', async (_, at) => {
    const size = vaults[0].objects.get(packs[0] ?? '')?.length ?? 0;
    damage(vaults[0], at < 0 ? size + at : at);
    expect((await readAll()).equals(data)).toBe(true);
    damage(vaults[1], at < 0 ? size + at : at);
    await expect(readAll()).rejects.toMatchObject({ code: 'LB_REPO_DAMAGED' });
  });

  it('is met when a pack is missing, and when it is of the other version', async () => {
    vaults[0].objects.delete(packs[0] ?? '');
    expect((await readAll()).equals(data)).toBe(true);
    const pack = Buffer.from(vaults[1].objects.get(packs[0] ?? '') ?? []);
    expect(pack[7]).toBe(2);
    pack[7] = 1;
    vaults[1].objects.set(packs[0] ?? '', pack);
    await expect(readAll()).rejects.toMatchObject({ code: 'LB_REPO_DAMAGED' });
    pack[7] = 3;
    await expect(readAll()).rejects.toMatchObject({ code: 'LB_REPO_NEWER_FORMAT' });
  });

  it('is met when its map names other chunks than were written, as a poisoned index would have it', async () => {
    await withPoint(scene, async (point, refs) => {
      const ref = refs['image'] ?? { bytes: 0, map: '' };
      for (const change of [swapFirstTwo, shiftBlock]) {
        await expect(collect(point.read(change(ref)))).rejects.toMatchObject({ code: 'LB_REPO_DAMAGED' });
      }
    });
  });
});

/** The map with its first run changed. */
function changed(ref: BytesRef, change: (run: { block: number; ids: Buffer }) => void): BytesRef {
  const reader = new ByteReader(Buffer.from(ref.map, 'base64'), 'The test');
  const out = new ByteWriter();
  out.byte(reader.byte());
  const decoder = new RunDecoder();
  const encoder = new RunEncoder();
  for (let first = true; reader.left > 0; first = false) {
    const run = decoder.decode(reader);
    if ('hole' in run) encoder.encode(run, out);
    else {
      const mutable = { ...run, ids: Buffer.from(run.ids) };
      if (first) change(mutable);
      encoder.encode(mutable, out);
    }
  }
  expect(out.length).toBeLessThan(MAX_RUN_BYTES);
  return { ...ref, map: out.finish().toString('base64') };
}

const swapFirstTwo = (ref: BytesRef): BytesRef =>
  changed(ref, ({ ids }) => ids.set(Buffer.concat([ids.subarray(16, 32), ids.subarray(0, 16)])));
const shiftBlock = (ref: BytesRef): BytesRef => changed(ref, (run) => (run.block += 1));
