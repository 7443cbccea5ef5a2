import { beforeEach, describe, expect, it } from 'vitest';
import {
  formatMaintainKey,
  formatReadKey,
  generateIdentity,
  generateRepositoryKeys,
  parseMaintainKey,
  parseReadKey,
  sealSlot,
  slotId,
  writeKeyOf,
} from '../../src/keys/index.ts';
import type { MaintainKey } from '../../src/keys/index.ts';
import { decodeHeader, encodeHeader } from '../../src/repository/header.ts';
import { addSlot, createRepository, listSlots, openReader, openWriter, removeSlot, unlock, unlockAs, verify } from '../../src/repository/index.ts';
import { encodeTombstone } from '../../src/repository/slot-objects.ts';
import { MemoryVault } from '../support/memory-vault.ts';
import { backUp, makeScene, PASSPHRASE, readBack, WORK_FACTOR } from './scene.ts';
import type { Scene } from './scene.ts';

const otherRole = { code: 'LB_KEY_ROLE' };

describe('the keys of roles', () => {
  let scene: Scene;
  let vault: MemoryVault;
  beforeEach(async () => {
    scene = await makeScene();
    [vault] = scene.vaults as [MemoryVault];
    await backUp(scene, { all: ['a record'] });
  });

  it('let a reader read and verify everything, and nothing else', async () => {
    const readKey = parseReadKey(formatReadKey(scene.keys));
    const roleKeys = [{ role: 'read', keys: readKey }] as const;
    const keys = await unlockAs('read', scene.vaults, { roleKeys });
    const reader = await openReader({ vaults: scene.vaults, keys });
    expect(Buffer.concat((await readBack(await reader.open('latest')))['all'] ?? []).toString()).toBe('a record');
    expect(await verify({ vaults: scene.vaults, keys, depth: 'data' })).toMatchObject({ findings: [], depth: 'data-opened' });
    await expect(unlockAs('maintain', scene.vaults, { roleKeys })).rejects.toMatchObject(otherRole);
    await expect(unlockAs('owner', scene.vaults, { roleKeys })).rejects.toMatchObject(otherRole);
    // The signing key is not in it, so a point it adds is one that everybody refuses.
    const writer = await openWriter({ vaults: scene.vaults, writeKey: { ...readKey, signingKey: readKey.reportKey } });
    const session = await writer.begin('prod');
    await expect(session.commit({ at: '2026-03-14T02:15:00.000Z', complete: true, manifest: {} })).rejects.toMatchObject({ code: 'LB_REPO_FORGED' });
  });

  it('let a maintainer remove slots without being able to open any', async () => {
    const maintainKey = parseMaintainKey(formatMaintainKey(scene.keys));
    const keys = await unlockAs('maintain', scene.vaults, { roleKeys: [{ role: 'maintain', keys: maintainKey }] });
    const added = await addSlot(scene.vaults, scene.keys, { kind: 'passphrase', passphrase: 'new', workFactor: WORK_FACTOR });
    await removeSlot(scene.vaults, keys, added.id);
    await expect(unlock(scene.vaults, { passphrases: ['new'] })).rejects.toMatchObject({ code: 'LB_KEY_WRONG' });
    await expect(unlock(scene.vaults, { passphrases: [PASSPHRASE] })).resolves.toBeDefined();
    await expect(unlockAs('read', scene.vaults, { roleKeys: [{ role: 'maintain', keys: maintainKey }] })).rejects.toMatchObject(otherRole);
  });

  it('of another repository are refused', async () => {
    const other = await generateRepositoryKeys();
    const roleKeys = [{ role: 'read', keys: other }] as const;
    await expect(unlockAs('read', scene.vaults, { roleKeys })).rejects.toMatchObject({ code: 'LB_KEY_WRONG' });
  });

  it('may each be in a slot of their own, which opens that role alone', async () => {
    const [reader, maintainer] = await Promise.all([generateIdentity('x25519'), generateIdentity('post-quantum')]);
    await addSlot(scene.vaults, scene.keys, { kind: 'age', recipient: reader.recipient }, { role: 'read' });
    await addSlot(scene.vaults, scene.keys, { kind: 'age', recipient: maintainer.recipient }, { role: 'maintain' });
    expect((await listSlots(scene.vaults)).map(({ kind, role }) => `${kind} ${role}`).sort()).toEqual(['passphrase owner', 'post-quantum maintain', 'x25519 read']);
    const read = await unlockAs('read', scene.vaults, { identities: [reader.identity] });
    expect(Object.keys(read)).not.toContain('signingKey');
    await expect(unlockAs('maintain', scene.vaults, { identities: [reader.identity] })).rejects.toMatchObject(otherRole);
    await expect(unlock(scene.vaults, { identities: [reader.identity] })).rejects.toMatchObject(otherRole);
    const maintain: MaintainKey = await unlockAs('maintain', scene.vaults, { identities: [maintainer.identity] });
    expect(Object.keys(maintain)).not.toContain('sealingKey');
    await expect(unlockAs('read', scene.vaults, { identities: [maintainer.identity] })).rejects.toMatchObject(otherRole);
    await expect(unlockAs('read', scene.vaults, { identities: [maintainer.identity, reader.identity] })).resolves.toBeDefined();
  });

  it('are never all that a vault is left with: some slot must open everything', async () => {
    const { slot } = await unlock(scene.vaults, { passphrases: [PASSPHRASE] });
    const { recipient } = await generateIdentity('x25519');
    await addSlot(scene.vaults, scene.keys, { kind: 'age', recipient }, { role: 'read' });
    await addSlot(scene.vaults, scene.keys, { kind: 'age', recipient }, { role: 'maintain' });
    await expect(removeSlot(scene.vaults, scene.keys, slot)).rejects.toMatchObject({ code: 'LB_USAGE' });
    const { id } = await addSlot(scene.vaults, scene.keys, { kind: 'age', recipient });
    vault.objects.set(`keys/${id}`, Buffer.from('damaged'));
    await expect(removeSlot(scene.vaults, scene.keys, slot)).rejects.toMatchObject({ code: 'LB_USAGE' });
    await addSlot(scene.vaults, scene.keys, { kind: 'age', recipient });
    await expect(removeSlot(scene.vaults, scene.keys, slot)).resolves.toMatchObject({ id: slot });
    const onlyRead = await sealSlot(scene.keys, { kind: 'age', recipient }, 'read');
    await expect(createRepository({ vaults: [new MemoryVault('b')], keys: scene.keys, slots: [onlyRead] })).rejects.toMatchObject({ code: 'LB_KEY_MISSING' });
  });
});

