import { systemClock } from '../../core/clock.ts';
import type { Clock } from '../../core/clock.ts';
import { isLifeboatError, messageOf } from '../../core/errors.ts';
import type { MaintainKey } from '../../keys/index.ts';
import type { Vault } from '../../vault/vault.ts';
import type { DroppedVault } from '../lanes.ts';
import { pointKey } from '../layout.ts';
import { genuineView } from '../originals.ts';
import type { ReadContext } from '../pack-store.ts';
import { readPoint } from '../point-finder.ts';
import type { FoundPoint } from '../point-finder.ts';
import type { PointName } from '../vault-contents.ts';
import { at, readObject, whereIs } from '../vault-io.ts';
import { decodePointTombstone, encodePointTombstone, pointTombstoneKey } from './tombstone.ts';

/** What became of the removal of one point. */
export interface PointRemoval extends PointName {
  /** Vaults that know of it. */
  readonly vaults: readonly string[];
  /** Vaults that do not yet, and why; the next run tries again. */
  readonly failed: readonly DroppedVault[];
  /** A lock holds the point until then (ISO 8601, UTC): nothing was done. */
  readonly lockedUntil?: string;
}

/**
 * Removes a point: puts a tombstone, signed by the maintain role, into every vault. From then on nobody counts it among
 * the points; its bytes, and the packs that nothing else needs, are taken away by the sweep. A point that a vault has
 * locked is left, everywhere, until its lock ends. Throws what is wrong when no vault has the point intact.
 */
export async function removePoint(
  vaults: readonly Vault[],
  key: MaintainKey,
  point: FoundPoint,
  reason: string,
  options: ReadContext & { readonly clock?: Clock } = {},
): Promise<PointRemoval> {
  const { signal, clock = systemClock } = options;
  const { site, id } = point;
  const lockedUntil = await lockOf(point, clock.now(), signal);
  if (lockedUntil !== undefined) return { site, id, vaults: [], failed: [], lockedUntil };
  const { sha256, header } = await readPoint(point, key, options);
  const removed = { site, id, sha256, removedAt: new Date(clock.now()).toISOString(), reason, previous: header.previous };
  const tombstone = encodePointTombstone(removed, key);
  const where = pointTombstoneKey(site, id);
  const done: string[] = [];
  const failed: DroppedVault[] = [];
  for (const vault of vaults) {
    try {
      await at(whereIs(vault, where), async () => {
        if ((await vault.put(where, tombstone, { signal })) === 'created') return;
        // One of an earlier run is as good; anything else must not pass for one.
        decodePointTombstone(await readObject(genuineView(vault), where, { signal }), point, key);
      });
      done.push(vault.name);
    } catch (error) {
      signal?.throwIfAborted();
      failed.push({ vault: vault.name, code: isLifeboatError(error) ? error.code : 'LB_INTERNAL', message: messageOf(error) });
    }
  }
  return { site, id, vaults: done, failed };
}

/** Until when a point is locked in any vault that has it. */
async function lockOf(point: FoundPoint, now: number, signal: AbortSignal | undefined): Promise<string | undefined> {
  let latest = now;
  for (const vault of point.vaults) {
    if (!vault.locks) continue;
    const { retainUntil } = (await vault.head(pointKey(point.site, point.id), { original: true, signal })) ?? {};
    latest = Math.max(latest, retainUntil?.getTime() ?? 0);
  }
  return latest > now ? new Date(latest).toISOString() : undefined;
}
