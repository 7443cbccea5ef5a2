import { beforeAll, describe, expect, it } from 'vitest';
import { createOpener, createSealer, generateSealingKey } from '../../src/keys/sealing.ts';
import { formatWriteKey, Secret, writeKeyOf } from '../../src/keys/index.ts';
import type { WriteKey } from '../../src/keys/index.ts';
import { createChunkNamer } from '../../src/repository/chunk-id.ts';
import { unseal } from '../../src/repository/aead.ts';
import { decodeIndexObject } from '../../src/repository/index-object.ts';
import { openReader } from '../../src/repository/index.ts';
import { blockContext, decodePackHeader, packKeys } from '../../src/repository/pack-format.ts';
import { openManifest, decodePoint } from '../../src/repository/point.ts';
import { backUp, makeScene } from './scene.ts';
import type { Scene } from './scene.ts';

const SECRET = 'the-database-password-is-swordfish';

describe('the holder of a write key, with everything in the vault', () => {
  let scene: Scene;
  let writeKey: WriteKey;
  let pack: Uint8Array;
  beforeAll(async () => {
    scene = await makeScene();
    writeKey = writeKeyOf(scene.keys);
    await backUp(scene, { secrets: [SECRET, SECRET.repeat(100)] });
    pack = [...(scene.vaults[0]?.objects ?? [])].find(([key]) => key.startsWith('packs/'))?.[1] ?? new Uint8Array();
  });

  it('does not have the private sealing key, in any form', () => {
    expect(Object.keys(writeKey)).not.toContain('sealingKey');
    const text = formatWriteKey(writeKey);
    const bytes = Buffer.from(text.split('.')[1] ?? '', 'base64url');
    const secret = Buffer.from(scene.keys.sealingKey.expose());
    expect(bytes.includes(secret)).toBe(false);
    for (const stored of scene.vaults[0]?.objects.values() ?? [])
      expect(Buffer.from(stored).includes(secret)).toBe(false);
  });

  it('finds no plaintext in any object', () => {
    for (const [key, stored] of scene.vaults[0]?.objects ?? []) {
      expect([key, Buffer.from(stored).includes('swordfish')]).toEqual([key, false]);
    }
  });

  it('can open neither manifest nor pack with any key it has', async () => {
    const [vault] = scene.vaults;
    const [key, bytes] = [...(vault?.objects ?? [])].find(([name]) => name.startsWith('points/')) ?? [
      '',
      new Uint8Array(),
    ];
    const [, site = '', id = ''] = key.split('/');
    const place = { repositoryId: writeKey.repositoryId, site, id };
    const point = decodePoint(bytes, place, writeKey.signingPublicKey);
    const repositoryId = Buffer.from(writeKey.repositoryId, 'hex');
    const { sealedContentKey, commitment } = decodePackHeader(pack);
    for (const secret of [
      writeKey.dedupKey,
      writeKey.indexKey,
      writeKey.signingKey,
      new Secret(writeKey.sealingPublicKey.subarray(0, 32)),
    ]) {
      const opener = await createOpener(secret);
      await expect(openManifest(point.sealedManifest, place, opener)).rejects.toMatchObject({
        code: 'LB_REPO_DAMAGED',
      });
      await expect(opener.open(sealedContentKey, 'lifeboat/1/pack', repositoryId)).rejects.toMatchObject({
        code: 'LB_REPO_DAMAGED',
      });
      const { nonce, aad } = blockContext(0, repositoryId, commitment);
      expect(() => unseal(packKeys(secret.expose(), repositoryId).key, nonce, aad, pack.subarray(1208, 1300))).toThrow(
        /do not open/,
      );
    }
    const reader = await openReader({ vaults: scene.vaults });
    await expect(reader.open('latest')).rejects.toMatchObject({ code: 'LB_KEY_MISSING' });
  });

  it('can read which chunks there are, and test a guess: the price of not storing twice', async () => {
    const index =
      [...(scene.vaults[0]?.objects ?? [])].find(([key]) => key.startsWith('index/'))?.[1] ?? new Uint8Array();
    const [packIndex] = await decodeIndexObject(index, writeKey.indexKey, Buffer.from(writeKey.repositoryId, 'hex'));
    const framed = Buffer.concat([Buffer.from([SECRET.length, 0, 0, 0]), Buffer.from(SECRET)]);
    const id = createChunkNamer(writeKey.dedupKey).name(framed).subarray(0, 16);
    expect(Buffer.from(packIndex?.ids ?? []).includes(id)).toBe(true);
  });
});

describe('sealing', () => {
  it('opens with its key, purpose and context only', async () => {
    const [mine, other] = await Promise.all([generateSealingKey(), generateSealingKey()]);
    const sealer = await createSealer(mine.publicKey);
    const sealed = await sealer.seal(Buffer.from('x'), 'purpose', Buffer.from('context'));
    const opener = await createOpener(new Secret(mine.seed));
    const damaged = { code: 'LB_REPO_DAMAGED' };
    expect(Buffer.from(await opener.open(sealed, 'purpose', Buffer.from('context')))).toEqual(Buffer.from('x'));
    await expect(opener.open(sealed, 'other', Buffer.from('context'))).rejects.toMatchObject(damaged);
    await expect(opener.open(sealed, 'purpose', Buffer.from('other'))).rejects.toMatchObject(damaged);
    await expect(
      (await createOpener(new Secret(other.seed))).open(sealed, 'purpose', Buffer.from('context')),
    ).rejects.toMatchObject(damaged);
    await expect(opener.open(sealed.subarray(0, 100), 'purpose', Buffer.from('context'))).rejects.toMatchObject(
      damaged,
    );
  });

  it('refuses keys of the wrong length', async () => {
    await expect(createSealer(new Uint8Array(1215))).rejects.toMatchObject({ code: 'LB_KEY_INVALID' });
    await expect(createOpener(new Secret(new Uint8Array(31)))).rejects.toMatchObject({ code: 'LB_KEY_INVALID' });
  });
});
