import { messageOf } from '../../core/errors.ts';
import type { Vault } from '../../vault/vault.ts';
import { pointKey } from '../layout.ts';
import { genuineView } from '../originals.ts';
import type { ReadContext } from '../pack-store.ts';
import { forEachParallel } from '../parallel.ts';
import { findPoints } from '../point-finder.ts';
import type { FoundPoint } from '../point-finder.ts';
import type { PointName } from '../vault-contents.ts';
import { readObject, whereIs } from '../vault-io.ts';
import { decodePointTombstone, pointTombstoneKey } from './tombstone.ts';
import type { RemovalKeys, RemovedPoint } from './tombstone.ts';

/** Tombstones read at once. */
const PARALLEL = 16;

/**
 * The points of all vaults that were not removed, oldest first. A genuine tombstone in any vault removes a point from
 * all: one that was away must not bring it back. As `findPoints`.
 */
export async function findLivePoints(
  vaults: readonly Vault[],
  site: string | undefined,
  keys: RemovalKeys,
  context: ReadContext,
): Promise<FoundPoint[]> {
  const found = await findPoints(vaults, site, context);
  const removed = await removedAmong(new Map(found.map((point) => [point, point.tombstones ?? []])), keys, context);
  return found.filter((point) => !removed.has(point));
}

/** Those of the points that one of the vaults given with them has a genuine tombstone of. */
export async function removedAmong<P extends PointName>(
  points: ReadonlyMap<P, readonly Vault[]>,
  keys: RemovalKeys,
  context: ReadContext,
): Promise<ReadonlyMap<P, RemovedPoint>> {
  const removed = new Map<P, RemovedPoint>();
  await forEachParallel(points, PARALLEL, async ([point, vaults]) => {
    const tombstone = await readPointTombstone(vaults, point, keys, context);
    if (tombstone !== undefined) removed.set(point, tombstone);
  });
  return removed;
}

/** A point's tombstone from the first vault that has a genuine one. Any other is warned of, and removes nothing. */
export async function readPointTombstone(
  vaults: readonly Vault[],
  point: PointName,
  keys: RemovalKeys,
  { signal, onWarning }: ReadContext,
): Promise<RemovedPoint | undefined> {
  const key = pointTombstoneKey(point.site, point.id);
  for (const vault of vaults) {
    try {
      return decodePointTombstone(await readObject(genuineView(vault), key, { signal }), point, keys);
    } catch (error) {
      signal?.throwIfAborted();
      onWarning?.({ kind: 'tombstone-unreadable', message: `A removal that is not genuine counts for nothing: ${messageOf(error)}`, where: whereIs(vault, key) });
    }
  }
  return undefined;
}

/** Points and tombstones as each vault lists them. */
export interface ListedPoints {
  readonly points: readonly PointName[];
  readonly tombstones: readonly PointName[];
}

/** The same views with the removed points taken out of each of them. */
export async function withoutRemoved<V extends ListedPoints>(
  views: ReadonlyMap<Vault, V>,
  keys: RemovalKeys,
  context: ReadContext,
): Promise<ReadonlyMap<Vault, V>> {
  const listed = new Set([...views.values()].flatMap(({ points }) => points.map(keyOf)));
  const claimed = new Map<string, { readonly name: PointName; readonly vaults: Vault[] }>();
  for (const [vault, { tombstones }] of views) {
    for (const name of tombstones) {
      if (!listed.has(keyOf(name))) continue;
      const known = claimed.get(keyOf(name)) ?? { name, vaults: [] };
      known.vaults.push(vault);
      claimed.set(keyOf(name), known);
    }
  }
  const removed = await removedAmong(new Map([...claimed.values()].map(({ name, vaults }) => [name, vaults])), keys, context);
  const gone = new Set([...removed.keys()].map(keyOf));
  return new Map([...views].map(([vault, view]) => [vault, { ...view, points: view.points.filter((point) => !gone.has(keyOf(point))) }]));
}

function keyOf({ site, id }: PointName): string {
  return pointKey(site, id);
}
