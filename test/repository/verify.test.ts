import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { isLifeboatError } from '../../src/core/errors.ts';
import type { Progress } from '../../src/core/progress.ts';
import type { Finding, VerifyReport } from '../../src/repository/api.ts';
import { addSlot, verify } from '../../src/repository/index.ts';
import { MemoryVault } from '../support/memory-vault.ts';
import {
  backUp,
  expectSame,
  flipBit,
  madeUpList,
  makeScene,
  PASSPHRASE,
  restore,
  testClock,
  WORK_FACTOR,
} from './scene.ts';
import type { Scene } from './scene.ts';

const KINDS = ['lifeboat.json', 'keys/', 'packs/', 'index/', 'points/', 'rescue/'] as const;
const expected = {
  configmaps: madeUpList(300, { generation: (number) => (number < 20 ? 1 : 0) }),
  secrets: madeUpList(40),
};

/** A repository with two points, one vault. */
async function filledScene(): Promise<Scene> {
  const scene = await makeScene();
  const clock = testClock();
  await backUp(scene, { configmaps: madeUpList(300) }, { clock });
  clock.advance(60_000);
  await backUp(
    scene,
    { configmaps: madeUpList(300, { generation: (number) => (number < 20 ? 1 : 0) }), secrets: madeUpList(40) },
    { clock },
  );
  return scene;
}

function findingsAbout(report: VerifyReport, object: string): Finding[] {
  return report.findings.filter((finding) => finding.object === object);
}

