import { rm } from 'node:fs/promises';
import { LifeboatError } from '../../core/errors.ts';
import { formatWriteKey, generateRepositoryKeys, sealSlot, writeKeyOf } from '../../keys/index.ts';
import type { SlotSecret } from '../../keys/index.ts';
import { createRepository, headerLost, holdsRemains } from '../../repository/index.ts';
import { HEADER_KEY } from '../../repository/layout.ts';
import type { VaultConfig } from '../../vault/config.ts';
import { openVault } from '../../vault/open.ts';
import type { Vault } from '../../vault/vault.ts';
import type { Context } from '../context.ts';
import { PLAIN_MODE, SECRET_MODE, writeNewFile } from '../new-file.ts';
import { closeVaults } from '../../access/vaults.ts';
import type { InitReport } from './report.ts';

/** A file that goes with a new repository. */
export interface NewFile {
  readonly path: string;
  readonly kind: InitReport['files'][number]['kind'];
  readonly text: string;
}

/** Opens every vault, making the folders of directory vaults; throws when one cannot be opened. */
export async function withAllVaults<T>(configs: readonly VaultConfig[], body: (vaults: readonly Vault[]) => Promise<T>): Promise<T> {
  const vaults: Vault[] = [];
  try {
    for (const config of configs) vaults.push(await openVault(config, { create: true }));
    return await body(vaults);
  } finally {
    await closeVaults(vaults);
  }
}

/** Which of the vaults hold a repository. */
export async function vaultsWithRepository(vaults: readonly Vault[], signal: AbortSignal): Promise<readonly Vault[]> {
  const heads = await Promise.all(vaults.map((vault) => vault.head(HEADER_KEY, { signal })));
  return vaults.filter((_, index) => heads[index] !== undefined);
}

/** Which of the vaults, none of which has a repository's header, hold the rest of one. */
export async function vaultsWithRemains(vaults: readonly Vault[], signal: AbortSignal): Promise<readonly Vault[]> {
  const found = await Promise.all(vaults.map((vault) => holdsRemains(vault, signal)));
  return vaults.filter((_, index) => found[index]);
}

/** Throws `LB_REPO_HEADER_LOST` when one of the vaults has lost its header: a new repository would hide what it holds. */
export async function refuseLostHeaders(vaults: readonly Vault[], signal: AbortSignal): Promise<void> {
  const [lost] = await vaultsWithRemains(vaults, signal);
  if (lost !== undefined) throw headerLost(lost);
}

/**
 * Makes a new repository in all vaults, none of which has one, and writes the files that go with it: those first, because
 * a repository whose keys were lost on the way would be of no use. When it fails before any vault has the repository,
 * the files are taken away again.
 */
export async function establishRepository(
  context: Context,
  vaults: readonly Vault[],
  secrets: readonly SlotSecret[],
  files: (writeKey: string) => readonly NewFile[],
): Promise<{ readonly repository: string; readonly files: readonly NewFile[] }> {
  const { signal, output } = context;
  if (secrets.length === 0) throw new LifeboatError('LB_KEY_MISSING', 'Nothing was said that shall open the repository');
  const keys = await generateRepositoryKeys();
  const slots = await Promise.all(secrets.map((secret) => sealSlot(keys, secret, 'owner', { signal, onWarning: output.warn })));
  const writeKey = formatWriteKey(writeKeyOf(keys));
  output.redactor.add(writeKey);
  const written = await writeFiles(files(writeKey));
  try {
    const { id } = await createRepository({ vaults, keys, slots, signal });
    return { repository: id, files: written };
  } catch (error) {
    const nowhere = await vaultsWithRepository(vaults, AbortSignal.timeout(10_000)).then(
      (found) => found.length === 0,
      () => false,
    );
    if (nowhere) await Promise.all(written.map(({ path }) => rm(path, { force: true })));
    else output.warn({ kind: 'partly-set-up', message: 'Some vaults were set up: keep the files, and run `lifeboat init` again to complete it' });
    throw error;
  }
}

/** Writes all of these files or, when one cannot be written, none. */
export async function writeFiles(files: readonly NewFile[]): Promise<readonly NewFile[]> {
  const written: NewFile[] = [];
  try {
    for (const file of files) {
      await writeNewFile(file.path, file.text, file.kind === 'config' ? PLAIN_MODE : SECRET_MODE);
      written.push(file);
    }
  } catch (error) {
    await Promise.all(written.map(({ path }) => rm(path, { force: true })));
    throw error;
  }
  return written;
}
