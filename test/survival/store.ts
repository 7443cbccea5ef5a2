import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatWriteKey, generateIdentity, generateRepositoryKeys, sealSlot, writeKeyOf } from '../../src/keys/index.ts';
import type { RepositoryKeys } from '../../src/keys/index.ts';
import { pointSource } from '../../src/pipeline/sources.ts';
import { createRepository, openReader, openWriter } from '../../src/repository/index.ts';
import type { RepositoryReader, RepositoryWriter } from '../../src/repository/api.ts';
import type { StateSource } from '../../src/site/types.ts';
import type { VaultSettings } from '../../src/vault/config.ts';
import { openVault } from '../../src/vault/open.ts';
import type { OpenVaultOptions } from '../../src/vault/open.ts';
import type { Vault } from '../../src/vault/vault.ts';
import type { S3Server } from '../testbed/s3/server.ts';

/** Vaults by their names, as lifeboat.yaml has them. */
export type VaultTable = Readonly<Record<string, VaultSettings>>;

/** A repository of a test. */
export interface Store extends AsyncDisposable {
  readonly settings: VaultTable;
  readonly vaults: readonly Vault[];
  readonly keys: RepositoryKeys;
  /** An age identity that opens it. */
  readonly identity: string;
  /** The write key, for another process. */
  readonly keyFile: string;
  readonly writer: RepositoryWriter;
  /** Reads from all vaults. */
  readonly reader: RepositoryReader;
  /** For each vault, what reads from it alone. */
  readonly readers: readonly RepositoryReader[];
}

/** A new repository in vaults that are made for it. `folder`: where its write key is put. `retry`: as for `openVault`. */
export async function makeStore(folder: string, settings: VaultTable, { retry }: Pick<OpenVaultOptions, 'retry'> = {}): Promise<Store> {
  const vaults = await Promise.all(Object.entries(settings).map(([name, vault]) => openVault({ ...vault, name }, { create: true, ...(retry !== undefined && { retry }) })));
  const keys = await generateRepositoryKeys();
  const { identity, recipient } = await generateIdentity('x25519');
  await createRepository({ vaults, keys, slots: [await sealSlot(keys, { kind: 'age', recipient })] });
  const keyFile = join(folder, `${keys.repositoryId}.key`);
  await writeFile(keyFile, formatWriteKey(writeKeyOf(keys)), { mode: 0o600 });
  return {
    settings,
    vaults,
    keys,
    identity,
    keyFile,
    writer: await openWriter({ vaults, writeKey: writeKeyOf(keys) }),
    reader: await openReader({ vaults, keys }),
    readers: await Promise.all(vaults.map((vault) => openReader({ vaults: [vault], keys }))),
    async [Symbol.asyncDispose]() {
      await Promise.all(vaults.map((vault) => vault.close()));
    },
  };
}

/** The state in a point, read afresh: nothing is remembered from earlier readings. */
export async function stateIn(vaults: readonly Vault[], keys: RepositoryKeys, id: string): Promise<StateSource> {
  const reader = await openReader({ vaults, keys });
  return pointSource(await reader.open(id));
}

/** A vault in a new bucket. Its credentials are left in the environment, where other processes find them too. */
export async function s3Settings(server: S3Server, label: string): Promise<VaultSettings> {
  process.env['SURVIVAL_ACCESS_KEY_ID'] = server.credentials.accessKeyId;
  process.env['SURVIVAL_SECRET_ACCESS_KEY'] = server.credentials.secretAccessKey;
  return {
    type: 's3',
    bucket: await server.createBucket({ label }),
    endpoint: server.endpoint,
    credentials: { accessKeyIdEnv: 'SURVIVAL_ACCESS_KEY_ID', secretAccessKeyEnv: 'SURVIVAL_SECRET_ACCESS_KEY' },
  };
}
