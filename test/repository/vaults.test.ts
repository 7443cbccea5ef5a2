import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { LifeboatError } from '../../src/core/errors.ts';
import type { Warning } from '../../src/core/progress.ts';
import { generateRepositoryKeys, sealSlot, writeKeyOf } from '../../src/keys/index.ts';
import type { StreamRef } from '../../src/repository/api.ts';
import { createRepository, openReader, openWriter, unlock, verify } from '../../src/repository/index.ts';
import { signFor } from '../../src/keys/signing.ts';
import { MemoryVault } from '../support/memory-vault.ts';
import {
  backUp,
  expectSame,
  madeUpList,
  makeScene,
  PASSPHRASE,
  readBack,
  readStream,
  restore,
  streamsOf,
  testClock,
  WORK_FACTOR,
} from './scene.ts';

const packsOf = (vault: MemoryVault | undefined): string[] =>
  [...(vault?.objects.keys() ?? [])].filter((key) => key.startsWith('packs/'));

function failing(
  prefix: string,
  code: 'LB_VAULT_FULL' | 'LB_VAULT_UNAVAILABLE' = 'LB_VAULT_FULL',
): MemoryVault['interfere'] {
  return (operation, key) => {
    if (operation === 'put' && key.startsWith(prefix)) throw new LifeboatError(code, 'no room left');
  };
}

