import { beforeEach, describe, expect, it } from 'vitest';
import { LifeboatError } from '../../src/core/errors.ts';
import type { Warning } from '../../src/core/progress.ts';
import { generateRepositoryKeys, writeKeyOf } from '../../src/keys/index.ts';
import { decodeHeader, encodeHeader } from '../../src/repository/header.ts';
import { listSlots, openReader, openWriter, removePoint, findLivePoints, sweep, unlock, verify } from '../../src/repository/index.ts';
import type { MemoryVault } from '../support/memory-vault.ts';
import { backUp, expectSame, makeScene, PASSPHRASE, restore, testClock } from './scene.ts';
import type { Scene } from './scene.ts';

const STREAMS = { all: ['one', 'two'] };

let scene: Scene;
let vault: MemoryVault;
let point: string;
let warnings: Warning[];
beforeEach(async () => {
  scene = await makeScene('locking');
  [vault] = scene.vaults as [MemoryVault];
  vault.locks = true;
  const { header } = await backUp(scene, STREAMS);
  point = `points/prod/${header.id}`;
  warnings = [];
});

const onWarning = (warning: Warning): number => warnings.push(warning);
const keysUnder = (prefix: string): string[] => [...vault.objects.keys()].filter((key) => key.startsWith(prefix));

/** What somebody may do to every object of a vault who may store and delete, but no versions. */
const HARM = {
  'put over': () => {
    for (const key of vault.objects.keys()) vault.shadow(key, Buffer.from('a shadow'));
  },
  hidden: () => {
    for (const key of vault.objects.keys()) vault.hide(key);
  },
} as const;

