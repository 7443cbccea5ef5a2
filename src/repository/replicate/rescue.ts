import type { Vault } from '../../vault/vault.ts';
import { LifeboatError } from '../../core/errors.ts';
import { sha256Hex } from '../bytes.ts';
import type { RepositoryHeader } from '../header.ts';
import { readObject, whereIs } from '../vault-io.ts';
import type { Inventory } from './inventory.ts';
import type { Problems } from './problems.ts';

/**
 * Copies the rescue files that a vault lacks. The header names those the repository was made with; those of later
 * versions carry the beginning of their hash in their name. Gives what was copied: bytes by key.
 */
export async function copyRescueFiles(
  target: Inventory,
  sources: readonly Inventory[],
  header: RepositoryHeader,
  { problems, signal }: { readonly problems: Problems; readonly signal: AbortSignal | undefined },
): Promise<ReadonlyMap<string, number>> {
  const copied = new Map<string, number>();
  const signed = new Map(header.rescue.map(({ key, sha256 }) => [key, sha256]));
  const keys = new Set(sources.flatMap(({ rescue }) => [...rescue.keys()]));
  for (const key of keys) {
    const hash = signed.get(key) ?? /^rescue\/.*-([0-9a-f]{16})\.[a-z]+$/.exec(key)?.[1];
    if (hash === undefined || target.rescue.has(key)) continue;
    const holders = sources.filter(({ rescue }) => rescue.has(key)).map(({ vault }) => vault);
    const bytes = await readFile(key, hash, holders, problems, signal);
    if (bytes === undefined) continue;
    await target.vault.put(key, bytes, { signal });
    copied.set(key, bytes.length);
  }
  return copied;
}

/** `hash`: the SHA-256, or the beginning of it. */
async function readFile(
  key: string,
  hash: string,
  holders: readonly Vault[],
  problems: Problems,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  for (const vault of holders) {
    try {
      const bytes = await readObject(vault, key, { signal });
      if (sha256Hex(bytes).startsWith(hash)) return bytes;
      problems.add(vault, key, new LifeboatError('LB_REPO_DAMAGED', 'The bytes do not match the name of the object', { where: whereIs(vault, key) }));
    } catch (error) {
      signal?.throwIfAborted();
      problems.add(vault, key, error);
    }
  }
  return undefined;
}
