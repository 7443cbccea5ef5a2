/** A repository for the demo: fresh keys, the vaults given, opened for writing. */
import { generateIdentity, generateRepositoryKeys, sealSlot, writeKeyOf } from '../src/keys/index.ts';
import type { RepositoryWriter } from '../src/repository/api.ts';
import { createRepository, openWriter } from '../src/repository/index.ts';
import type { VaultConfig } from '../src/vault/config.ts';
import { openVault } from '../src/vault/open.ts';
import type { Vault } from '../src/vault/vault.ts';

export interface DemoRepository {
  readonly writer: RepositoryWriter;
  readonly vaults: readonly Vault[];
  /** The age identity that opens it: the one thing a restore needs beside a vault. */
  readonly identity: string;
  close(): Promise<void>;
}

export async function openRepository(configs: readonly VaultConfig[]): Promise<DemoRepository> {
  const vaults = await Promise.all(configs.map((config) => openVault(config, { create: true })));
  const keys = await generateRepositoryKeys();
  const { identity, recipient } = await generateIdentity('x25519');
  await createRepository({ vaults, keys, slots: [await sealSlot(keys, { kind: 'age', recipient })] });
  const writer = await openWriter({ vaults, writeKey: writeKeyOf(keys) });
  return {
    writer,
    vaults,
    identity,
    close: async () => {
      await writer.close();
      await Promise.all(vaults.map((vault) => vault.close()));
    },
  };
}
