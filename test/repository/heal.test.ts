import { beforeAll, describe, expect, it } from 'vitest';
import { LifeboatError } from '../../src/core/errors.ts';
import type { Repair, VerifyReport } from '../../src/repository/api.ts';
import { addSlot, createRepository, findLivePoints, removePoint, removeSlot, verify } from '../../src/repository/index.ts';
import type { VerifyOptions } from '../../src/repository/verify/verify.ts';
import { generateRepositoryKeys, sealSlot } from '../../src/keys/index.ts';
import { MemoryVault } from '../support/memory-vault.ts';
import { backUp, expectSame, flipBit, madeUpList, makeScene, PASSPHRASE, restore, testClock, WORK_FACTOR } from './scene.ts';
import type { Scene } from './scene.ts';

let scene: Scene;
let intact: MemoryVault;
let streams: Record<string, Buffer[]>;

beforeAll(async () => {
  scene = await makeScene('intact');
  intact = scene.vaults[0] as MemoryVault;
  // A slot that is in use, and one that was removed, so that there is a tombstone.
  const { id } = await addSlot(scene.vaults, scene.keys, { kind: 'passphrase', passphrase: 'another', workFactor: WORK_FACTOR });
  await removeSlot(scene.vaults, scene.keys, id);
  const clock = testClock();
  await backUp(scene, { configmaps: madeUpList(100) }, { clock });
  clock.advance(60_000);
  // A point that was removed and swept, of which only the tombstone is left.
  const removed = await backUp(scene, { configmaps: madeUpList(100) }, { clock });
  await remove(scene.vaults, removed.header.id);
  await intact.delete(`points/prod/${removed.header.id}`);
  clock.advance(60_000);
  streams = { configmaps: madeUpList(100, { generation: (number) => (number < 20 ? 1 : 0) }), secrets: madeUpList(30) };
  await backUp(scene, streams, { clock });
});

async function remove(vaults: readonly MemoryVault[], id: string): Promise<void> {
  const point = (await findLivePoints(vaults, 'prod', scene.keys, {})).find((one) => one.id === id);
  if (point === undefined) throw new Error(`there is no point ${id}`);
  await removePoint(vaults, scene.keys, point, 'a test');
}

const KINDS = ['lifeboat.json', 'keys/', 'packs/', 'index/', 'points/', 'rescue/'];
const keysOf = (kind: string): string[] => [...intact.objects.keys()].filter((key) => key.startsWith(kind)).sort();
const bytesOf = (key: string): Uint8Array => intact.objects.get(key) ?? new Uint8Array();

const HARMS: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array | undefined>> = {
  'is lost': () => undefined,
  'has a bit changed': (bytes) => flipBit(bytes, bytes.length >> 1, 3),
  'is cut short': (bytes) => bytes.subarray(0, -1),
  'is longer': (bytes) => Buffer.concat([bytes, Buffer.from('x')]),
  'is empty': () => new Uint8Array(),
};

/** A copy with some objects harmed. */
function harmed(name: string, harms: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array | undefined>>): MemoryVault {
  const vault = intact.copy(name);
  for (const [key, harm] of Object.entries(harms)) {
    const bytes = harm(bytesOf(key));
    if (bytes === undefined) vault.objects.delete(key);
    else vault.objects.set(key, bytes);
  }
  return vault;
}

const healIn = (vaults: readonly MemoryVault[], options: Partial<VerifyOptions> = {}): Promise<VerifyReport> =>
  verify({ vaults, keys: scene.keys, depth: 'data', heal: 'heal', ...options });
const outcomes = (report: VerifyReport): (string | undefined)[][] => (report.repairs ?? []).map(({ vault, object, outcome, from }) => [vault, object, outcome, from]);
const isLike = (vault: MemoryVault): void => {
  expect([...vault.objects.keys()].sort()).toEqual([...intact.objects.keys()].sort());
  expect([...vault.objects].filter(([key, bytes]) => !Buffer.from(bytes).equals(bytesOf(key))).map(([key]) => key)).toEqual([]);
};

