import type { WriteKey } from '../keys/index.ts';
import type { Vault } from '../vault/vault.ts';
import { liveSlots } from './slot-objects.ts';
import { listIndexes, listPacks, listPointObjects } from './vault-contents.ts';
import type { PointName } from './vault-contents.ts';
import { requireHeader } from './vault-header.ts';

/** What is in a vault, as far as a backup needs to know. */
export interface VaultView {
  /** Sizes by id. */
  readonly packs: ReadonlyMap<string, number>;
  readonly indexes: readonly string[];
  readonly slots: readonly string[];
  readonly points: readonly PointName[];
  /** Points that a tombstone names, genuine or not. */
  readonly tombstones: readonly PointName[];
}

/** Looks into a vault, which must hold the key's repository. Throws `LB_REPO_*`, `LB_KEY_WRONG`, and what the vault throws. */
export async function lookInto(vault: Vault, key: WriteKey, signal: AbortSignal | undefined): Promise<VaultView> {
  await requireHeader(vault, key, signal);
  const [packs, indexes, slots, named] = await Promise.all([
    listPacks(vault, signal),
    listIndexes(vault, signal),
    liveSlots(vault, key, signal),
    listPointObjects(vault, undefined, signal),
  ]);
  return { packs, indexes, slots, ...named };
}
