import { beforeEach, describe, expect, it } from 'vitest';
import { LifeboatError } from '../../src/core/errors.ts';
import type { ErrorCode } from '../../src/core/error-codes.ts';
import type { Warning } from '../../src/core/progress.ts';
import { generateIdentity, requireKmsKey, sealSlot, slotId } from '../../src/keys/index.ts';
import type { KmsProvider } from '../../src/keys/index.ts';
import { addSlot, listSlots, rotateSlots, unlock, unlockAs } from '../../src/repository/index.ts';
import type { MemoryVault } from '../support/memory-vault.ts';
import { makeScene, PASSPHRASE } from './scene.ts';
import type { Scene } from './scene.ts';

/** A key service that counts its calls, and fails on demand. The real ones are in test/keys. */
class CountedService implements KmsProvider {
  readonly key: KmsProvider['key'];
  readonly #kept: Uint8Array[] = [];
  version = '1';
  /** Roles that were asked to be opened. */
  readonly opened: string[] = [];
  failure: ErrorCode | undefined;

  constructor(name: string) {
    this.key = requireKmsKey('vault-transit', `https://bao.example.net/transit/${name}`);
  }

  wrap(plaintext: Uint8Array): ReturnType<KmsProvider['wrap']> {
    this.#kept.push(plaintext);
    return Promise.resolve({ version: this.version, bytes: Buffer.from([this.#kept.length - 1]) });
  }

  unwrap({ bytes }: { readonly bytes: Uint8Array }, { role }: { readonly role: string }): Promise<Uint8Array> {
    this.opened.push(role);
    if (this.failure !== undefined) return Promise.reject(new LifeboatError(this.failure, 'it failed'));
    return Promise.resolve(this.#kept[bytes[0] ?? 0] ?? new Uint8Array());
  }
}

describe('unlocking with a key service', () => {
  let scene: Scene;
  let vault: MemoryVault;
  let service: CountedService;
  const warnings: Warning[] = [];
  const told = { onWarning: (warning: Warning) => void warnings.push(warning) };
  beforeEach(async () => {
    scene = await makeScene();
    [vault] = scene.vaults as [MemoryVault];
    service = new CountedService('mine');
    warnings.length = 0;
  });
  const add = async (role?: 'read' | 'maintain'): Promise<string> => {
    const { id } = await addSlot(scene.vaults, scene.keys, { kind: 'kms', provider: service }, role === undefined ? {} : { role });
    service.opened.length = 0;
    return id;
  };
  const plant = (slot: Uint8Array): void => void vault.objects.set(`keys/${slotId(slot)}`, slot);

  it('asks for the slot of the very role first, because a key policy may permit just that', async () => {
    await add();
    await add('maintain');
    await add('read');
    await unlockAs('read', scene.vaults, { kms: [service] });
    expect(service.opened).toEqual(['read']);
    service.opened.length = 0;
    await unlock(scene.vaults, { kms: [service] });
    expect(service.opened).toEqual(['owner']);
  });

  it('is not done when an identity opens a slot, and stands in nobody’s way when it fails', async () => {
    await add();
    const mine = await generateIdentity('x25519');
    await addSlot(scene.vaults, scene.keys, { kind: 'age', recipient: mine.recipient });
    await unlock(scene.vaults, { identities: [mine.identity], kms: [service] });
    expect(service.opened).toEqual([]);
    service.failure = 'LB_KEY_UNAVAILABLE';
    await unlock(scene.vaults, { passphrases: [PASSPHRASE], kms: [service] }, told);
    expect(warnings).toMatchObject([{ kind: 'key-service', message: 'it failed' }]);
    await expect(unlock(scene.vaults, { kms: [service] })).rejects.toMatchObject({ code: 'LB_KEY_UNAVAILABLE' });
  });

  it('asks nothing about slots of another repository', async () => {
    const other = await makeScene();
    plant(await sealSlot(other.keys, { kind: 'kms', provider: service }));
    service.opened.length = 0;
    await expect(unlock(scene.vaults, { kms: [service] })).rejects.toMatchObject({ code: 'LB_KEY_WRONG' });
    expect(service.opened).toEqual([]);
  });

  it('asks once when it is down, and not for ever when somebody fills the vault with slots', async () => {
    for (let i = 0; i < 20; i++) plant(await sealSlot(scene.keys, { kind: 'kms', provider: service }));
    for (const [failure, calls] of [
      ['LB_KEY_UNAVAILABLE', 1],
      ['LB_KEY_GONE', 1],
      ['LB_KEY_WRONG', 16],
    ] as const) {
      service.failure = failure;
      service.opened.length = 0;
      await expect(unlock(scene.vaults, { kms: [service] })).rejects.toMatchObject({ code: failure });
      expect([failure, service.opened.length]).toEqual([failure, calls]);
    }
  });

  it('that is not named by the user is not done, whatever the slots in the vault say', async () => {
    await add();
    const other = new CountedService('other');
    await expect(unlock(scene.vaults, { kms: [other], passphrases: ['wrong'] })).rejects.toMatchObject({
      code: 'LB_KEY_WRONG',
      hint: expect.stringContaining('vault-transit:https://bao.example.net/transit/mine') as string,
    });
    expect([service.opened, other.opened]).toEqual([[], []]);
  });

  it('names in a hint only what can be a key: no text of a vault’s choice reaches the terminal', async () => {
    const slot = Buffer.from(await sealSlot(scene.keys, { kind: 'kms', provider: service })).toString('latin1');
    for (const name of ['https://bao.example.net/transit/\u001b[31mred', `https://bao.example.net/transit/${'x'.repeat(600)}`, 'http://bao.example.net/transit/clear']) {
      plant(Buffer.from(slot.replace(service.key.name, name), 'latin1'));
    }
    expect((await listSlots(scene.vaults)).map(({ kind, key }) => `${kind} ${key}`).sort()).toEqual(['passphrase undefined', 'unknown undefined', 'unknown undefined', 'unknown undefined']);
  });
});

describe('rotating slots of key services', () => {
  it('leaves alone what is under the newest version, what the user did not name, and what is no such slot', async () => {
    const scene = await makeScene();
    await expect(rotateSlots(scene.vaults, scene.keys, [])).rejects.toMatchObject({ code: 'LB_USAGE' });
    const [mine, other] = [new CountedService('mine'), new CountedService('other')];
    const { id } = await addSlot(scene.vaults, scene.keys, { kind: 'kms', provider: mine });
    const { id: foreign } = await addSlot(scene.vaults, scene.keys, { kind: 'kms', provider: other });
    const rotate = async (wanted?: string): Promise<Record<string, string | undefined>> => {
      const rotations = await rotateSlots(scene.vaults, scene.keys, [mine], wanted === undefined ? {} : { wanted });
      return Object.fromEntries(rotations.map(({ slot, kept }) => [slot, kept]));
    };
    expect(await rotate()).toEqual({ [id]: 'newest', [foreign]: 'not-named' });
    mine.version = '2';
    await expect(rotate('nonsense')).rejects.toMatchObject({ code: 'LB_USAGE' });
    expect(await rotate(id.slice(0, 12))).toEqual({ [id]: undefined });
    const slots = await listSlots(scene.vaults, scene.keys);
    expect(slots.map((slot) => slot.keyVersion ?? '-').sort()).toEqual(['-', '1', '2']);
  });

  it('keeps the old slot when the new one could not be stored in every vault', async () => {
    const scene = await makeScene('a', 'b');
    const [, b] = scene.vaults as [MemoryVault, MemoryVault];
    const service = new CountedService('mine');
    const { id } = await addSlot(scene.vaults, scene.keys, { kind: 'kms', provider: service });
    service.version = '2';
    b.interfere = (operation) => {
      if (operation === 'put') throw new LifeboatError('LB_VAULT_FULL', 'full');
    };
    const [rotation] = await rotateSlots(scene.vaults, scene.keys, [service]);
    expect(rotation).toMatchObject({ slot: id, kept: 'not-in-every-vault', successor: { vaults: ['a'], failed: [{ vault: 'b' }] } });
    b.interfere = undefined;
    await expect(unlock([b], { kms: [service] })).resolves.toMatchObject({ slot: id });
  });
});
