import { isLifeboatError } from '../../core/errors.ts';
import type { PublicKeys } from '../../keys/index.ts';
import type { Vault } from '../../vault/vault.ts';
import { pointKey, POINTS_PREFIX, RESCUE_PREFIX, tombstoneKey } from '../layout.ts';
import { PackSet } from '../pack-set.ts';
import { forEachParallel } from '../parallel.ts';
import { decodePointTombstone, pointTombstoneKey } from '../removal/tombstone.ts';
import { checkTombstone } from '../slot-objects.ts';
import { listIndexes, listSlotObjects, pointNameOf, removedNameOf } from '../vault-contents.ts';
import type { ListedPoint, PointName } from '../vault-contents.ts';
import { readObject } from '../vault-io.ts';

/** Tombstones read at once. */
const PARALLEL = 8;

/** What a vault has. */
export interface Inventory {
  readonly vault: Vault;
  readonly packs: PackSet;
  readonly indexes: ReadonlySet<string>;
  readonly slots: ReadonlySet<string>;
  /** Slots that something there says are removed. */
  readonly removedSlots: ReadonlySet<string>;
  /** Points by key. */
  readonly points: ReadonlyMap<string, ListedPoint>;
  /** The same of points, by the key of the point. */
  readonly removedPoints: ReadonlyMap<string, PointName>;
  /** Keys of the rescue files, and their sizes. */
  readonly rescue: ReadonlyMap<string, number>;
}

/** Lists a vault. Throws what it throws. */
export async function takeInventory(vault: Vault, signal: AbortSignal | undefined): Promise<Inventory> {
  const [packs, indexes, slots, points, rescue] = await Promise.all([
    PackSet.list(vault, signal),
    listIndexes(vault, signal),
    listSlotObjects(vault, signal),
    listPoints(vault, signal),
    listRescue(vault, signal),
  ]);
  return {
    vault,
    packs,
    indexes: new Set(indexes),
    slots: new Set(slots.slots),
    removedSlots: new Set(slots.tombstones),
    ...points,
    rescue,
  };
}

async function listPoints(vault: Vault, signal: AbortSignal | undefined): Promise<Pick<Inventory, 'points' | 'removedPoints'>> {
  const points = new Map<string, ListedPoint>();
  const removedPoints = new Map<string, PointName>();
  for await (const { key, size } of vault.list(POINTS_PREFIX, { signal })) {
    const name = pointNameOf(key);
    if (name !== undefined) points.set(key, { ...name, size });
    const removed = removedNameOf(key);
    if (removed !== undefined) removedPoints.set(pointKey(removed.site, removed.id), removed);
  }
  return { points, removedPoints };
}

async function listRescue(vault: Vault, signal: AbortSignal | undefined): Promise<Map<string, number>> {
  const files = new Map<string, number>();
  for await (const { key, size } of vault.list(RESCUE_PREFIX, { signal })) files.set(key, size);
  return files;
}

/** What was removed on purpose. */
export interface Removals {
  /** Genuine tombstones, by the slot, or the key of the point, that they name. */
  readonly slots: ReadonlyMap<string, Uint8Array>;
  readonly points: ReadonlyMap<string, Uint8Array>;
  /** What may have been removed: a vault has a tombstone and did not give it. */
  readonly doubtful: ReadonlySet<string>;
}

/**
 * Reads the tombstones that matter: of what some vault still has, and those that some vault lacks. One that is not
 * genuine counts for nothing, and is told of.
 */
export async function readRemovals(
  inventories: readonly Inventory[],
  keys: PublicKeys,
  options: { readonly signal?: AbortSignal | undefined; readonly onProblem: (vault: Vault, key: string, error: unknown) => void },
): Promise<Removals> {
  const { signal, onProblem } = options;
  const slots = new Map<string, Uint8Array>();
  const points = new Map<string, Uint8Array>();
  const doubtful = new Set<string>();
  const read = async (
    about: string,
    key: string,
    holders: readonly Inventory[],
    check: (bytes: Uint8Array) => void,
  ): Promise<Uint8Array | undefined> => {
    let unread = false;
    for (const { vault } of holders) {
      try {
        const bytes = await readObject(vault, key, { signal });
        check(bytes);
        return bytes;
      } catch (error) {
        signal?.throwIfAborted();
        unread ||= !saysNothing(error);
        onProblem(vault, key, error);
      }
    }
    if (unread) doubtful.add(about);
    return undefined;
  };
  const named = new Set(inventories.flatMap(({ removedSlots }) => [...removedSlots]));
  await forEachParallel(named, PARALLEL, async (slot) => {
    const holders = inventories.filter(({ removedSlots }) => removedSlots.has(slot));
    const bytes = await read(slot, tombstoneKey(slot), holders, (found) => checkTombstone(found, slot, keys));
    if (bytes !== undefined) slots.set(slot, bytes);
  });
  const removed = new Map(inventories.flatMap(({ removedPoints }) => [...removedPoints]));
  await forEachParallel(removed, PARALLEL, async ([key, point]) => {
    const holders = inventories.filter(({ removedPoints }) => removedPoints.has(key));
    if (holders.length === inventories.length && !inventories.some((inventory) => inventory.points.has(key))) return;
    const bytes = await read(key, pointTombstoneKey(point.site, point.id), holders, (found) => decodePointTombstone(found, point, keys));
    if (bytes !== undefined) points.set(key, bytes);
  });
  return { slots, points, doubtful };
}

/** Whether a tombstone that was read, or was not there, counts for nothing. */
function saysNothing(error: unknown): boolean {
  const codes = ['LB_REPO_FORGED', 'LB_REPO_DAMAGED', 'LB_VAULT_OBJECT_MISSING'] as const;
  return codes.some((code) => isLifeboatError(error, code));
}
