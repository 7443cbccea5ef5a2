/** A repository for the demo: fresh keys, the vaults given, opened for writing. */
import { generateIdentity, generateRepositoryKeys, openKms, parseKmsKey, sealSlot, writeKeyOf } from '../src/keys/index.ts';
import type { RepositoryWriter } from '../src/repository/api.ts';
import { createRepository, openWriter } from '../src/repository/index.ts';
import type { VaultConfig } from '../src/vault/config.ts';
import { openVault } from '../src/vault/open.ts';
import type { Vault } from '../src/vault/vault.ts';
import type { DemoPlaces } from './plan.ts';

export interface DemoRepository {
  readonly writer: RepositoryWriter;
  readonly vaults: readonly Vault[];
  /** The age identity that opens it: the one thing a restore needs beside a vault. */
  readonly identity: string;
  close(): Promise<void>;
}

/**
 * A vault that is down is given up after two seconds here instead of twenty: the story knows that it does not come back by
 * itself, and nobody watching should wait.
 */
const RETRY = { attempts: 4 };

/** Opens vaults as the demo does. Close them. */
export function openDemoVaults(configs: readonly VaultConfig[]): Promise<readonly Vault[]> {
  return Promise.all(configs.map((config) => openVault(config, { create: true, retry: RETRY })));
}

/** With `kms`, a key of a key service opens it too. */
export async function openRepository(configs: readonly VaultConfig[], kms?: DemoPlaces['kms']): Promise<DemoRepository> {
  const vaults = await openDemoVaults(configs);
  const keys = await generateRepositoryKeys();
  const { identity, recipient } = await generateIdentity('x25519');
  const slots = [await sealSlot(keys, { kind: 'age', recipient })];
  if (kms !== undefined) slots.push(await sealSlot(keys, { kind: 'kms', provider: openKms(parseKmsKey(kms.key), { endpoint: kms.endpoint }) }));
  await createRepository({ vaults, keys, slots });
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
