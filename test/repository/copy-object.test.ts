import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { copyNamed } from '../../src/repository/copy-object.ts';
import type { NamedObject } from '../../src/repository/copy-object.ts';
import { collect } from '../../src/vault/streams.ts';
import type { GetOptions, VaultObject } from '../../src/vault/vault.ts';
import { withFaults } from '../support/faults.ts';
import { MemoryVault } from '../support/memory-vault.ts';
import { randomFrom } from '../survival/random.ts';
import { inParts } from '../vault/bytes.ts';
import { flipBit } from './scene.ts';

const SIZE = 10_000;
/** A body comes in parts of so many bytes. */
const PART = 999;

/** A vault whose bodies come in parts, as those of real ones do. */
class InParts extends MemoryVault {
  override async get(key: string, options?: GetOptions): Promise<VaultObject> {
    const { length, body } = await super.get(key, options);
    const bytes = await collect(body, length);
    return { length, body: inParts(bytes, PART).stream() };
  }
}

function made(size: number): { readonly object: NamedObject; readonly bytes: Buffer } {
  const bytes = Buffer.alloc(size, 'lifeboat');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { bytes, object: { key: `packs/${sha256.slice(0, 2)}/${sha256}`, sha256, size } };
}

const told: string[] = [];
const onProblem = (source: { readonly name: string }, error: unknown): void => {
  told.push(`${source.name}: ${(error as { code: string }).code}`);
};

describe.each([
  ['whole', SIZE],
  ['as it comes', SIZE - 1],
])('copying an object %s', (_, wholeUpTo) => {
  const size = SIZE;
  const { object, bytes } = made(size);
  const holding = (name: string, held: Uint8Array = bytes): MemoryVault => new InParts(name, [[object.key, held]]);

  it('gives the same bytes, and the source', async () => {
    const [source, target] = [holding('a'), new MemoryVault('t')];
    expect(await copyNamed(object, [source], target, { wholeUpTo })).toBe(source);
    expect(Buffer.compare(target.objects.get(object.key) ?? Buffer.alloc(0), bytes)).toBe(0);
  });

  it.each([0, size >> 1, size - 1])('takes the next source when byte %d is damaged, and never shows damaged bytes', async (at) => {
    told.length = 0;
    const target = new MemoryVault('t');
    const damaged = holding('a', flipBit(bytes, at));
    expect(await copyNamed(object, [damaged], target, { onProblem, wholeUpTo })).toBeUndefined();
    expect(target.objects.size).toBe(0);
    const whole = holding('b');
    expect(await copyNamed(object, [damaged, whole], target, { onProblem, wholeUpTo })).toBe(whole);
    expect(Buffer.compare(target.objects.get(object.key) ?? Buffer.alloc(0), bytes)).toBe(0);
    expect(told).toEqual(['a: LB_REPO_DAMAGED', 'a: LB_REPO_DAMAGED']);
  });

  it('takes the next source when one has it too short, too long, not at all, or does not answer', async () => {
    told.length = 0;
    const target = new MemoryVault('t');
    const silent = withFaults(holding('silent'), { random: randomFrom(1), chances: { unavailable: 1 } });
    const sources = [holding('short', bytes.subarray(0, -1)), holding('long', Buffer.concat([bytes, Buffer.alloc(1)])), new MemoryVault('empty'), silent, holding('whole')];
    expect((await copyNamed(object, sources, target, { onProblem, wholeUpTo }))?.name).toBe('whole');
    expect(told).toEqual(['short: LB_REPO_DAMAGED', 'long: LB_REPO_DAMAGED', 'empty: LB_VAULT_OBJECT_MISSING', 'silent: LB_VAULT_UNAVAILABLE']);
  });

  it('does no harm where it is already, and refuses what has another size', async () => {
    const there = holding('t');
    await copyNamed(object, [holding('a')], there, { wholeUpTo });
    expect(there.objects.size).toBe(1);
    const other = holding('t', Buffer.concat([bytes, Buffer.alloc(2)]));
    await expect(copyNamed(object, [holding('a')], other, { wholeUpTo })).rejects.toMatchObject({ code: 'LB_REPO_DAMAGED', where: `vault "t", ${object.key}` });
  });

  it('fails with the failure of the target', async () => {
    const target = withFaults(new MemoryVault('t'), { random: randomFrom(1), chances: { full: 1 } });
    await expect(copyNamed(object, [holding('a'), holding('b')], target, { wholeUpTo })).rejects.toMatchObject({ code: 'LB_VAULT_FULL' });
  });
});
