import type { Vault } from '../vault/vault.ts';
import {
  INDEX_ID,
  INDEX_PREFIX,
  POINT_ID,
  POINTS_PREFIX,
  SHA256_HEX,
  SITE_NAME,
  SLOTS_PREFIX,
} from './layout.ts';

const REMOVED = '.removed';

/** Ids of the index objects in a vault, in ascending order. */
export async function listIndexes(vault: Vault, signal?: AbortSignal): Promise<string[]> {
  return listIds(vault, INDEX_PREFIX, INDEX_ID, signal);
}

/** What is under `keys/`: slots, and slots that a tombstone names. Tombstones are not checked here. */
export async function listSlotObjects(
  vault: Vault,
  signal?: AbortSignal,
): Promise<{ readonly slots: string[]; readonly tombstones: string[] }> {
  const names = await listIds(vault, SLOTS_PREFIX, /^[0-9a-f]{64}(\.removed)?$/, signal);
  return {
    slots: names.filter((name) => SHA256_HEX.test(name)),
    tombstones: names.filter((name) => !SHA256_HEX.test(name)).map((name) => name.slice(0, 64)),
  };
}

/** A point's place. */
export interface PointName {
  readonly site: string;
  readonly id: string;
}

/** A point as a listing shows it. */
export interface ListedPoint extends PointName {
  /** Bytes. */
  readonly size: number;
  /** Something was put over it, or it was hidden; only in a view of first versions. */
  readonly shadowed?: true;
}

/** What is under `points/`, of one site or of all, in ascending order of site and id. Tombstones are not checked here. */
export async function listPointObjects(
  vault: Vault,
  site?: string,
  signal?: AbortSignal,
): Promise<{ readonly points: ListedPoint[]; readonly tombstones: PointName[] }> {
  const points: ListedPoint[] = [];
  const tombstones: PointName[] = [];
  for await (const { key, size, shadowed } of vault.list(site === undefined ? POINTS_PREFIX : `${POINTS_PREFIX}${site}/`, { signal })) {
    const name = pointNameOf(key);
    const removed = removedNameOf(key);
    if (name !== undefined) points.push({ ...name, size, ...(shadowed && { shadowed }) });
    if (removed !== undefined) tombstones.push(removed);
  }
  return { points, tombstones };
}

/** The point that a key names the tombstone of; `undefined` when it names none. */
export function removedNameOf(key: string): PointName | undefined {
  return key.endsWith(REMOVED) ? pointNameOf(key.slice(0, -REMOVED.length)) : undefined;
}

/** The place that a key under `points/` stands for; `undefined` when it is not one of ours. */
export function pointNameOf(key: string): PointName | undefined {
  const [site = '', id = '', ...rest] = key.slice(POINTS_PREFIX.length).split('/');
  return rest.length === 0 && SITE_NAME.test(site) && POINT_ID.test(id) ? { site, id } : undefined;
}

async function listIds(vault: Vault, prefix: string, pattern: RegExp, signal?: AbortSignal): Promise<string[]> {
  const ids: string[] = [];
  for await (const { key } of vault.list(prefix, { signal })) {
    const id = key.slice(prefix.length);
    if (pattern.test(id)) ids.push(id);
  }
  return ids;
}
