import { messageOf } from '../core/errors.ts';
import type { Vault } from '../vault/vault.ts';
import type { PointHeader } from './api.ts';
import type { ReadContext } from './pack-store.ts';
import { readPointHead } from './point-finder.ts';
import { publicKeysIn } from './public-keys-in.ts';
import { findLivePoints } from './removal/live-points.ts';

/**
 * The header of the newest point of a site that is genuine and was not removed, in any of the vaults; undefined when there is none.
 * Reads as few points as it can. A vault that cannot be listed is warned of; throws its error when none can be, and `LB_REPO_*`.
 */
export async function newestPoint(vaults: readonly Vault[], site: string, context: ReadContext): Promise<PointHeader | undefined> {
  const access = await publicKeysIn(vaults, context);
  const points = await findLivePoints(vaults, site, access, context);
  for (const point of points.toReversed()) {
    try {
      return (await readPointHead(point, access, context)).header;
    } catch (error) {
      context.signal?.throwIfAborted();
      context.onWarning?.({ kind: 'point-unreadable', message: messageOf(error), where: `point ${point.id}` });
    }
  }
  return undefined;
}
