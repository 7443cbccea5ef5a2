import { LifeboatError } from '../core/errors.ts';
import type { Vault } from '../vault/vault.ts';
import { forEachParallel } from './parallel.ts';
import { whereIs } from './vault-io.ts';

/** Objects looked for at once. */
const PARALLEL = 16;

/**
 * Looks whether a vault has what it said it had stored (sizes by key): a point must never stand in one that has not.
 * Throws `LB_VAULT_OBJECT_MISSING` or `LB_REPO_DAMAGED`, and what the vault throws.
 */
export async function confirmStored(vault: Vault, stored: ReadonlyMap<string, number>, signal: AbortSignal | undefined): Promise<void> {
  await forEachParallel(stored, PARALLEL, async ([key, size]) => {
    const there = await vault.head(key, { signal });
    if (there?.size === size) return;
    const code = there === undefined ? 'LB_VAULT_OBJECT_MISSING' : 'LB_REPO_DAMAGED';
    throw new LifeboatError(code, `The vault said that it had stored ${size} bytes, and has ${there?.size ?? 0}`, {
      where: whereIs(vault, key),
    });
  });
}
