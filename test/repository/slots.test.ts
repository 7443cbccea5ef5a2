import { describe, expect, it } from 'vitest';
import type { Warning } from '../../src/core/progress.ts';
import { generateIdentity, sealSlot } from '../../src/keys/index.ts';
import { addSlot, listSlots, removeSlot, unlock, verify } from '../../src/repository/index.ts';
import { MemoryVault } from '../support/memory-vault.ts';
import { backUp, makeScene, PASSPHRASE, WORK_FACTOR } from './scene.ts';

const wrong = { code: 'LB_KEY_WRONG' };

describe('unlocking', () => {
  it('takes the passphrase, or an identity, that opens a slot of any vault', async () => {
    const scene = await makeScene('a', 'b');
    const [a, b] = scene.vaults as [MemoryVault, MemoryVault];
    const alice = await generateIdentity('x25519');
    const bob = await generateIdentity('post-quantum');
    await addSlot([a], scene.keys, { kind: 'age', recipient: alice.recipient });
    await addSlot([b], scene.keys, { kind: 'age', recipient: bob.recipient });
    for (const secrets of [
      { passphrases: [PASSPHRASE] },
      { identities: [alice.identity] },
      { identities: [bob.identity], passphrases: ['wrong'] },
    ]) {
      const { keys } = await unlock(scene.vaults, secrets);
      expect(Buffer.compare(keys.sealingKey.expose(), scene.keys.sealingKey.expose())).toBe(0);
    }
    expect((await listSlots(scene.vaults)).map((slot) => `${slot.kind} ${slot.vaults.join()}`).sort()).toEqual([
      'passphrase a,b',
      'post-quantum b',
      'x25519 a',
    ]);
  });

  it('says what is missing, wrong or malformed', async () => {
    const scene = await makeScene();
    const stranger = await generateIdentity('x25519');
    await expect(unlock(scene.vaults, {})).rejects.toMatchObject({ code: 'LB_KEY_MISSING' });
    await expect(unlock(scene.vaults, { passphrases: ['wrong'] })).rejects.toMatchObject(wrong);
    await expect(unlock(scene.vaults, { identities: [stranger.identity] })).rejects.toMatchObject(wrong);
    await expect(unlock(scene.vaults, { identities: ['AGE-SECRET-KEY-1X'] })).rejects.toMatchObject({
      code: 'LB_KEY_INVALID',
    });
    await expect(unlock([new MemoryVault('empty')], { passphrases: [PASSPHRASE] })).rejects.toMatchObject({
      code: 'LB_REPO_MISSING',
    });
  });

  it('uses the other vault when a slot is damaged in one', async () => {
    const scene = await makeScene('a', 'b');
    const [a] = scene.vaults as [MemoryVault];
    for (const [key, bytes] of a.objects) if (key.startsWith('keys/')) a.objects.set(key, bytes.subarray(3));
    const warnings: Warning[] = [];
    await unlock(scene.vaults, { passphrases: [PASSPHRASE] }, { onWarning: (warning) => warnings.push(warning) });
    expect(warnings).toMatchObject([{ kind: 'slot-unreadable' }]);
    await expect(unlock([a], { passphrases: [PASSPHRASE] })).rejects.toMatchObject(wrong);
  });

  it('does not take the keys of another repository whose slot someone put there', async () => {
    const [scene, other] = await Promise.all([makeScene(), makeScene()]);
    const [vault] = scene.vaults as [MemoryVault];
    const planted = await sealSlot(other.keys, { kind: 'passphrase', passphrase: 'planted', workFactor: WORK_FACTOR });
    await addSlot(other.vaults, other.keys, { kind: 'passphrase', passphrase: 'x', workFactor: WORK_FACTOR });
    vault.objects.set(
      `keys/${Buffer.from(await crypto.subtle.digest('SHA-256', Uint8Array.from(planted))).toString('hex')}`,
      planted,
    );
    await expect(unlock(scene.vaults, { passphrases: ['planted'] })).rejects.toMatchObject(wrong);
    const { keys } = await unlock(scene.vaults, { passphrases: ['planted', PASSPHRASE] });
    expect(keys.repositoryId).toBe(scene.keys.repositoryId);
  });
});

