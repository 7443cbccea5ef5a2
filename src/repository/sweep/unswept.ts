import { LifeboatError } from '../../core/errors.ts';
import type { PublicKeys } from '../../keys/index.ts';
import type { Vault } from '../../vault/vault.ts';
import { toHex } from '../bytes.ts';
import { packKey } from '../layout.ts';
import { PackSet } from '../pack-set.ts';
import { packsIn } from '../pack-table.ts';
import { BACKUP_LIMIT } from './limits.ts';
import { readMarks } from './marks.ts';

/**
 * For a backup that took longer than the sweep may be sure of: throws `LB_BACKUP_TOO_LONG` when a pack that its point
 * needs was marked so long ago that it may be deleted, or is gone. Marks are looked at first: they go last.
 */
export async function requireUnswept(
  vaults: readonly Vault[],
  keys: PublicKeys,
  packTable: Uint8Array,
  now: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const looked = await Promise.allSettled(
    vaults.map(async (vault) => {
      const { pending } = await readMarks(vault, keys, { signal });
      const marked = pending.filter(({ markedAt }) => now - markedAt >= BACKUP_LIMIT).flatMap(({ objects }) => objects);
      return { marked, there: await PackSet.list(vault, signal) };
    }),
  );
  signal?.throwIfAborted();
  const found = looked.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const marked = new Set(found.flatMap((one) => one.marked));
  let lost = false;
  for (const { id, size } of packsIn(packTable)) {
    const gone = !found.some(({ there }) => there.has(id, size));
    if (gone || (marked.size > 0 && marked.has(packKey(toHex(id))))) lost = true;
  }
  if (!lost) return;
  throw new LifeboatError('LB_BACKUP_TOO_LONG', 'The backup took so long that the sweep may delete what it builds on', {
    hint: 'Run it again: what it stored is used, so that it will be shorter. Let `lifeboat sweep --grace` be at least twice as long as the longest backup.',
  });
}
