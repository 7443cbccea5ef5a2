import { indexKey, packKey, pointKey, slotKey } from '../layout.ts';
import type { PointHeader } from '../api.ts';
import type { Point } from '../point.ts';
import type { RemovedPoint } from '../removal/tombstone.ts';
import type { VaultCheck } from './vault-check.ts';

/** Every genuine point of any vault, by its key. */
export function allPoints(checks: readonly VaultCheck[]): Map<string, Point> {
  const points = new Map<string, Point>();
  for (const check of checks) for (const [key, point] of check.points) points.set(key, point);
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

/** Checks that a vault has everything that its points, and those of the other vaults, say is there. */
export function checkReferences(
  check: VaultCheck,
  points: ReadonlyMap<string, Point>,
  removed: ReadonlyMap<string, RemovedPoint>,
): void {
  for (const [key, point] of points) {
    if (!check.sizes.has(key)) check.missing(key, 'Another vault has this point', [point.header.id]);
  }
  const needed = pointsByPack(check.points.values());
  for (const point of check.points.values()) {
    for (const pack of point.packs) check.expectSize(packKey(pack.id), pack.size, needed.get(pack.id) ?? []);
    for (const slot of point.slots) check.expectSlot(slot);
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
  if (check.slots.size > 0) return;
  // Without any way in, every point is lost with the slots.
  const ids = [...check.points.values()].map((point) => point.header.id);
  const slots = new Set([...check.points.values()].flatMap((point) => point.slots));
  for (const slot of slots) check.missing(slotKey(slot), 'A key slot is not there, and no other one is intact', ids);
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

function headsOf(points: Iterable<Point>): Point[] {
  const all = [...points];
  const followed = new Set(
    all.flatMap((point) => point.header.previous.map(({ id }) => pointKey(point.header.site, id))),
  );
  return all.filter((point) => !followed.has(pointKey(point.header.site, point.header.id)));
}
