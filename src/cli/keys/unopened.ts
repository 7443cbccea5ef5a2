import type { SlotChange } from '../../repository/index.ts';
import type { VaultConfig } from '../../vault/config.ts';
import type { Vault } from '../../vault/vault.ts';

/** The chosen vaults that could not be opened: a change of the key slots is not made in them, and is not done before it is. */
export function unopened(vaults: readonly Vault[], configs: readonly VaultConfig[]): SlotChange['failed'] {
  const missing = configs.filter(({ name }) => !vaults.some((vault) => vault.name === name));
  return missing.map(({ name }) => ({ vault: name, code: 'LB_VAULT_UNAVAILABLE', message: 'The vault could not be opened' }));
}
