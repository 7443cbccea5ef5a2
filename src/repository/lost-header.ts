import { isLifeboatError, LifeboatError } from '../core/errors.ts';
import type { PublicKeys } from '../keys/index.ts';
import type { Vault } from '../vault/vault.ts';
import { HEADER_KEY, INDEX_PREFIX, PACKS_PREFIX, POINTS_PREFIX, SLOTS_PREFIX } from './layout.ts';
import { findPoints, readPointHead } from './point-finder.ts';
import { liveSlots } from './slot-objects.ts';
import { whereIs } from './vault-io.ts';

/** What to do about a vault that has lost its header. */
export const HEADER_LOST_HINT =
  'Put lifeboat.json back from another vault or from a copy, or run `lifeboat init --identity FILE` (or --passphrase-file FILE), which makes it again with the key that opens the repository.';

/** Points that are looked at to find one that is of the repository: enough to pass over some that are damaged or forged. */
const POINTS_TRIED = 64;

/** Whether a vault holds anything of a repository but its header. Throws what the vault throws. */
export async function holdsRemains(vault: Vault, signal?: AbortSignal): Promise<boolean> {
  for (const prefix of [SLOTS_PREFIX, POINTS_PREFIX, PACKS_PREFIX, INDEX_PREFIX]) {
    const objects = vault.list(prefix, { signal })[Symbol.asyncIterator]();
    const first = await objects.next();
    await objects.return?.();
    if (first.done !== true) return true;
  }
  return false;
}

/**
 * Whether what a vault without a header holds is of the repository of `keys`: where there are points, their signatures
 * say it, because anybody can leave a slot that a known recipient opens; else a slot that is known to be of it.
 * Throws what the vault throws.
 */
export async function remainsAreOf(
  vault: Vault,
  keys: PublicKeys,
  knownSlots: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<boolean> {
  const points = await findPoints([vault], undefined, { signal });
  if (points.length === 0) return (await liveSlots(vault, keys, signal)).some((slot) => knownSlots.has(slot));
  for (const point of points.slice(-POINTS_TRIED).toReversed()) {
    try {
      await readPointHead(point, keys, { signal });
      return true;
    } catch (error) {
      if (!isLifeboatError(error, 'LB_REPO_FORGED') && !isLifeboatError(error, 'LB_REPO_DAMAGED')) throw error;
    }
  }
  return false;
}

/** That a vault holds a repository whose header is lost; `cause` is why the header could not be made again. */
export function headerLost(vault: Vault, cause?: Error): LifeboatError {
  const why = cause === undefined ? '' : `, and it cannot be made again: ${cause.message}`;
  return new LifeboatError('LB_REPO_HEADER_LOST', `Vault "${vault.name}" holds a repository that has lost its lifeboat.json${why}`, {
    where: whereIs(vault, HEADER_KEY),
    hint: HEADER_LOST_HINT,
    cause,
  });
}
