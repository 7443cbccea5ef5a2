import { Decrypter, Encrypter, Stanza } from 'age-encryption';
import { beforeAll, describe, expect, it } from 'vitest';
import { encryptAge } from '../../src/keys/age.ts';
import {
  aboutSlot,
  generateIdentity,
  generateRepositoryKeys,
  maintainKeyOf,
  openSlot,
  readKeyOf,
  sealSlot,
} from '../../src/keys/index.ts';
import type { RepositoryKeys, SlotRole } from '../../src/keys/index.ts';
import { encodeSlotContent } from '../../src/keys/slot-content.ts';
import { plainKeys } from './plain-keys.ts';

const PASSPHRASE = { kind: 'passphrase', passphrase: 'x', workFactor: 2 } as const;

describe('a key slot', () => {
  let keys: RepositoryKeys;
  let mine: { readonly identity: string; readonly recipient: string };
  beforeAll(async () => {
    [keys, mine] = await Promise.all([generateRepositoryKeys(), generateIdentity('x25519')]);
  });
  const seal = (role?: SlotRole): Promise<Uint8Array> => sealSlot(keys, { kind: 'age', recipient: mine.recipient }, role);
  const open = (slot: Uint8Array): ReturnType<typeof openSlot> => openSlot(slot, { identities: [mine.identity] });

  it('gives back every key', async () => {
    for (const [slot, secrets] of [
      [await sealSlot(keys, PASSPHRASE), { passphrases: ['x'] }],
      [await seal(), { identities: [mine.identity] }],
    ] as const) {
      const opened = await openSlot(slot, secrets);
      expect(opened?.role).toBe('owner');
      expect(plainKeys(opened?.keys)).toEqual(plainKeys(keys));
    }
  });

  it('may hold one role alone, says so in the clear, and then gives back its key alone', async () => {
    for (const [role, part] of [
      ['read', readKeyOf(keys)],
      ['maintain', maintainKeyOf(keys)],
    ] as const) {
      const slot = await seal(role);
      expect(aboutSlot(slot)).toEqual({ kind: 'x25519', role });
      const opened = await open(slot);
      expect(opened?.role).toBe(role);
      expect(plainKeys(opened?.keys)).toEqual(plainKeys(part));
    }
    expect(aboutSlot(await seal())).toEqual({ kind: 'x25519', role: 'owner' });
  });

  it('of one role is an ordinary age file too', async () => {
    const decrypter = new Decrypter();
    decrypter.addIdentity(mine.identity);
    expect(JSON.parse(await decrypter.decrypt(await seal('read'), 'text'))).toMatchObject({ version: 2, role: 'read' });
  });

  it('of one role is not made for a passphrase, which must be alone in an age file', async () => {
    await expect(sealSlot(keys, PASSPHRASE, 'read')).rejects.toMatchObject({ code: 'LB_USAGE' });
  });

  it('that says another role than it holds is refused', async () => {
    const encrypter = new Encrypter();
    encrypter.addRecipient(mine.recipient);
    encrypter.addRecipient({ wrapFileKey: () => [new Stanza(['lifeboat-role', 'maintain'], new Uint8Array())] });
    const slot = await encrypter.encrypt(encodeSlotContent(keys, 'read'));
    await expect(open(slot)).rejects.toMatchObject({ code: 'LB_KEY_INVALID' });
    expect(aboutSlot(Buffer.from('a diary'))).toEqual({ kind: 'unknown', role: 'unknown' });
  });

  it('whose private and public halves do not belong together is refused, so that nobody without them can make one', async () => {
    const other = await generateRepositoryKeys();
    for (const name of ['sealingKey', 'signingKey', 'reportKey', 'maintainKey'] as const) {
      const mixed = { ...keys, [name]: other[name] };
      const slot = await sealSlot(mixed, { kind: 'age', recipient: mine.recipient });
      await expect(open(slot)).rejects.toMatchObject({ code: 'LB_KEY_INVALID', message: expect.stringContaining('belong together') as string });
    }
  });

  it('that holds something else, or a newer kind of key, is refused', async () => {
    const opened = async (text: string): Promise<unknown> => openSlot(await encryptAge(Buffer.from(text), PASSPHRASE), { passphrases: ['x'] });
    for (const other of ['a diary', '{"format":"lifeboat-read-key","version":1}', '{"format":"lifeboat-read-key","version":2,"role":"captain"}']) {
      await expect(opened(other)).rejects.toMatchObject({ code: 'LB_KEY_INVALID' });
    }
    await expect(opened('{"format":"lifeboat-read-key","version":3}')).rejects.toMatchObject({ code: 'LB_REPO_NEWER_FORMAT' });
  });

  it('of a repository made before the roles were separate holds everything, as it did then', async () => {
    const { signingKey, signingPublicKey } = keys;
    const old = { ...keys, reportKey: signingKey, reportPublicKey: signingPublicKey, maintainKey: signingKey, maintainPublicKey: signingPublicKey };
    const slot = await sealSlot(old, { kind: 'age', recipient: mine.recipient });
    const decrypter = new Decrypter();
    decrypter.addIdentity(mine.identity);
    expect(Object.keys(JSON.parse(await decrypter.decrypt(slot, 'text')) as object).sort()).toEqual(
      ['dedupKey', 'format', 'indexKey', 'repository', 'sealingKey', 'sealingPublicKey', 'signingKey', 'version'],
    );
    expect(plainKeys((await open(slot))?.keys)).toEqual(plainKeys(old));
    await expect(sealSlot(old, { kind: 'age', recipient: mine.recipient }, 'read')).rejects.toMatchObject({ code: 'LB_KEY_ROLE' });
  });
});
