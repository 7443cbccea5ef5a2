import { indexKey, packKey, pointKey, slotKey, tombstoneKey } from '../layout.ts';
import type { PointHeader } from '../api.ts';
import type { Point } from '../point.ts';
import { pointTombstoneKey } from '../removal/tombstone.ts';
import type { RemovedPoint } from '../removal/tombstone.ts';
import type { VaultCheck } from './vault-check.ts';

/** Every genuine point of any vault, by its key. Of different ones under one id, that of a vault that locks. */
export function allPoints(checks: readonly VaultCheck[]): Map<string, Point> {
  const points = new Map<string, Point>();
  for (const check of checks.toSorted((a, b) => Number(a.vault.locks) - Number(b.vault.locks))) for (const [key, point] of check.points) points.set(key, point);
  return points;
}

/** Every point that a genuine tombstone in any vault says was removed, by its key. */
export function allRemoved(checks: readonly VaultCheck[]): Map<string, RemovedPoint> {
  return new Map(checks.flatMap((check) => [...check.removed]));
}

/** For each pack, the ids of the points that need it. */
export function pointsByPack(points: Iterable<Point>): Map<string, string[]> {
  const needed = new Map<string, string[]>();
  for (const point of points) {
    for (const pack of point.packs) {
      const ids = needed.get(pack.id);
      if (ids === undefined) needed.set(pack.id, [point.header.id]);
      else ids.push(point.header.id);
    }
  }
  return needed;
}

/** What is known of key slots in any vault. */
export interface KnownSlots {
  /** Slots that some vault has whole, and that no genuine tombstone takes out of use. */
  readonly live: ReadonlySet<string>;
  /** Slots that a genuine tombstone in some vault takes out of use. */
  readonly removed: ReadonlySet<string>;
}

/** Of all vaults but those that hold another repository: nobody signs slots, so theirs look as good as ours. */
export function allSlots(checks: readonly VaultCheck[]): KnownSlots {
  const ours = checks.filter((check) => !check.foreign);
  const removed = new Set(ours.flatMap((check) => [...check.tombstones]));
  return { removed, live: new Set(ours.flatMap((check) => [...check.slots]).filter((id) => !removed.has(id))) };
}

/** Whether a vault is to hold the points of a site. */
export type Belongs = (vault: string, site: string) => boolean;

/** Checks that a vault has everything that its points, and the other vaults, say is there. */
export function checkReferences(
  check: VaultCheck,
  points: ReadonlyMap<string, Point>,
  slots: KnownSlots,
  removed: ReadonlyMap<string, RemovedPoint>,
  belongs: Belongs = () => true,
): void {
  for (const [key, point] of points) {
    if (!check.sizes.has(key) && belongs(check.name, point.header.site)) check.missing(key, 'Another vault has this point', [point.header.id]);
  }
  const needed = pointsByPack(check.points.values());
  for (const point of check.points.values()) {
    for (const pack of point.packs) check.expectSize(packKey(pack.id), pack.size, needed.get(pack.id) ?? []);
    for (const slot of point.slots) check.expectSlot(slot, slots.removed);
    checkChain(check, point.header, points, removed);
  }
  // The chain goes on through what was removed.
  for (const gone of check.removed.values()) checkChain(check, gone, points, removed);
  // What a newer point no longer names was merged into another index object and may have been swept.
  for (const head of headsOf(check.points.values())) {
    for (const id of head.indexes) {
      if (!check.sizes.has(indexKey(id)))
        check.missing(
          indexKey(id),
          'An index object is not there: no data are lost, but some will be stored again',
          [],
        );
    }
  }
  for (const id of slots.live) {
    if (!check.sizes.has(slotKey(id))) check.missing(slotKey(id), 'Another vault has this key slot', []);
  }
  for (const id of slots.removed) {
    if (!check.sizes.has(tombstoneKey(id))) check.missing(tombstoneKey(id), 'Another vault says that this key slot was removed', []);
  }
  for (const { site, id } of removed.values()) {
    const key = pointTombstoneKey(site, id);
    if (!check.sizes.has(key)) check.missing(key, 'Another vault says that this point was removed', []);
  }
  if (check.slots.size > 0) return;
  // Without any way in, every point is lost with the slots.
  const ids = [...check.points.values()].map((point) => point.header.id);
  const named = new Set([...check.points.values()].flatMap((point) => point.slots));
  for (const slot of named) if (!slots.removed.has(slot)) check.missing(slotKey(slot), 'A key slot is not there, and no other one is intact', ids);
}

function checkChain(
  check: VaultCheck,
  point: Pick<PointHeader, 'id' | 'site' | 'previous'>,
  points: ReadonlyMap<string, Point>,
  removed: ReadonlyMap<string, RemovedPoint>,
): void {
  for (const { id, sha256 } of point.previous) {
    const key = pointKey(point.site, id);
    const previous = points.get(key) ?? removed.get(key);
    if (previous !== undefined && previous.sha256 !== sha256) {
      check.brokenChain(key, `This is not the point that ${point.id} follows`, [id]);
    } else if (!check.sizes.has(key) && previous === undefined) {
      check.brokenChain(key, `The point that ${point.id} follows is gone`, [id]);
    }
  }
}

/** The points that no other one of these follows. */
export function headsOf(points: Iterable<Point>): Point[] {
  const all = [...points];
  const followed = new Set(
    all.flatMap((point) => point.header.previous.map(({ id }) => pointKey(point.header.site, id))),
  );
  return all.filter((point) => !followed.has(pointKey(point.header.site, point.header.id)));
}
