import { LifeboatError, messageOf } from '../core/errors.ts';
import type { VaultConfig } from '../vault/config.ts';
import type { Vault } from '../vault/vault.ts';
import type { VaultOptions } from './options.ts';
import { unknownName } from './surroundings.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * The vaults a command works on: those named by `--vault` (by name, or by address, and then lifeboat.yaml is not
 * needed), else `planned`, else all of lifeboat.yaml. Throws `LB_USAGE`, `LB_CONFIG_MISSING`, `LB_CONFIG_INVALID`.
 */
export async function chosenVaults(surroundings: Surroundings, options: VaultOptions, planned?: readonly string[]): Promise<readonly VaultConfig[]> {
  const named = options.vault ?? [];
  if (named.length === 0) {
    const config = await surroundings.config();
    const configured = [...config.vaults.values()].filter((vault) => planned === undefined || planned.includes(vault.name));
    if (configured.length > 0) return configured;
    throw new LifeboatError('LB_USAGE', 'There is no vault to work on', { where: config.file, hint: 'Add one under `vaults:`, or name one with --vault.' });
  }
  const addresses = named.filter((one) => isAddress(one));
  const config = addresses.length === named.length ? undefined : await surroundings.config();
  const { parseVaultUrl } = await import('../config/vault-url.ts');
  const chosen: VaultConfig[] = [];
  for (const one of named) {
    if (isAddress(one)) {
      chosen.push({ ...parseVaultUrl(one, surroundings.folder), name: `vault-${addresses.indexOf(one) + 1}` });
      continue;
    }
    const vault = config?.vaults.get(one);
    if (vault === undefined) throw await unknownName('vault', one, [...(config?.vaults.keys() ?? [])], surroundings.configFile);
    chosen.push(vault);
  }
  return chosen;
}

/** Whether this is the address of a vault rather than its name in lifeboat.yaml. */
export function isAddress(text: string): boolean {
  return /[:/.~]/.test(text);
}

/**
 * Opens vaults for reading or writing points: one that cannot be opened is passed over with a warning, because every
 * vault is enough by itself. Throws the first failure when none can be opened. Close them with `closeVaults`.
 */
export async function openVaults(surroundings: Surroundings, configs: readonly VaultConfig[]): Promise<readonly Vault[]> {
  const { openVault } = await import('../vault/open.ts');
  const results = await Promise.allSettled(configs.map((config) => openVault(config)));
  const opened = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = results.flatMap((result, index) =>
    result.status === 'rejected' ? [{ name: configs[index]?.name ?? '', error: result.reason as unknown }] : [],
  );
  if (opened.length === 0 && failed[0] !== undefined) throw failed[0].error;
  for (const { name, error } of failed) {
    surroundings.warn({ kind: 'vault-unavailable', message: `going on without vault "${name}": ${messageOf(error)}`, where: `vault "${name}"` });
  }
  return opened;
}

export async function closeVaults(vaults: readonly Vault[]): Promise<void> {
  await Promise.allSettled(vaults.map((vault) => vault.close()));
}