describe('removing a slot', () => {
  it('takes it out of use in every vault, and verify knows', async () => {
    const scene = await makeScene('a', 'b');
    const old = (await unlock(scene.vaults, { passphrases: [PASSPHRASE] })).slot;
    const added = await addSlot(scene.vaults, scene.keys, {
      kind: 'passphrase',
      passphrase: 'new',
      workFactor: WORK_FACTOR,
    });
    await backUp(scene, { all: ['x'] });
    expect(await removeSlot(scene.vaults, scene.keys, old.slice(0, 10))).toEqual({
      id: old,
      vaults: ['a', 'b'],
      failed: [],
    });
    expect((await listSlots(scene.vaults, scene.keys)).map((slot) => slot.id)).toEqual([added.id]);
    await expect(unlock(scene.vaults, { passphrases: [PASSPHRASE] })).rejects.toMatchObject(wrong);
    await expect(unlock(scene.vaults, { passphrases: ['new'] })).resolves.toMatchObject({ slot: added.id });
    await backUp(scene, { all: ['y'] });
    expect(await verify({ vaults: scene.vaults, keys: scene.keys, depth: 'data' })).toMatchObject({ findings: [] });
  });

  it('counts also where the vault does not let it be deleted', async () => {
    const scene = await makeScene();
    const [vault] = scene.vaults as [MemoryVault];
    const old = (await unlock(scene.vaults, { passphrases: [PASSPHRASE] })).slot;
    await addSlot(scene.vaults, scene.keys, { kind: 'passphrase', passphrase: 'new', workFactor: WORK_FACTOR });
    vault.interfere = (operation) => {
      if (operation === 'delete') throw new Error('locked');
    };
    const warnings: Warning[] = [];
    await removeSlot(scene.vaults, scene.keys, old, { onWarning: (warning) => warnings.push(warning) });
    expect(warnings).toMatchObject([{ kind: 'slot-kept' }]);
    expect(vault.objects.has(`keys/${old}`)).toBe(true);
    await expect(unlock(scene.vaults, { passphrases: [PASSPHRASE] })).rejects.toMatchObject(wrong);
    expect((await listSlots(scene.vaults, scene.keys)).map((slot) => slot.id)).not.toContain(old);
  });

  it('leaves the slot in the list of a vault that was away, and says of what is left over that it may be removed', async () => {
    const scene = await makeScene('a', 'b');
    const [a, b] = scene.vaults as [MemoryVault, MemoryVault];
    const old = (await unlock(scene.vaults, { passphrases: [PASSPHRASE] })).slot;
    await addSlot(scene.vaults, scene.keys, { kind: 'passphrase', passphrase: 'new', workFactor: WORK_FACTOR });
    const bytes = a.objects.get(`keys/${old}`);
    await removeSlot([a], scene.keys, old);
    if (bytes !== undefined) a.objects.set(`keys/${old}`, bytes);
    const listed = await listSlots([a, b], scene.keys);
    expect(listed.find(({ id }) => id === old)).toMatchObject({ vaults: ['b'] });
    expect((await listSlots([a], scene.keys)).map(({ id }) => id)).not.toContain(old);
    const warnings: Warning[] = [];
    await listSlots([a, b], undefined, { onWarning: (warning) => warnings.push(warning) });
    expect(warnings).toMatchObject([{ kind: 'slot-said-removed', where: `keys/${old}` }]);
  });

  it('is refused for the last one, for none and for several', async () => {
    const scene = await makeScene();
    const { slot } = await unlock(scene.vaults, { passphrases: [PASSPHRASE] });
    const refused = { code: 'LB_USAGE' };
    await expect(removeSlot(scene.vaults, scene.keys, slot)).rejects.toMatchObject(refused);
    await expect(removeSlot(scene.vaults, scene.keys, 'nonsense')).rejects.toMatchObject(refused);
    await expect(removeSlot(scene.vaults, scene.keys, '')).rejects.toMatchObject(refused);
  });

  it('is not believed when its tombstone is forged', async () => {
    const scene = await makeScene();
    const [vault] = scene.vaults as [MemoryVault];
    const { slot } = await unlock(scene.vaults, { passphrases: [PASSPHRASE] });
    const document = {
      format: 'lifeboat-slot-removed',
      version: 1,
      repository: scene.keys.repositoryId,
      slot,
      removedAt: '2026-01-01T00:00:00.000Z',
    };
    vault.objects.set(
      `keys/${slot}.removed`,
      Buffer.from(`${JSON.stringify(document)}\n{"signature":"${'0'.repeat(128)}"}\n`),
    );
    await expect(unlock(scene.vaults, { passphrases: [PASSPHRASE] })).resolves.toMatchObject({ slot });
    const report = await verify({ vaults: scene.vaults, depth: 'structure' });
    expect(report.findings).toMatchObject([{ object: `keys/${slot}.removed`, kind: 'forged' }]);
  });
});
