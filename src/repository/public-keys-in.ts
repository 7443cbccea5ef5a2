import type { PublicKeys } from '../keys/index.ts';
import type { Vault } from '../vault/vault.ts';
import type { ReadContext } from './pack-store.ts';
import { requireHeader } from './vault-header.ts';

/** What the first vault that has a header says of the repository, for those who have no key. Throws the first failure when none has one. */
export async function publicKeysIn(vaults: readonly Vault[], { signal }: ReadContext): Promise<PublicKeys> {
  let failure: unknown;
  for (const vault of vaults) {
    try {
      return await requireHeader(vault, undefined, signal);
    } catch (error) {
      signal?.throwIfAborted();
      failure ??= error;
    }
  }
  throw failure;
}