describe('healing', () => {
  it.each(KINDS.flatMap((kind) => Object.keys(HARMS).map((harm) => [kind, harm] as const)))('each object under %s that %s, from another vault, byte for byte', async (kind, harm) => {
    for (const key of keysOf(kind)) {
      const bad = harmed('bad', { [key]: HARMS[harm] as () => undefined });
      const report = await healIn([bad, intact.copy('good')]);
      expect(outcomes(report)).toEqual([['bad', key, 'healed', 'good']]);
      isLike(bad);
      expect(await verify({ vaults: [bad], keys: scene.keys, depth: 'data' })).toMatchObject({ findings: [] });
    }
  });

  it('needs no key to do so, when the vaults agree about whose repository it is', async () => {
    const [pack = ''] = keysOf('packs/');
    const [point = ''] = keysOf('points/');
    const bad = harmed('bad', { [pack]: (bytes) => flipBit(bytes, 5), [point]: () => undefined });
    const report = await verify({ vaults: [bad, intact.copy('good')], depth: 'data', heal: 'heal' });
    expect(outcomes(report).map(([, , outcome]) => outcome)).toEqual(['healed', 'healed']);
    isLike(bad);
  });

  it('replaces nothing when no key says which vault tells the truth', async () => {
    const keys = await generateRepositoryKeys();
    const other = new MemoryVault('other');
    await createRepository({ vaults: [other], keys, slots: [await sealSlot(keys, { kind: 'passphrase', passphrase: PASSPHRASE, workFactor: WORK_FACTOR })] });
    const before = new Map(other.objects);
    const mine = intact.copy('mine');
    await expect(verify({ vaults: [other, mine], depth: 'structure', heal: 'heal' })).rejects.toMatchObject({ code: 'LB_KEY_MISSING' });
    const headless = harmed('headless', { 'lifeboat.json': () => undefined });
    await expect(verify({ vaults: [headless, mine], depth: 'structure', heal: 'heal' })).rejects.toMatchObject({ code: 'LB_KEY_MISSING' });
    // With a key, of whatever role, it is clear; what is not ours is left alone all the same.
    const report = await verify({ vaults: [other, mine], trusted: scene.keys, depth: 'structure', heal: 'heal' });
    expect(new Set(report.repairs?.map(({ vault, outcome }) => `${vault} ${outcome}`))).toEqual(new Set(['other kept']));
    expect(other.objects).toEqual(before);
    isLike(mine);
  });

  it('takes each object from whichever vault has it', async () => {
    const [first = '', second = ''] = keysOf('packs/');
    const [index = ''] = keysOf('index/');
    const vaults = [
      harmed('a', { [first]: () => undefined, 'lifeboat.json': (bytes) => flipBit(bytes, 30) }),
      harmed('b', { [second]: (bytes) => bytes.subarray(0, 50), [index]: (bytes) => flipBit(bytes, 40) }),
      harmed('c', { [first]: (bytes) => flipBit(bytes, 1500), [index]: () => undefined }),
    ];
    const report = await healIn(vaults);
    expect(report.repairs?.every(({ outcome }) => outcome === 'healed')).toBe(true);
    expect(report.repairs).toHaveLength(6);
    for (const vault of vaults) isLike(vault);
  });

  it('fills a vault that lost everything', async () => {
    const empty = new MemoryVault('empty');
    const puts: string[] = [];
    empty.interfere = (operation, key) => void (operation === 'put' && puts.push(/^points\/.*\.removed$/.test(key) ? 'removals' : (key.split('/')[0] ?? '')));
    await healIn([empty, intact.copy('good')]);
    isLike(empty);
    // In the order of writing: what others need comes first.
    expect([...new Set(puts)]).toEqual(['rescue', 'keys', 'lifeboat.json', 'removals', 'packs', 'index', 'points']);
    expectSame(await restore({ vaults: [empty], keys: scene.keys }), streams);
  });

  it('changes nothing in a dry run, and says what it would', async () => {
    const [pack = ''] = keysOf('packs/');
    const [point = ''] = keysOf('points/');
    const bad = harmed('bad', { [pack]: (bytes) => flipBit(bytes, 5), [point]: () => undefined });
    const before = new Map(bad.objects);
    const report = await healIn([bad, intact.copy('good')], { heal: 'dry-run' });
    expect(outcomes(report)).toEqual([
      ['bad', pack, 'possible', 'good'],
      ['bad', point, 'possible', 'good'],
    ]);
    expect(bad.objects).toEqual(before);
  });

  it('reports what no vault has intact, with the points it touches, and touches nothing', async () => {
    const [pack = ''] = keysOf('packs/');
    const vaults = [harmed('a', { [pack]: (bytes) => flipBit(bytes, 5) }), harmed('b', { [pack]: (bytes) => flipBit(bytes, 9) })];
    const before = vaults.map((vault) => new Map(vault.objects));
    const report = await healIn(vaults);
    expect(report.repairs).toHaveLength(2);
    const touched = report.findings.find(({ object }) => object === pack)?.points ?? [];
    expect(touched.length).toBeGreaterThan(0);
    for (const repair of report.repairs ?? []) expect(repair).toMatchObject({ object: pack, outcome: 'lost', points: touched });
    expect(vaults.map((vault) => vault.objects)).toEqual(before);
  });

  it('does not bring a point back before everything it needs', async () => {
    const point = keysOf('points/').at(-1) ?? '';
    const [pack = ''] = keysOf('packs/');
    const a = harmed('a', { [pack]: () => undefined, [point]: () => undefined });
    const b = harmed('b', { [pack]: (bytes) => flipBit(bytes, 9) });
    const report = await healIn([a, b]);
    expect(report.repairs?.find(({ object, vault }) => object === point && vault === 'a')).toMatchObject({ outcome: 'waiting' });
    expect(a.objects.has(point)).toBe(false);
  });

  it('says so when what is wrong cannot be taken away, and leaves it as it is', async () => {
    const [pack = '', other = ''] = keysOf('packs/');
    const bad = harmed('bad', { [pack]: (bytes) => flipBit(bytes, 5), [other]: () => undefined });
    const before = bad.objects.get(pack);
    bad.interfere = (operation, key) => {
      if (operation === 'delete') throw new LifeboatError('LB_VAULT_ACCESS', `${key} may not be deleted`);
    };
    const report = await healIn([bad, intact.copy('good')]);
    expect(new Set(outcomes(report).map(([, object, outcome]) => `${object ?? ''} ${outcome ?? ''}`))).toEqual(new Set([`${other} healed`, `${pack} kept`]));
    expect(bad.objects.get(pack)).toBe(before);
  });

  it('heals others from the first version that a lock keeps under what somebody put over it, and takes that away', async () => {
    const [pack = ''] = keysOf('packs/');
    const shadowed = intact.copy('shadowed');
    shadowed.locks = true;
    await shadowed.retain(pack, new Date(Date.now() + 3_600_000));
    shadowed.shadow(pack, Buffer.from('not a pack'));
    const bare = harmed('bare', { [pack]: () => undefined });
    const report = await healIn([shadowed, bare]);
    expect(outcomes(report)).toEqual([
      ['bare', pack, 'healed', 'shadowed'],
      ['shadowed', pack, 'healed', undefined],
    ]);
    isLike(bare);
    isLike(shadowed);
  });

  it('never deletes what may be the last intact copy, though an earlier version', async () => {
    const [pack = ''] = keysOf('packs/');
    const alone = intact.copy('alone');
    alone.shadow(pack, Buffer.from('not a pack'));
    const report = await healIn([alone]);
    expect(outcomes(report)).toEqual([['alone', pack, 'kept', 'alone']]);
    const original = await alone.get(pack, { original: true });
    expect(original.length).toBe(bytesOf(pack).length);
  });

  it('does not delete what turns out to be intact when it is looked at again', async () => {
    const [pack = ''] = keysOf('packs/');
    const flickering = intact.copy('flickering');
    const truth = flickering.objects.get(pack) as Uint8Array;
    flickering.objects.set(pack, flipBit(truth, 5));
    let deletes = 0;
    let reads = 0;
    flickering.interfere = (operation, key) => {
      if (operation === 'delete') deletes++;
      if (operation === 'get' && key === pack && ++reads === 2) flickering.objects.set(pack, truth);
    };
    const report = await healIn([flickering, intact.copy('good')], { keys: undefined as never });
    expect(report.repairs).toMatchObject([{ object: pack, outcome: 'healed' }]);
    expect(deletes).toBe(0);
  });

  it('does not take one store under two names for two copies', async () => {
    const [pack = ''] = keysOf('packs/');
    const bad = harmed('same', { [pack]: (bytes) => flipBit(bytes, 5) });
    const twin = intact.copy('same');
    const before = new Map(bad.objects);
    const report = await verify({ vaults: [bad, Object.assign(twin, { name: 'twin' })], keys: scene.keys, depth: 'data', heal: 'heal' });
    expect(report.repairs).toMatchObject([{ object: pack, outcome: 'kept' }]);
    expect(bad.objects).toEqual(before);
  });

  it('goes on with the rest when a vault fails in between, and the next run does what is left', async () => {
    const packs = keysOf('packs/');
    const bad = harmed('bad', Object.fromEntries(packs.map((key) => [key, (bytes: Uint8Array) => flipBit(bytes, 7)])));
    bad.interfere = (operation, key) => {
      if (operation === 'put' && key === packs[0]) throw new LifeboatError('LB_VAULT_UNAVAILABLE', 'gone for a moment');
    };
    const good = intact.copy('good');
    const report = await healIn([bad, good]);
    expect(new Map(outcomes(report).map(([, object, outcome]) => [object, outcome]))).toEqual(new Map(packs.map((key) => [key, key === packs[0] ? 'failed' : 'healed'])));
    bad.interfere = undefined;
    expect((await healIn([bad, good])).repairs).toMatchObject([{ object: packs[0], outcome: 'healed' }]);
    isLike(bad);
    isLike(good);
  });

  it('brings a slot, and the removal of one, to a vault that missed it', async () => {
    const two = await makeScene('a', 'b');
    const [a, b] = two.vaults as [MemoryVault, MemoryVault];
    const secret = { kind: 'passphrase', passphrase: PASSPHRASE, workFactor: WORK_FACTOR } as const;
    await addSlot([a], two.keys, secret);
    const gone = await addSlot([a, b], two.keys, secret);
    await removeSlot([a], two.keys, gone.id);
    const report = await verify({ vaults: [a, b], keys: two.keys, depth: 'structure', heal: 'heal' });
    expect(report.repairs).toHaveLength(2);
    expect(b.objects.has(`keys/${gone.id}.removed`)).toBe(true);
    const slots = (vault: MemoryVault): string[] => [...vault.objects.keys()].filter((key) => key.startsWith('keys/') && key !== `keys/${gone.id}`).sort();
    expect(slots(b)).toEqual(slots(a));
    // A slot that was removed is not brought back to the vault that deleted it.
    expect(a.objects.has(`keys/${gone.id}`)).toBe(false);
  });

  it('brings the removal of a point to a vault that missed it, and the point to none', async () => {
    const [a, b] = [intact.copy('a'), intact.copy('b')];
    const [id = ''] = keysOf('points/').filter((key) => !key.endsWith('.removed')).map((key) => key.slice('points/prod/'.length));
    await remove([a], id);
    await a.delete(`points/prod/${id}`);
    const found = { vault: 'b', object: `points/prod/${id}.removed`, kind: 'missing', message: 'Another vault says that this point was removed', points: [] };
    expect((await verify({ vaults: [a, b], keys: scene.keys, depth: 'structure' })).findings).toEqual([found]);
    expect(outcomes(await healIn([a, b]))).toEqual([['b', found.object, 'healed', 'a']]);
    expect(b.objects.get(found.object)).toEqual(a.objects.get(found.object));
    expect(a.objects.has(`points/prod/${id}`)).toBe(false);
    expect((await verify({ vaults: [a, b], keys: scene.keys, depth: 'data' })).findings).toEqual([]);
  });

  it('locks what it puts as long as it is told, where the vault locks', async () => {
    const lost = [...keysOf('packs/').slice(0, 1), ...keysOf('points/')];
    const vaults = ['one', 'two', 'three'].map((name) => harmed(name, Object.fromEntries(lost.map((key) => [key, () => undefined]))));
    const [one, two, three] = vaults as [MemoryVault, MemoryVault, MemoryVault];
    for (const vault of [one, two]) vault.locks = true;
    const clock = testClock();
    const report = await healIn([...vaults, intact.copy('good')], { clock, locks: new Map([['one', 3_600_000], ['three', 3_600_000]]) });
    expect(new Set(report.repairs?.map(({ outcome }) => outcome))).toEqual(new Set(['healed']));
    const until = new Date(clock.now() + 3_600_000);
    expect(one.retained).toEqual(new Map(lost.map((key) => [key, until])));
    expect([two.retained.size, three.retained.size]).toEqual([0, 0]);
    for (const vault of vaults) for (const key of lost) expect(vault.objects.get(key)).toEqual(bytesOf(key));
  });

  it('stops when it is told to, and never between taking away and putting', async () => {
    const [pack = ''] = keysOf('packs/');
    const bad = harmed('bad', { [pack]: (bytes) => flipBit(bytes, 5) });
    const stop = new AbortController();
    bad.interfere = (operation) => void (operation === 'delete' && stop.abort(new Error('enough')));
    await expect(healIn([bad, intact.copy('good')], { signal: stop.signal })).rejects.toThrow('enough');
    isLike(bad);
  });

  it('says what it is doing', async () => {
    const [pack = ''] = keysOf('packs/');
    const seen: { done: number; total?: number; bytes?: number }[] = [];
    await healIn([harmed('bad', { [pack]: () => undefined }), intact.copy('good')], { onProgress: (progress) => void (progress.phase === 'heal' && seen.push(progress)) });
    expect(seen.at(-1)).toMatchObject({ done: 1, total: 1, bytes: bytesOf(pack).length, unit: 'objects' });
  });
});

describe('a forged object', () => {
  it('is replaced by the genuine one', async () => {
    const liar = await makeScene('liar');
    await backUp(liar, { all: ['x'] });
    const [point = ''] = keysOf('points/');
    const forged = [...(liar.vaults[0] as MemoryVault).objects].find(([key]) => key.startsWith('points/'))?.[1] as Uint8Array;
    const tombstone = keysOf('keys/').find((key) => key.endsWith('.removed')) ?? '';
    const bad = harmed('bad', { [point]: () => forged, [tombstone]: () => Buffer.from('{}') });
    const report = await healIn([bad, intact.copy('good')]);
    expect(report.repairs?.map(({ outcome }: Repair) => outcome)).toEqual(['healed', 'healed']);
    isLike(bad);
  });
});