describe.each(['put over', 'hidden'] as const)('a vault that locks, in which everything was %s', (how) => {
  beforeEach(() => HARM[how]());

  it('is opened by a key slot, listed and restored as it was', async () => {
    const { keys } = await unlock(scene.vaults, { passphrases: [PASSPHRASE] }, { onWarning });
    expect(keys.repositoryId).toBe(scene.keys.repositoryId);
    expect(await listSlots(scene.vaults)).toMatchObject([{ kind: 'passphrase', role: 'owner' }]);
    const keyless = await openReader({ vaults: scene.vaults, onWarning });
    expect(await keyless.listPoints({ copies: true })).toMatchObject([{ copies: [{ vault: 'locking', state: 'complete' }] }]);
    expect(warnings).toEqual([]);
    expectSame(await restore(scene), STREAMS);
  });

  it('takes further backups', async () => {
    const { header } = await backUp(scene, { all: ['three'] }, { warnings, clock: testClock(Date.now() + 60_000) });
    expect(header.previous.map(({ id }) => `points/prod/${id}`)).toEqual([point]);
    expect(warnings).toEqual([]);
  });

  it('is verified to be whole, with a finding for each object that something lies over, and healed by taking that away', async () => {
    const objects = [...new Set([...(await Array.fromAsync(vault.list('', { original: true })))].map(({ key }) => key))];
    const report = await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' });
    expect(report.findings.map(({ object, kind, points }) => [object, kind, points])).toEqual(objects.map((object) => [object, 'shadowed', []]));
    expect(report.vaults).toMatchObject([{ points: 1, intactPoints: 1 }]);
    const dry = await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data', heal: 'dry-run' });
    expect(dry.repairs?.map(({ object, outcome }) => [object, outcome])).toEqual(objects.map((object) => [object, 'possible']));
    const healed = await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data', heal: 'heal' });
    expect(healed.repairs?.map(({ object, outcome }) => [object, outcome])).toEqual(objects.map((object) => [object, 'healed']));
    expect((await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' })).findings).toEqual([]);
    vault.locks = false;
    expectSame(await restore(scene), STREAMS);
  });

  it('is healed also where a store does not bring back what is older by itself: it is put back, locked as long as the plan says', async () => {
    vault.bringsBack = false;
    const heal = { vaults: scene.vaults, keys: scene.keys, depth: 'data', heal: 'heal', locks: new Map([['locking', 3_600_000]]) } as const;
    expect(new Set((await verify(heal)).repairs?.map(({ outcome }) => outcome))).toEqual(new Set(['healed']));
    expect((await verify(heal)).findings).toEqual([]);
    expect(originals.filter((key) => (vault.retained.get(key)?.getTime() ?? 0) < Date.now() + 3_500_000)).toEqual([]);
    vault.locks = false;
    expectSame(await restore(scene), STREAMS);
  });

  it('is said by `points` to have so many objects shadowed', async () => {
    const reader = await openReader({ vaults: scene.vaults });
    const [listed] = await reader.listPoints({ copies: true });
    expect(listed?.copies).toEqual([{ vault: 'locking', state: 'complete', shadowed: 1 + keysUnderOriginal('packs/').length }]);
    expect(listed?.disputed).toBeUndefined();
  });

  const keysUnderOriginal = (prefix: string): string[] => originals.filter((key) => key.startsWith(prefix));
  let originals: string[] = [];
  beforeEach(async () => {
    originals = (await Array.fromAsync(vault.list('', { original: true }))).map(({ key }) => key);
  });
});

describe('a vault that locks', () => {
  it('says of a point until when it is locked, and of one whose lock has ended nothing', async () => {
    const until = new Date(Date.now() + 3_600_000);
    await vault.retain(point, until);
    const reader = await openReader({ vaults: scene.vaults });
    expect((await reader.listPoints({ copies: true }))[0]?.copies).toEqual([{ vault: 'locking', state: 'complete', lockedUntil: until.toISOString() }]);
    vault.retained.set(point, new Date(Date.now() - 1000));
    expect((await reader.listPoints({ copies: true }))[0]?.copies).toEqual([{ vault: 'locking', state: 'complete' }]);
  });

  it('is not taken for another repository for a header that somebody put over its own, signed with the stolen write key or not', async () => {
    const other = await generateRepositoryKeys();
    const header = decodeHeader(vault.objects.get('lifeboat.json') ?? new Uint8Array());
    const forgeries = [
      encodeHeader({ ...header, repositoryId: other.repositoryId, signingPublicKey: other.signingPublicKey }, other.signingKey),
      // Whoever names another maintain key could forge removals for those who have no key to compare with.
      encodeHeader({ ...header, maintainPublicKey: other.maintainPublicKey }, writeKeyOf(scene.keys).signingKey),
    ];
    for (const forged of forgeries) {
      vault.shadow('lifeboat.json', forged);
      const keyless = await openReader({ vaults: scene.vaults });
      expect(keyless.id).toBe(scene.keys.repositoryId);
      await expect(unlock(scene.vaults, { passphrases: [PASSPHRASE] })).resolves.toBeDefined();
      await openWriter({ vaults: scene.vaults, writeKey: writeKeyOf(scene.keys) });
      expect((await verify({ vaults: scene.vaults, depth: 'structure' })).findings).toMatchObject([{ object: 'lifeboat.json', kind: 'shadowed' }]);
    }
  });

  it('is read by what was put over a first version that is no good: a header that was put back by hand', async () => {
    const good = vault.objects.get('lifeboat.json') ?? new Uint8Array();
    vault.objects.set('lifeboat.json', Buffer.from('rotten'));
    vault.shadow('lifeboat.json', good);
    await expect(openReader({ vaults: scene.vaults })).resolves.toMatchObject({ id: scene.keys.repositoryId });
    await expect(unlock(scene.vaults, { passphrases: [PASSPHRASE] })).resolves.toBeDefined();
  });

  it('keeps a removal in force that somebody hid', async () => {
    const [found] = await findLivePoints(scene.vaults, 'prod', scene.keys, {});
    if (found === undefined) throw new Error('there is no point');
    await removePoint(scene.vaults, scene.keys, found, 'a test');
    vault.hide(`${point}.removed`);
    const reader = await openReader({ vaults: scene.vaults });
    expect(await reader.listPoints()).toEqual([]);
    expect(await reader.listRemoved()).toMatchObject([{ id: found.id, vaults: ['locking'], holding: ['locking'] }]);
    // Removing it again finds the genuine tombstone beneath whatever lies over it.
    vault.shadow(`${point}.removed`, Buffer.from('a shadow'));
    expect(await removePoint(scene.vaults, scene.keys, found, 'again')).toMatchObject({ vaults: ['locking'], failed: [] });
  });

  it('is swept of nothing that a hidden point needs, and not at all by who may not list versions', async () => {
    const packs = keysUnder('packs/');
    vault.hide(point);
    expect(await sweep({ vaults: scene.vaults, key: scene.keys, grace: 0 })).toMatchObject({ marked: 0 });
    expect(keysUnder('packs/')).toEqual(packs);
    refuseVersions();
    await expect(sweep({ vaults: scene.vaults, key: scene.keys, grace: 0 })).rejects.toMatchObject({ code: 'LB_VAULT_ACCESS' });
  });

  it('is read as it is, with a warning, by who may not list versions', async () => {
    refuseVersions();
    const reader = await openReader({ vaults: scene.vaults, keys: scene.keys, onWarning });
    expect(await reader.listPoints()).toHaveLength(1);
    expect(await reader.listPoints({ copies: true })).toMatchObject([{ copies: [{ state: 'complete' }] }]);
    expect(warnings.map(({ kind, where }) => [kind, where])).toEqual([['versions-unknown', 'vault "locking"']]);
    const { header } = await backUp(scene, { all: ['three'] }, { warnings, clock: testClock(Date.now() + 60_000) });
    expect(header.previous.map(({ id }) => `points/prod/${id}`)).toEqual([point]);
    expect(warnings).toHaveLength(1);
  });

  /** From now on first versions are refused. */
  const refuseVersions = (): void => {
    const [get, head, list] = [vault.get.bind(vault), vault.head.bind(vault), vault.list.bind(vault)];
    const check = (original: boolean | undefined): void => {
      if (original === true) throw new LifeboatError('LB_VAULT_ACCESS', 'Versions may not be listed');
    };
    vault.get = async (key, options) => (check(options?.original), get(key, options));
    vault.head = async (key, options) => (check(options?.original), head(key, options));
    vault.list = async function* (prefix, options) {
      check(options?.original);
      yield* list(prefix, options);
    };
  };
});
