import type { Vault } from '../vault/vault.ts';

/**
 * The same vault as it was before anybody put something over its objects, or hid them: for reading, where it locks
 * objects and so keeps their first versions.
 */
export function originalsOf(vault: Vault): Vault {
  return {
    name: vault.name,
    location: vault.location,
    locks: vault.locks,
    put: (key, body, options) => vault.put(key, body, options),
    get: (key, options) => vault.get(key, { ...options, original: true }),
    head: (key, options) => vault.head(key, { ...options, original: true }),
    list: (prefix, options) => vault.list(prefix, { ...options, original: true }),
    retain: (key, until, options) => vault.retain(key, until, options),
    delete: (key, options) => vault.delete(key, options),
    close: () => vault.close(),
  };
}

/** The vaults, and after them those that keep first versions once more as these show them: to be read when all else fails. */
export function withOriginals(vaults: readonly Vault[]): readonly Vault[] {
  return [...vaults, ...vaults.filter((vault) => vault.locks).map(originalsOf)];
}