describe('verify', () => {
  let scene: Scene;
  let intact: MemoryVault;
  beforeAll(async () => {
    scene = await filledScene();
    intact = scene.vaults[0] as MemoryVault;
  });
  const objectsOf = (kind: string): string[] => [...intact.objects.keys()].filter((key) => key.startsWith(kind)).sort();
  const without = (key: string): MemoryVault => {
    const vault = intact.copy('a');
    vault.objects.delete(key);
    return vault;
  };

  it.each([
    ['structure', false, 'structure'],
    ['structure', true, 'structure'],
    ['data', false, 'data'],
    ['data', true, 'data-opened'],
  ] as const)('finds nothing in what is whole: %s, with the read key: %s', async (depth, withKeys, reached) => {
    const progress: Progress[] = [];
    const report = await verify({
      vaults: [intact],
      depth,
      ...(withKeys && { keys: scene.keys }),
      onProgress: (state) => progress.push(state),
    });
    expect(report).toMatchObject({
      findings: [],
      unreferenced: 0,
      depth: reached,
      vaults: [{ name: 'a', points: 2, intactPoints: 2 }],
    });
    expect(report.vaults[0]?.objects).toBe(intact.objects.size);
    const last = progress.at(-1);
    expect(last?.done).toBe(last?.total);
    const stored = [...intact.objects.values()].reduce((sum, bytes) => sum + bytes.length, 0);
    expect(depth === 'structure' || report.vaults[0]?.bytesRead === stored).toBe(true);
  });

  it.each(KINDS.filter((kind) => kind !== 'points/'))('finds the loss of each object under %s', async (kind) => {
    for (const key of objectsOf(kind)) {
      const report = await verify({ vaults: [without(key)], keys: scene.keys, depth: 'structure' });
      expect(findingsAbout(report, key)).toMatchObject([{ object: key, vault: 'a', kind: 'missing' }]);
    }
  });

  it.each(['keys/', 'packs/', 'index/', 'rescue/'])(
    'finds the loss of each object under %s without a key',
    async (kind) => {
      for (const key of objectsOf(kind)) {
        const report = await verify({ vaults: [without(key)], depth: 'structure' });
        expect(findingsAbout(report, key)).toMatchObject([{ object: key, vault: 'a', kind: 'missing' }]);
      }
    },
  );

  it('finds the loss of a point by the one that follows it, and that of the newest by another vault', async () => {
    const [first, newest] = objectsOf('points/') as [string, string];
    const chain = await verify({ vaults: [without(first)], depth: 'structure' });
    expect(chain.findings).toMatchObject([{ object: first, kind: 'chain' }]);
    const other = await verify({ vaults: [without(newest), intact.copy('b')], depth: 'structure' });
    expect(other.findings).toMatchObject([{ object: newest, vault: 'a', kind: 'missing' }]);
    // Nothing in a vault itself can tell that its newest point was taken away.
    expect((await verify({ vaults: [without(newest)], depth: 'structure' })).vaults).toMatchObject([{ points: 1 }]);
  });

  it.each(KINDS)('finds one changed bit anywhere in each object under %s, without a key', async (kind) => {
    const keys = objectsOf(kind);
    const change = fc
      .constantFrom(...keys)
      .chain((key) =>
        fc.record({ key: fc.constant(key), at: fc.nat((intact.objects.get(key)?.length ?? 1) - 1), bit: fc.nat(7) }),
      );
    await fc.assert(
      fc.asyncProperty(change, async ({ key, at, bit }) => {
        const vault = intact.copy('a');
        vault.objects.set(key, flipBit(vault.objects.get(key) ?? new Uint8Array(), at, bit));
        const judged = await verify({ vaults: [vault, intact.copy('b')], depth: 'data' });
        expect(findingsAbout(judged, key)).toMatchObject([{ vault: 'a' }]);
        expect(judged.findings).toHaveLength(1);
      }),
      { numRuns: 60 },
    );
  });

  it('finds a changed bit all over a point, the header and a slot', async () => {
    for (const kind of ['points/', 'lifeboat.json', 'keys/']) {
      const [key] = objectsOf(kind) as [string];
      const bytes = intact.objects.get(key) ?? new Uint8Array();
      const vault = new MemoryVault(
        'a',
        [...intact.objects].filter(([name]) => name === key || name === 'lifeboat.json'),
      );
      for (let at = 0; at < bytes.length; at += 3) {
        vault.objects.set(key, flipBit(bytes, at, at % 8));
        const report = await verify({ vaults: [vault], keys: scene.keys, depth: 'structure' });
        if (findingsAbout(report, key).length === 0) throw new Error(`a change at byte ${at} of ${key} was not found`);
      }
    }
  });

  it('finds what is cut short or longer than it should be', async () => {
    for (const key of intact.objects.keys()) {
      const bytes = intact.objects.get(key) ?? new Uint8Array();
      for (const changed of [bytes.subarray(0, -1), bytes.subarray(0, 0), Buffer.concat([bytes, Buffer.from([0])])]) {
        const vault = intact.copy('a');
        vault.objects.set(key, changed);
        const report = await verify({ vaults: [vault], keys: scene.keys, depth: 'data' });
        expect(findingsAbout(report, key)).toMatchObject([{ object: key }]);
      }
    }
  });

  it('never lets a changed vault give back anything but the truth', async () => {
    const keys = [...intact.objects.keys()].filter((key) => !key.startsWith('rescue/'));
    const change = fc
      .constantFrom(...keys)
      .chain((key) =>
        fc.record({ key: fc.constant(key), at: fc.nat((intact.objects.get(key)?.length ?? 1) - 1), bit: fc.nat(7) }),
      );
    await fc.assert(
      fc.asyncProperty(change, async ({ key, at, bit }) => {
        const vault = intact.copy('a');
        vault.objects.set(key, flipBit(vault.objects.get(key) ?? new Uint8Array(), at, bit));
        const read = await restore({ vaults: [vault], keys: scene.keys }).catch((error: unknown) => {
          if (isLifeboatError(error)) return undefined;
          throw error;
        });
        expectSame(read ?? expected, expected);
      }),
      { numRuns: 120 },
    );
  });

  it('says which points a pack touches, and counts the others as intact', async () => {
    const [first] = objectsOf('points/') as [string];
    const onlySecond = objectsOf('packs/').find(
      (key) => !Buffer.from(intact.objects.get(first) ?? []).includes(Buffer.from(key.slice(9), 'hex')),
    );
    const report = await verify({ vaults: [without(onlySecond ?? '')], depth: 'structure' });
    expect(report.findings).toMatchObject([{ object: onlySecond, kind: 'missing' }]);
    expect(report.findings[0]?.points).toHaveLength(1);
    expect(report.vaults).toMatchObject([{ points: 2, intactPoints: 1 }]);
  });

  it('finds, with the read key, an index object that tells writers wrong', async () => {
    const vault = intact.copy('a');
    const other = await makeScene();
    const forged = { ...scene.keys, dedupKey: other.keys.dedupKey };
    const liar: Scene = { vaults: [vault], keys: forged };
    // A writer whose dedup key is not the repository's: what it stores is found under ids that are not those of the contents.
    await backUp(liar, { configmaps: madeUpList(20, { generation: () => 9 }) });
    const report = await verify({ vaults: [vault], keys: scene.keys, depth: 'data' });
    expect(report.findings.map((finding) => finding.object.slice(0, 5)).sort((a, b) => a.localeCompare(b))).toEqual([
      'index',
      'point',
    ]);
    expect((await verify({ vaults: [vault], depth: 'data' })).findings).toEqual([]);
  });

  it('says that nobody can open a vault any more whose key slots are gone', async () => {
    const [slot] = objectsOf('keys/') as [string];
    const report = await verify({ vaults: [without(slot)], depth: 'structure' });
    expect(report.vaults).toMatchObject([{ points: 2, intactPoints: 0 }]);
    expect(findingsAbout(report, slot)).toHaveLength(1);
  });

  it('goes on when one vault does not answer, and says so', async () => {
    const silent = intact.copy('silent');
    silent.interfere = () => {
      throw new Error('no answer');
    };
    const report = await verify({ vaults: [intact, silent], depth: 'data' });
    expect(report.findings).toMatchObject([{ vault: 'silent', kind: 'unreadable' }]);
    expect(report.vaults).toHaveLength(1);
  });

  it('stops when it is told to', async () => {
    await expect(
      verify({ vaults: [intact], depth: 'data', signal: AbortSignal.abort(new Error('enough')) }),
    ).rejects.toThrow('enough');
  });

  it('finds that a slot was added to one vault only', async () => {
    const two = await makeScene('a', 'b');
    await addSlot(two.vaults.slice(0, 1), two.keys, {
      kind: 'passphrase',
      passphrase: PASSPHRASE,
      workFactor: WORK_FACTOR,
    });
    const [, b] = two.vaults as [MemoryVault, MemoryVault];
    // The next backup brings it to the other vault.
    await backUp(two, { all: ['x'] });
    expect([...b.objects.keys()].filter((key) => key.startsWith('keys/'))).toHaveLength(2);
    expect(await verify({ vaults: two.vaults, depth: 'structure' })).toMatchObject({ findings: [] });
  });
});
