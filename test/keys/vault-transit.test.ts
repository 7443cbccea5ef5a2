import { describe, expect, it } from 'vitest';
import { generateRepositoryKeys, openKms, openSlot, requireKmsKey, sealSlot, Secret } from '../../src/keys/index.ts';
import type { KmsProvider } from '../../src/keys/index.ts';
import { startFaultProxy } from '../testbed/fault-proxy.ts';
import { startOpenBao } from '../testbed/kms/openbao.ts';
import type { OpenBao } from '../testbed/kms/openbao.ts';
import { describeServiceSlots } from './slot-contract.ts';

const open = (address: string, key: string, token: string): KmsProvider =>
  openKms(requireKmsKey('vault-transit', `${address}/transit/${key}`), { token: () => Promise.resolve(new Secret(Buffer.from(token))) });

/** What adds, rotates and opens slots; what only opens; what only locks. */
const POLICIES = {
  all: (key: string) => ['keys:read', 'encrypt:update', 'decrypt:update'].map((right) => rule(key, right)).join('\n'),
  open: (key: string) => rule(key, 'decrypt:update'),
  lock: (key: string) => rule(key, 'encrypt:update'),
};

function rule(key: string, right: string): string {
  const [operation, capability] = right.split(':');
  return `path "transit/${operation}/${key}" { capabilities = ["${capability}"] }`;
}

describeServiceSlots('vault-transit', 'OpenBao', async () => {
  const bao = await startOpenBao();
  const proxy = await startFaultProxy({ upstream: bao.address });
  return {
    bench: async () => {
      const [key, other] = [await bao.createKey(), await bao.createKey()];
      const token = await bao.tokenFor(POLICIES.all(key));
      const provider = open(proxy.url, key, token);
      return {
        lock: { kind: 'kms', provider },
        opener: { kms: [provider] },
        stranger: { kms: [open(proxy.url, other, bao.rootToken)] },
        service: {
          provider,
          proxy,
          secrets: [token],
          rotate: () => bao.write(`transit/keys/${key}/rotate`),
          refuse: () => bao.write('auth/token/revoke', { token }),
          disable: () => bao.remove(`transit/keys/${key}/soft-delete`),
          remove: async () => {
            await bao.write(`transit/keys/${key}/config`, { deletion_allowed: true });
            await bao.remove(`transit/keys/${key}`);
          },
        },
      };
    },
    stop: async () => {
      await proxy.close();
      await bao.stop();
    },
  };
});

describe('a key of OpenBao', () => {
  const withBao = async (work: (bao: OpenBao) => Promise<void>): Promise<void> => {
    await using bao = await startOpenBao();
    await work(bao);
  };

  it('needs a token that may do what is to be done, and no more', () =>
    withBao(async (bao) => {
      const keys = await generateRepositoryKeys();
      const key = await bao.createKey();
      const [locker, opener] = [await bao.tokenFor(POLICIES.lock(key)), await bao.tokenFor(POLICIES.open(key))].map((token) => open(bao.address, key, token));
      if (locker === undefined || opener === undefined) throw new Error('no provider');
      const warnings: string[] = [];
      const slot = await sealSlot(keys, { kind: 'kms', provider: locker }, 'owner', { onWarning: ({ kind }) => warnings.push(kind) });
      expect(warnings).toEqual(['slot-untried']);
      expect(await openSlot(slot, { kms: [opener] })).toBeDefined();
      await expect(openSlot(slot, { kms: [locker] })).rejects.toMatchObject({ code: 'LB_KEY_ACCESS' });
      await expect(sealSlot(keys, { kind: 'kms', provider: opener })).rejects.toMatchObject({ code: 'LB_KEY_ACCESS' });
      const without = openKms(requireKmsKey('vault-transit', `${bao.address}/transit/${key}`));
      await expect(openSlot(slot, { kms: [without] })).rejects.toMatchObject({ code: 'LB_KEY_ACCESS', hint: expect.stringContaining('VAULT_TOKEN') as string });
    }));

  it('is not made by a typing mistake, and must bind what it locks', () =>
    withBao(async (bao) => {
      const keys = await generateRepositoryKeys();
      const seal = (key: string): Promise<Uint8Array> => sealSlot(keys, { kind: 'kms', provider: open(bao.address, key, bao.rootToken) });
      await expect(seal('no-such-key')).rejects.toMatchObject({ code: 'LB_KEY_GONE' });
      await expect(seal('no-such-key')).rejects.toMatchObject({ code: 'LB_KEY_GONE' });
      for (const options of [{ type: 'rsa-2048' }, { derived: true }]) {
        await expect(seal(await bao.createKey(options))).rejects.toMatchObject({ code: 'LB_KEY_INVALID' });
      }
    }));

  it('of which an old version was retired, or that is sealed, is one clear error', () =>
    withBao(async (bao) => {
      const keys = await generateRepositoryKeys();
      const key = await bao.createKey();
      const provider = open(bao.address, key, bao.rootToken);
      const slot = await sealSlot(keys, { kind: 'kms', provider });
      await bao.write(`transit/keys/${key}/rotate`);
      await bao.write(`transit/keys/${key}/config`, { min_decryption_version: 2 });
      await expect(openSlot(slot, { kms: [provider] })).rejects.toMatchObject({ code: 'LB_KEY_DISABLED' });
      const newer = await sealSlot(keys, { kind: 'kms', provider });
      expect(await openSlot(newer, { kms: [provider] })).toBeDefined();
      await bao.write('sys/seal');
      await expect(openSlot(newer, { kms: [provider] })).rejects.toMatchObject({ code: 'LB_KEY_UNAVAILABLE', message: expect.stringContaining('sealed') as string });
    }));
});
