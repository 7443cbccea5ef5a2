import type { OnWarning } from '../core/progress.ts';
import type { WriteKey } from '../keys/index.ts';
import type { Vault } from '../vault/vault.ts';
import { genuineView } from './originals.ts';
import { PackSet } from './pack-set.ts';
import { liveSlots } from './slot-objects.ts';
import { readMarks } from './sweep/marks.ts';
import { listIndexes, listPointObjects } from './vault-contents.ts';
import type { PointName } from './vault-contents.ts';
import { requireHeader } from './vault-header.ts';

/** What is in a vault, as far as a backup needs to know. */
export interface VaultView {
  readonly packs: PackSet;
  readonly indexes: readonly string[];
  readonly slots: readonly string[];
  readonly points: readonly PointName[];
  /** Points that a tombstone names, genuine or not. */
  readonly tombstones: readonly PointName[];
  /** Keys of packs and index objects that the sweep may delete: not to be built on, unless a point that counts needs them. */
  readonly marked: ReadonlySet<string>;
}

/**
 * Looks into a vault, which must hold the key's repository: at first versions where it keeps them, so that nobody who puts something
 * over marks, points or packs, or hides them, is believed. Throws `LB_REPO_*`, `LB_KEY_WRONG`, and what the vault throws.
 */
export async function lookInto(given: Vault, key: WriteKey, signal: AbortSignal | undefined, onWarning?: OnWarning): Promise<VaultView> {
  await requireHeader(given, key, signal);
  const vault = genuineView(given);
  // Marks go last: what is listed after they were looked at, and is not marked, stays for the grace period.
  const { pending } = await readMarks(vault, key, { signal, onWarning });
  const marked = new Set(pending.flatMap(({ objects }) => objects));
  const [packs, indexes, slots, named] = await Promise.all([
    PackSet.list(vault, signal),
    listIndexes(vault, signal),
    liveSlots(vault, key, signal),
    listPointObjects(vault, undefined, signal),
  ]);
  return { packs, indexes, slots, marked, ...named };
}