describe('making a repository', () => {
  it('does no harm when it is there, and completes what was interrupted', async () => {
    const scene = await makeScene('a');
    const [a] = scene.vaults as [MemoryVault];
    const before = new Map(a.objects);
    const b = new MemoryVault('b');
    // As if the first attempt had died after the slots: no header yet.
    for (const [key, bytes] of before) if (key.startsWith('keys/')) b.objects.set(key, bytes);
    await createRepository({ vaults: [a, b], keys: scene.keys, slots: [] });
    expect(a.objects).toEqual(before);
    expect(b.objects).toEqual(before);
  });

  it('refuses a vault that holds another one, and then writes nothing anywhere', async () => {
    const scene = await makeScene('a');
    const keys = await generateRepositoryKeys();
    const fresh = new MemoryVault('b');
    const slot = await sealSlot(keys, { kind: 'passphrase', passphrase: 'x', workFactor: WORK_FACTOR });
    const made = createRepository({ vaults: [fresh, ...scene.vaults], keys, slots: [slot] });
    await expect(made).rejects.toMatchObject({ code: 'LB_REPO_EXISTS' });
    expect(fresh.objects.size).toBe(0);
  });

  it('makes a lost header again with the keys of the repository, known by its points or by the slot they were in', async () => {
    const scene = await makeScene('a');
    const [a] = scene.vaults as [MemoryVault];
    const withoutPoints = new Map(a.objects);
    const { header } = await backUp(scene, { all: madeUpList(5) });
    a.objects.delete('lifeboat.json');
    const { keys } = await unlock([a], { passphrases: [PASSPHRASE] });
    await createRepository({ vaults: [a], keys, slots: [] });
    expect((await (await openReader({ vaults: [a] })).listPoints()).map((point) => point.header?.id)).toEqual([header.id]);
    expectSame(await restore(scene), { all: madeUpList(5) });

    const b = new MemoryVault('b');
    for (const [key, bytes] of withoutPoints) if (key.startsWith('keys/')) b.objects.set(key, bytes);
    const opened = await unlock([b], { passphrases: [PASSPHRASE] });
    await createRepository({ vaults: [b], keys: opened.keys, slots: [], openedSlot: opened.slot });
    expect((await openReader({ vaults: [b] })).id).toBe(scene.keys.repositoryId);
  });

  it.each(['', 'keys/', 'points/', 'packs/', 'index/'])(
    'refuses a vault without a header that holds another one (of which "%s…" is left), and then writes nothing anywhere',
    async (left) => {
      const scene = await makeScene('a');
      const [a] = scene.vaults as [MemoryVault];
      await backUp(scene, { all: madeUpList(5) });
      a.objects.delete('lifeboat.json');
      for (const key of a.objects.keys()) if (!key.startsWith(left)) a.objects.delete(key);
      const before = new Map(a.objects);
      const fresh = new MemoryVault('b');
      const keys = await generateRepositoryKeys();
      const slot = await sealSlot(keys, { kind: 'passphrase', passphrase: PASSPHRASE, workFactor: WORK_FACTOR });
      const made = createRepository({ vaults: [fresh, a], keys, slots: [slot] });
      await expect(made).rejects.toMatchObject({ code: 'LB_REPO_HEADER_LOST', where: 'vault "a", lifeboat.json' });
      expect(a.objects).toEqual(before);
      expect(fresh.objects.size).toBe(0);
    },
  );

  it('does not make a header of a slot that anybody could have left beside the points of another one', async () => {
    const [scene, other] = await Promise.all([makeScene('a'), makeScene('b')]);
    const [a] = scene.vaults as [MemoryVault];
    const [b] = other.vaults as [MemoryVault];
    await backUp(scene, { all: madeUpList(5) });
    for (const key of a.objects.keys()) if (!key.startsWith('points/')) a.objects.delete(key);
    for (const [key, bytes] of b.objects) if (key.startsWith('keys/')) a.objects.set(key, bytes);
    const { keys, slot } = await unlock([a], { passphrases: [PASSPHRASE] });
    const made = createRepository({ vaults: [a], keys, slots: [], openedSlot: slot });
    await expect(made).rejects.toMatchObject({ code: 'LB_REPO_HEADER_LOST' });
    expect(a.objects.has('lifeboat.json')).toBe(false);
  });

  it('refuses to make one that nobody could open', async () => {
    const keys = await generateRepositoryKeys();
    await expect(createRepository({ vaults: [new MemoryVault('a')], keys, slots: [] })).rejects.toMatchObject({
      code: 'LB_KEY_MISSING',
    });
  });

  it('lets exactly one of two win that are made at the same moment', async () => {
    const vault = new MemoryVault('a');
    const attempts = await Promise.allSettled(
      Array.from({ length: 2 }, async () => {
        const keys = await generateRepositoryKeys();
        const slot = await sealSlot(keys, { kind: 'passphrase', passphrase: 'x', workFactor: WORK_FACTOR });
        return createRepository({ vaults: [vault], keys, slots: [slot] });
      }),
    );
    expect(attempts.map((attempt) => attempt.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(attempts.find((attempt) => attempt.status === 'rejected')?.reason).toMatchObject({
      code: expect.stringMatching(/^LB_REPO_(EXISTS|HEADER_LOST)$/) as string,
    });
  });
});

describe('a backup into several vaults', () => {
  it('puts the same bytes into each', async () => {
    const scene = await makeScene('a', 'b', 'c');
    const point = await backUp(scene, { all: madeUpList(500) });
    expect(point).toMatchObject({ vaults: ['a', 'b', 'c'], failed: [] });
    const [a, b, c] = scene.vaults;
    expect(b?.objects).toEqual(a?.objects);
    expect(c?.objects).toEqual(a?.objects);
  });

  it.each(['packs/', 'index/', 'points/', ''])(
    'goes on without one that fails when it is to store "%s…"',
    async (prefix) => {
      const scene = await makeScene('a', 'b');
      const [a, b] = scene.vaults as [MemoryVault, MemoryVault];
      a.interfere = failing(prefix);
      const warnings: Warning[] = [];
      const point = await backUp(scene, { all: madeUpList(500) }, { warnings });
      expect(point).toMatchObject({ vaults: ['b'], failed: [{ vault: 'a', code: 'LB_VAULT_FULL' }] });
      expect(warnings).toMatchObject([{ kind: 'vault-dropped' }]);
      a.interfere = undefined;
      expectSame(await restore({ ...scene, vaults: [b] }), { all: madeUpList(500) });
      expectSame(await restore(scene), { all: madeUpList(500) });
      expect((await verify({ vaults: [b], keys: scene.keys, depth: 'data' })).findings).toEqual([]);
    },
  );

  it('goes on without one that fails when it is looked at', async () => {
    const scene = await makeScene('a', 'b');
    const [a] = scene.vaults as [MemoryVault];
    a.interfere = () => {
      throw new LifeboatError('LB_VAULT_UNAVAILABLE', 'no answer');
    };
    expect(await backUp(scene, { all: madeUpList(10) })).toMatchObject({ vaults: ['b'] });
  });

  it('fails with the reason when none is left', async () => {
    const scene = await makeScene('a', 'b');
    for (const vault of scene.vaults) vault.interfere = failing('packs/');
    await expect(backUp(scene, { all: madeUpList(10) })).rejects.toMatchObject({ code: 'LB_VAULT_FULL' });
  });

  it('is whole in a vault that was away before: it gets what it missed', async () => {
    const scene = await makeScene('a', 'b');
    const [a, b] = scene.vaults as [MemoryVault, MemoryVault];
    const clock = testClock();
    await backUp(scene, { all: madeUpList(300) }, { clock });
    clock.advance(60_000);
    b.interfere = failing('');
    const generation = (number: number): number => (number < 30 ? 1 : 0);
    await backUp(scene, { all: madeUpList(300, { generation }) }, { clock });
    clock.advance(60_000);
    b.interfere = undefined;
    const third = await backUp(scene, { all: madeUpList(300, { generation }) }, { clock });
    // What only the first vault had is stored again, in both; nothing else is.
    expect(third).toMatchObject({ vaults: ['a', 'b'], header: { stats: { newChunks: 30 } } });
    expectSame(await restore({ ...scene, vaults: [b] }), { all: madeUpList(300, { generation }) });
    const report = await verify({ vaults: [a, b], keys: scene.keys, depth: 'data' });
    expect(report.findings.map((finding) => [finding.vault, finding.kind])).toEqual([['b', 'missing']]);
    expect(report.findings[0]?.object).toMatch(/^points\/prod\//);
  });

  it('is whole in a vault that was added later', async () => {
    const scene = await makeScene('a');
    await backUp(scene, { all: madeUpList(300) });
    const added = new MemoryVault('b');
    const vaults = [...scene.vaults, added];
    await createRepository({ vaults, keys: scene.keys, slots: [] });
    await backUp({ ...scene, vaults }, { all: madeUpList(300) });
    expectSame(await restore({ ...scene, vaults: [added] }), { all: madeUpList(300) });
    expect(
      (await verify({ vaults: [added], keys: scene.keys, depth: 'data' })).findings.map((finding) => finding.kind),
    ).toEqual(['chain']);
  });
});

describe('opening a repository', () => {
  it('says that there is none', async () => {
    const scene = await makeScene();
    const vaults = [new MemoryVault('empty')];
    await expect(openWriter({ vaults, writeKey: writeKeyOf(scene.keys) })).rejects.toMatchObject({
      code: 'LB_REPO_MISSING',
    });
    await expect(openReader({ vaults })).rejects.toMatchObject({ code: 'LB_REPO_MISSING' });
    await expect(openReader({ vaults, keys: scene.keys })).rejects.toMatchObject({ code: 'LB_REPO_MISSING' });
    await expect(verify({ vaults, depth: 'structure' })).rejects.toMatchObject({ code: 'LB_REPO_MISSING' });
  });

  it('says how a header that alone was lost is made again', async () => {
    const scene = await makeScene();
    const [vault] = scene.vaults as [MemoryVault];
    vault.objects.delete('lifeboat.json');
    await expect(openWriter({ vaults: [vault], writeKey: writeKeyOf(scene.keys) })).rejects.toMatchObject({
      code: 'LB_REPO_MISSING',
      hint: expect.stringContaining('lifeboat init --identity FILE') as string,
    });
  });

  it('says that the key is of another one', async () => {
    const [scene, other] = await Promise.all([makeScene(), makeScene()]);
    await expect(openWriter({ vaults: scene.vaults, writeKey: writeKeyOf(other.keys) })).rejects.toMatchObject({
      code: 'LB_KEY_WRONG',
    });
    await expect(openReader({ vaults: scene.vaults, keys: other.keys })).rejects.toMatchObject({
      code: 'LB_KEY_WRONG',
    });
  });

  it('says that it is of a newer format, to whoever opens it', async () => {
    const scene = await makeScene();
    const [vault] = scene.vaults as [MemoryVault];
    const text = Buffer.from(vault.objects.get('lifeboat.json') ?? []).toString();
    const line = Buffer.from((text.split('\n')[0] ?? '').replace('"version":1', '"version":2'));
    const signature = Buffer.from(signFor('lifeboat/1/repository', line, scene.keys.signingKey)).toString('hex');
    vault.objects.set('lifeboat.json', Buffer.concat([line, Buffer.from(`\n{"signature":"${signature}"}\n`)]));
    const newer = { code: 'LB_REPO_NEWER_FORMAT' };
    await expect(openReader({ vaults: [vault] })).rejects.toMatchObject(newer);
    await expect(openReader({ vaults: [vault], keys: scene.keys })).rejects.toMatchObject(newer);
    await expect(openWriter({ vaults: [vault], writeKey: writeKeyOf(scene.keys) })).rejects.toMatchObject(newer);
    await expect(createRepository({ vaults: [vault], keys: scene.keys, slots: [] })).rejects.toMatchObject(newer);
    await expect(unlock([vault], { passphrases: [PASSPHRASE] })).rejects.toMatchObject(newer);
    await expect(verify({ vaults: [vault], keys: scene.keys, depth: 'structure' })).rejects.toMatchObject(newer);
  });

  it('refuses vaults that hold different ones', async () => {
    const [scene, other] = await Promise.all([makeScene('a'), makeScene('b')]);
    await expect(openReader({ vaults: [...scene.vaults, ...other.vaults] })).rejects.toMatchObject({
      code: 'LB_REPO_FORGED',
    });
  });

  it('needs no key to list points, and one to open them', async () => {
    const scene = await makeScene();
    const { header } = await backUp(scene, { all: madeUpList(5) });
    const reader = await openReader({ vaults: scene.vaults });
    expect(await reader.listPoints()).toEqual([{ id: header.id, site: 'prod', vaults: ['a'], header }]);
    await expect(reader.open('latest')).rejects.toMatchObject({ code: 'LB_KEY_MISSING' });
  });

  it('finds a point by its id, a beginning of it, or as the latest of its site', async () => {
    const scene = await makeScene();
    const clock = testClock();
    const ids: string[] = [];
    for (const site of ['east', 'west', 'east']) {
      ids.push((await backUp(scene, { all: [site + ids.length] }, { site, clock })).header.id);
      clock.advance(60_000);
    }
    const reader = await openReader({ vaults: scene.vaults, keys: scene.keys });
    const open = async (id: string, site?: string): Promise<string> =>
      (await reader.open(id, site === undefined ? {} : { site })).header.id;
    expect(await open('latest', 'east')).toBe(ids[2]);
    expect(await open('latest', 'west')).toBe(ids[1]);
    expect(await open(ids[1] ?? '')).toBe(ids[1]);
    expect(await open(ids[0]?.slice(0, 15) ?? '')).toBe(ids[0]);
    for (const wanted of ['2026', 'latest', 'nonsense', ''])
      await expect(open(wanted)).rejects.toMatchObject({ code: 'LB_POINT_NOT_FOUND' });
    await expect(open('latest', 'north')).rejects.toMatchObject({ code: 'LB_POINT_NOT_FOUND' });
    expect((await reader.listPoints({ site: 'east' })).map((point) => point.id)).toEqual([ids[0], ids[2]]);
  });
});

describe('reading', () => {
  it('takes from the next vault what one has lost or damaged, and warns', async () => {
    const scene = await makeScene('a', 'b');
    const [a, b] = scene.vaults as [MemoryVault, MemoryVault];
    await backUp(scene, { one: madeUpList(300) });
    await backUp(scene, { one: madeUpList(300, { generation: (number) => number % 3 }) });
    const [lost, damaged] = packsOf(a) as [string, string];
    a.objects.delete(lost);
    b.objects.set(
      damaged,
      Uint8Array.from(b.objects.get(damaged) ?? [], (byte, i) => (i === 2000 ? byte ^ 1 : byte)),
    );
    const warnings: Warning[] = [];
    const expected = { one: madeUpList(300, { generation: (number) => number % 3 }) };
    expectSame(await restore(scene, 'latest', warnings), expected);
    expect(warnings.map((warning) => [warning.kind, warning.where])).toContainEqual([
      'pack-unreadable',
      `vault "a", ${lost}`,
    ]);
    // With the better vault first, too.
    expectSame(await restore({ ...scene, vaults: [b, a] }, 'latest', []), expected);
  });

  it('says which pack no vault has, and gives nothing instead', async () => {
    const scene = await makeScene('a', 'b');
    await backUp(scene, { one: madeUpList(300) });
    const [pack] = packsOf(scene.vaults[0]) as [string];
    for (const vault of scene.vaults) vault.objects.delete(pack);
    await expect(restore(scene)).rejects.toMatchObject({
      code: 'LB_REPO_DAMAGED',
      where: pack,
      message: expect.stringMatching(/a: .*; b: /) as string,
    });
  });

  it('manages without lifeboat.json when it has the keys', async () => {
    const scene = await makeScene();
    await backUp(scene, { one: madeUpList(30) });
    scene.vaults[0]?.objects.delete('lifeboat.json');
    const warnings: Warning[] = [];
    expectSame(await restore(scene, 'latest', warnings), { one: madeUpList(30) });
    expect(warnings).toMatchObject([{ kind: 'header-unreadable' }]);
  });

  it('goes on for one reader when another one stops', async () => {
    const scene = await makeScene();
    const [vault] = scene.vaults as [MemoryVault];
    const records = madeUpList(300);
    await backUp(scene, { all: records });
    const reader = await openReader({ vaults: scene.vaults, keys: scene.keys });
    const point = await reader.open('latest');
    const ref = streamsOf(point)['all'] as StreamRef;
    const answer = Promise.withResolvers<void>();
    vault.interfere = () => answer.promise;
    const stop = new AbortController();
    const stopped = Array.fromAsync(point.records(ref, { signal: stop.signal }));
    const other = Array.fromAsync(point.records(ref));
    stop.abort(new Error('enough'));
    await expect(stopped).rejects.toThrow('enough');
    answer.resolve();
    expect(await other).toHaveLength(300);
  });

  it('ends when the repository is closed', async () => {
    const scene = await makeScene();
    const [vault] = scene.vaults as [MemoryVault];
    await backUp(scene, { all: madeUpList(300) });
    const reader = await openReader({ vaults: scene.vaults, keys: scene.keys });
    const point = await reader.open('latest');
    vault.interfere = () => sleep(20);
    const reading = readBack(point);
    await reader.close();
    await expect(reading).rejects.toMatchObject({ code: 'LB_INTERNAL' });
    await reader.close();
  });

  it('reads little of a large pack when little is wanted', async () => {
    const scene = await makeScene();
    const [vault] = scene.vaults as [MemoryVault];
    const large = Array.from({ length: 12 }, () => Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))));
    const bulk = Array.from({ length: 40 }, () =>
      Buffer.concat(Array.from({ length: 4 }, () => crypto.getRandomValues(new Uint8Array(60_000)))),
    );
    await backUp(scene, { bulk, small: large.slice(0, 1) });
    const reader = await openReader({ vaults: scene.vaults, keys: scene.keys });
    const point = await reader.open('latest');
    const packBytes = vault.objects.get(packsOf(vault)[0] ?? '')?.length ?? 0;
    expect(packBytes).toBeGreaterThan(9_000_000);
    vault.bytesRead = 0;
    expect(await readStream(point, streamsOf(point)['small'] as StreamRef)).toEqual(large.slice(0, 1));
    expect(vault.bytesRead).toBeLessThan(packBytes / 10);
    expectSame(await readBack(point), { bulk, small: large.slice(0, 1) });
  });
});
