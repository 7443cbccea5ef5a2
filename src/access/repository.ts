import type { KeysByRole, ReadKey, SlotRole } from '../keys/index.ts';
import type { OpenPoint, RepositoryReader } from '../repository/api.ts';
import type { Openers, SlotListing } from '../repository/index.ts';
import type { StateSource } from '../site/types.ts';
import type { VaultConfig } from '../vault/config.ts';
import type { Vault } from '../vault/vault.ts';
import { answering } from './answering.ts';
import type { ReadKeyOptions, VaultOptions } from './options.ts';
import type { Surroundings } from './surroundings.ts';
import { loadOpeners } from './key-files.ts';
import type { Opener } from './key-files.ts';
import { chosenVaults, closeVaults, openVaults } from './vaults.ts';

/** What a command that reads points takes. */
export interface ReadOptions extends VaultOptions, ReadKeyOptions {
  /** With `latest`: of this site. */
  readonly site?: string;
}

/** What a point was opened with. */
export interface OpenedRepository {
  readonly vaults: readonly Vault[];
  readonly keys: ReadKey;
}

/** Opens the chosen vaults, and closes them when `body` is done. */
export async function withVaults<T>(
  surroundings: Surroundings,
  options: VaultOptions,
  body: (vaults: readonly Vault[], configs: readonly VaultConfig[]) => Promise<T>,
): Promise<T> {
  const configs = await chosenVaults(surroundings, options);
  const vaults = await openVaults(surroundings, configs);
  try {
    return await body(vaults, configs);
  } finally {
    await closeVaults(vaults);
  }
}

/** Opens the repository for a listing, which needs no key. */
export async function withReader<T>(
  surroundings: Surroundings,
  options: VaultOptions,
  body: (reader: RepositoryReader, vaults: readonly Vault[]) => Promise<T>,
): Promise<T> {
  return withVaults(surroundings, options, async (all) => {
    const { openReader } = await import('../repository/index.ts');
    const vaults = await answering(surroundings, all);
    const reader = await openReader({ vaults, onWarning: surroundings.warn, signal: surroundings.signal });
    try {
      return await body(reader, vaults);
    } finally {
      await reader.close();
    }
  });
}

/**
 * Opens the repository with a key, and hands over a way to open its points. Nothing is opened when no point is `needed`,
 * as for a comparison of two live sites.
 */
export async function withPoints<T>(
  surroundings: Surroundings,
  options: ReadOptions,
  needed: boolean,
  body: (open: (id: string) => Promise<{ readonly source: StateSource; readonly point: OpenPoint; readonly opened: OpenedRepository }>) => Promise<T>,
): Promise<T> {
  if (!needed) return body(() => Promise.reject(new Error('No point was to be opened')));
  return withVaults(surroundings, options, async (all) => {
    const vaults = await answering(surroundings, all);
    const { onWarning, signal } = { onWarning: surroundings.warn, signal: surroundings.signal };
    const keys = await unlockVaults(surroundings, vaults, options, 'read');
    const [{ openReader }, { pointSource }] = await Promise.all([import('../repository/index.ts'), import('../pipeline/sources.ts')]);
    const reader = await openReader({ vaults, keys, onWarning, signal });
    try {
      return await body(async (id) => {
        const point = await reader.open(id, { onWarning, signal, ...(options.site !== undefined && { site: options.site }) });
        if (id === 'latest' && !point.header.complete) {
          onWarning({ kind: 'latest-incomplete', message: `The latest point, ${point.header.id}, is not complete: \`lifeboat show ${point.header.id}\` says what it lacks, \`lifeboat points\` shows complete ones` });
        }
        return { point, source: pointSource(point, { onWarning }), opened: { vaults, keys } };
      });
    } finally {
      await reader.close();
    }
  });
}

/** Opens one point. */
export async function withPoint<T>(
  surroundings: Surroundings,
  id: string,
  options: ReadOptions,
  body: (source: StateSource, point: OpenPoint, opened: OpenedRepository) => Promise<T>,
): Promise<T> {
  return withPoints(surroundings, options, true, async (open) => {
    const { source, point, opened } = await open(id);
    return body(source, point, opened);
  });
}

/**
 * Keys of a role for the repository in these vaults, from what the user gave, configured, or is asked for. What opens
 * everything will do for every role.
 * Throws `LB_KEY_MISSING`, `LB_KEY_WRONG`, `LB_KEY_ROLE`, `LB_KEY_INVALID`, `LB_REPO_MISSING`.
 */
export async function unlockVaults<R extends SlotRole>(
  surroundings: Surroundings,
  vaults: readonly Vault[],
  options: ReadKeyOptions,
  role: R,
): Promise<KeysByRole[R]> {
  const slots = async (): Promise<readonly SlotListing[]> => {
    const { listSlots } = await import('../repository/index.ts');
    return listSlots(vaults, undefined, { signal: surroundings.signal });
  };
  return unlockWith(surroundings, vaults, await loadOpeners(surroundings, options, role, slots), role);
}

/** The same with openers that are loaded already. */
export async function unlockWith<R extends SlotRole>(
  surroundings: Surroundings,
  vaults: readonly Vault[],
  openers: readonly Opener[],
  role: R,
): Promise<KeysByRole[R]> {
  const { unlockAs } = await import('../repository/index.ts');
  return unlockAs(role, vaults, asOpeners(openers), { signal: surroundings.signal, onWarning: surroundings.warn });
}

/** Openers as the repository takes them. */
export function asOpeners(openers: readonly Opener[]): Openers {
  return {
    identities: openers.flatMap((opener) => (opener.kind === 'identity' ? opener.identities : [])),
    kms: openers.flatMap((opener) => (opener.kind === 'kms' ? [opener.provider] : [])),
    roleKeys: openers.flatMap((opener) => (opener.kind === 'role-key' ? [opener.key] : [])),
    passphrases: openers.flatMap((opener) => (opener.kind === 'passphrase' ? [opener.text] : [])),
  };
}
