import { isLifeboatError, LifeboatError } from '../../core/errors.ts';
import type { PublicKeys } from '../../keys/index.ts';
import type { Vault } from '../../vault/vault.ts';
import { checkHeader } from '../header.ts';
import type { RepositoryHeader } from '../header.ts';
import { headerLost, holdsRemains, remainsAreOf } from '../lost-header.ts';
import { liveSlots } from '../slot-objects.ts';
import { readHeader } from '../vault-header.ts';
import { refuseDifferent } from '../vault-headers.ts';

/** The vaults of a repository, and what it says of itself. */
export interface Participants {
  readonly header: RepositoryHeader;
  /** `lifeboat.json`, as it is. */
  readonly headerBytes: Uint8Array;
  /** Vaults that can be used. */
  readonly vaults: readonly Vault[];
  /** Those of them that have no `lifeboat.json`: new ones, and ones that lost it. */
  readonly bare: ReadonlySet<Vault>;
  /** Vaults that cannot, and why. */
  readonly failed: ReadonlyMap<Vault, unknown>;
}

/**
 * Finds out which repository the vaults hold. Throws `LB_REPO_FORGED` when they hold different ones, `LB_REPO_MISSING`
 * when none holds any, `LB_REPO_NEWER_FORMAT`, and, with a key, `LB_KEY_WRONG` when it is not the key's.
 */
export async function findParticipants(
  vaults: readonly Vault[],
  keys: PublicKeys | undefined,
  signal: AbortSignal | undefined,
): Promise<Participants> {
  const results = await Promise.allSettled(vaults.map((vault) => readHeader(vault, signal)));
  signal?.throwIfAborted();
  const failed = new Map<Vault, unknown>();
  const found: { readonly vault: Vault; readonly header: RepositoryHeader; readonly bytes: Uint8Array }[] = [];
  const without: Vault[] = [];
  for (const [i, vault] of vaults.entries()) {
    const result = results[i];
    if (result?.status === 'rejected') {
      if (isLifeboatError(result.reason, 'LB_REPO_NEWER_FORMAT')) throw result.reason;
      failed.set(vault, result.reason);
    } else if (result?.value === undefined) without.push(vault);
    else found.push({ vault, ...result.value });
  }
  refuseDifferent(found.map(({ vault, header }) => ({ vault: vault.name, header })));
  const [first] = found;
  if (first === undefined) throw nothingThere([...failed.values()]);
  const { header } = first;
  if (keys !== undefined) checkHeader(header, keys);
  const slots = await slotsOf(found.map(({ vault }) => vault), header, signal);
  const bare = new Set<Vault>();
  for (const vault of without) {
    try {
      if ((await holdsRemains(vault, signal)) && !(await remainsAreOf(vault, header, slots, signal))) throw headerLost(vault);
      bare.add(vault);
    } catch (error) {
      signal?.throwIfAborted();
      failed.set(vault, error);
    }
  }
  return { header, headerBytes: first.bytes, vaults: vaults.filter((vault) => !failed.has(vault)), bare, failed };
}

/** Slots that are known to be of the repository; a vault that does not say is passed over. */
async function slotsOf(vaults: readonly Vault[], header: RepositoryHeader, signal: AbortSignal | undefined): Promise<Set<string>> {
  const slots = await Promise.all(vaults.map((vault) => liveSlots(vault, header, signal).catch(() => [])));
  signal?.throwIfAborted();
  return new Set(slots.flat());
}

function nothingThere(failures: readonly unknown[]): unknown {
  const [first] = failures;
  if (first !== undefined) return first;
  return new LifeboatError('LB_REPO_MISSING', 'No vault holds a lifeboat repository', {
    hint: 'Run `lifeboat init`, or check the location of the vaults.',
  });
}
