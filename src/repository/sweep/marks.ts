import { isLifeboatError, messageOf } from '../../core/errors.ts';
import type { Vault } from '../../vault/vault.ts';
import type { ReadContext } from '../pack-store.ts';
import type { RemovalKeys } from '../removal/tombstone.ts';
import { readIfThere, whereIs } from '../vault-io.ts';
import { checkDone, decodeMark, decodeSeen, doneKey, MARK_NAME, markKey, MARKS_PREFIX, seenKey } from './mark.ts';
import type { Mark } from './mark.ts';

/** Marks of a vault. */
export interface VaultMarks {
  /** Genuine and not dealt with. */
  readonly pending: readonly Mark[];
  /** Names of those that were dealt with, and are still there. */
  readonly spent: readonly string[];
}

/**
 * The marks in a vault. One that is not genuine counts for nothing and is warned of. Throws what the vault throws, and
 * `LB_REPO_NEWER_FORMAT`.
 */
export async function readMarks(vault: Vault, keys: RemovalKeys, context: ReadContext): Promise<VaultMarks> {
  const names: string[] = [];
  const done = new Set<string>();
  const seen = new Set<string>();
  for await (const { key } of vault.list(MARKS_PREFIX, { signal: context.signal })) {
    const name = key.slice(MARKS_PREFIX.length);
    if (MARK_NAME.test(name)) names.push(name);
    else if (name.endsWith('.done')) done.add(name.slice(0, -'.done'.length));
    else if (name.endsWith('.seen')) seen.add(name.slice(0, -'.seen'.length));
  }
  const pending: Mark[] = [];
  const spent: string[] = [];
  for (const name of names) {
    const dealtWith = done.has(name) && (await genuine(vault, doneKey(name), (bytes) => checkDone(bytes, name, keys), context)) !== undefined;
    if (dealtWith) {
      spent.push(name);
      continue;
    }
    const read = await genuine(vault, markKey(name), (bytes) => decodeMark(bytes, name, keys), context);
    if (read === undefined) continue;
    const since = seen.has(name) ? await genuine(vault, seenKey(name), (bytes) => decodeSeen(bytes, name, keys), context) : undefined;
    pending.push({ ...read.value, ...(since !== undefined && { seenAt: since.value }) });
  }
  return { pending, spent };
}

async function genuine<T>(vault: Vault, key: string, decode: (bytes: Uint8Array) => T, { signal, onWarning }: ReadContext): Promise<{ readonly value: T } | undefined> {
  let problem: unknown;
  // Read again when it is not right: a mark that is taken for none costs more than the second look.
  for (let round = 0; round < 2; round++) {
    const bytes = await readIfThere(vault, key, signal);
    if (bytes === undefined) return undefined;
    try {
      return { value: decode(bytes) };
    } catch (error) {
      if (!isLifeboatError(error) || error.code === 'LB_REPO_NEWER_FORMAT') throw error;
      problem = error;
    }
  }
  onWarning?.({ kind: 'mark-unreadable', message: `A mark of the sweep that is not genuine counts for nothing: ${messageOf(problem)}`, where: whereIs(vault, key) });
  return undefined;
}