describe('who has the write key', () => {
  let scene: Scene;
  let vault: MemoryVault;
  let thief: MaintainKey;
  beforeEach(async () => {
    scene = await makeScene();
    [vault] = scene.vaults as [MemoryVault];
    const { signingKey, ...rest } = writeKeyOf(scene.keys);
    thief = { ...rest, maintainKey: signingKey };
  });

  it('cannot lock anybody out: a slot is removed by the maintain key alone', async () => {
    const { slot } = await unlock(scene.vaults, { passphrases: [PASSPHRASE] });
    const removedAt = '2026-03-14T02:15:00.000Z';
    vault.objects.set(`keys/${slot}.removed`, encodeTombstone({ slot, removedAt }, thief));
    await expect(unlock(scene.vaults, { passphrases: [PASSPHRASE] })).resolves.toMatchObject({ slot });
    expect(await listSlots(scene.vaults, scene.keys)).toHaveLength(1);
    const point = await backUp(scene, { all: ['x'] });
    expect(point.failed).toEqual([]);
    for (const keys of [undefined, scene.keys]) {
      const { findings } = await verify({ vaults: scene.vaults, ...(keys && { keys }), depth: 'structure' });
      expect(findings).toMatchObject([{ object: `keys/${slot}.removed`, kind: 'forged' }]);
    }
  });

  it('cannot make itself maintainer by a new lifeboat.json: who has a key compares', async () => {
    const header = decodeHeader(vault.objects.get('lifeboat.json') ?? new Uint8Array());
    const { maintainPublicKey } = await generateRepositoryKeys();
    for (const forged of [
      { ...header, maintainPublicKey },
      { ...header, reportPublicKey: header.signingPublicKey, maintainPublicKey: header.signingPublicKey },
    ]) {
      vault.objects.set('lifeboat.json', encodeHeader(forged, thief.maintainKey));
      const refused = { code: 'LB_REPO_FORGED' };
      await expect(unlock(scene.vaults, { passphrases: [PASSPHRASE] })).rejects.toMatchObject(refused);
      await expect(openWriter({ vaults: scene.vaults, writeKey: writeKeyOf(scene.keys) })).rejects.toMatchObject(refused);
      expect((await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'structure' })).findings).toMatchObject([{ object: 'lifeboat.json', kind: 'forged' }]);
    }
  });

  it('cannot keep readers out with a slot that looks right and opens nothing', async () => {
    const mine = await generateIdentity('x25519');
    const { sealingKey } = await generateRepositoryKeys();
    for (let round = 0; round < 4; round++) {
      const bogus = await sealSlot({ ...scene.keys, sealingKey }, { kind: 'age', recipient: mine.recipient });
      vault.objects.set(`keys/${slotId(bogus)}`, bogus);
    }
    await expect(unlock(scene.vaults, { identities: [mine.identity] })).rejects.toMatchObject({ code: 'LB_KEY_INVALID' });
    const { id } = await addSlot(scene.vaults, scene.keys, { kind: 'age', recipient: mine.recipient });
    await expect(unlock(scene.vaults, { identities: [mine.identity] })).resolves.toMatchObject({ slot: id });
  });
});

describe('a repository made before the roles had keys of their own', () => {
  it('goes on as before: its one signing key removes slots', async () => {
    const { signingKey, signingPublicKey, ...rest } = await generateRepositoryKeys();
    const signing = { signingKey, signingPublicKey };
    const keys = { ...rest, ...signing, reportKey: signingKey, reportPublicKey: signingPublicKey, maintainKey: signingKey, maintainPublicKey: signingPublicKey };
    const vault = new MemoryVault('a');
    const slots = await Promise.all(['old', 'new'].map((passphrase) => sealSlot(keys, { kind: 'passphrase', passphrase, workFactor: WORK_FACTOR })));
    await createRepository({ vaults: [vault], keys, slots });
    expect(Object.keys(JSON.parse(Buffer.from(vault.objects.get('lifeboat.json') ?? []).toString().split('\n')[0] ?? '') as object)).not.toContain('maintainPublicKey');
    const { slot, keys: opened } = await unlock([vault], { passphrases: ['old'] });
    await removeSlot([vault], opened, slot);
    await expect(unlock([vault], { passphrases: ['old'] })).rejects.toMatchObject({ code: 'LB_KEY_WRONG' });
    await expect(unlock([vault], { passphrases: ['new'] })).resolves.toBeDefined();
    expect(await verify({ vaults: [vault], keys: opened, depth: 'data' })).toMatchObject({ findings: [] });
  });
});
