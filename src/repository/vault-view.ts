import type { OnWarning } from '../core/progress.ts';
import type { WriteKey } from '../keys/index.ts';
import type { Vault } from '../vault/vault.ts';
import { liveSlots } from './slot-objects.ts';
import { readMarks } from './sweep/marks.ts';
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
  /** Keys of packs and index objects that the sweep may delete: not to be built on, unless a point that counts needs them. */
  readonly marked: ReadonlySet<string>;
}

/** Looks into a vault, which must hold the key's repository. Throws `LB_REPO_*`, `LB_KEY_WRONG`, and what the vault throws. */
export async function lookInto(vault: Vault, key: WriteKey, signal: AbortSignal | undefined, onWarning?: OnWarning): Promise<VaultView> {
  await requireHeader(vault, key, signal);
  // Marks go last: what is listed after they were looked at, and is not marked, stays for the grace period.
  const { pending } = await readMarks(vault, key, { signal, onWarning });
  const marked = new Set(pending.flatMap(({ objects }) => objects));
  const [packs, indexes, slots, named] = await Promise.all([
    listPacks(vault, signal),
    listIndexes(vault, signal),
    liveSlots(vault, key, signal),
    listPointObjects(vault, undefined, signal),
  ]);
  return { packs, indexes, slots, marked, ...named };
}
