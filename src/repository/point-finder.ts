import { isLifeboatError, LifeboatError, messageOf } from '../core/errors.ts';
import type { Vault } from '../vault/vault.ts';
import { sha256Hex } from './bytes.ts';
import { pointKey } from './layout.ts';
import { currentOf, genuineView } from './originals.ts';
import type { ReadContext } from './pack-store.ts';
import { decodePoint, decodePointHead } from './point.ts';
import type { Point, PointHead, PointPlace } from './point.ts';
import { listPointObjects } from './vault-contents.ts';
import type { PointName } from './vault-contents.ts';
import { at, readObject, whereIs } from './vault-io.ts';

/** A point and the vaults whose listing shows it. */
export interface FoundPoint extends PointName {
  /** As lifeboat left them (originals.ts). */
  readonly vaults: readonly Vault[];
  /** Bytes, as each of them lists it. */
  readonly sizes: ReadonlyMap<Vault, number>;
  /** Vaults that hold a tombstone of it, genuine or not. */
  readonly tombstones?: readonly Vault[];
  /** Those of the vaults in which something was put over the point, or it was hidden. */
  readonly shadowed?: ReadonlySet<Vault>;
}

/** What is read from any of the vaults that hold it. */
export type Held = Pick<FoundPoint, 'site' | 'id' | 'vaults' | 'shadowed'>;

interface Collected extends PointName {
  readonly vaults: Vault[];
  readonly tombstones: Vault[];
  readonly sizes: Map<Vault, number>;
  readonly shadowed: Set<Vault>;
}

/** What reading points takes. */
export interface PointAccess {
  readonly repositoryId: string;
  readonly signingPublicKey: Uint8Array;
}

/** The signed beginning of nearly every point is shorter than this. */
export const HEAD_BYTES = 32 * 1024;

/**
 * The points of all vaults, oldest first, those that were removed among them, and those that somebody hid in a vault that locks. A
 * vault that cannot be listed is warned about; throws its error when no vault can be.
 */
export async function findPoints(
  given: readonly Vault[],
  site: string | undefined,
  context: ReadContext,
): Promise<FoundPoint[]> {
  const vaults = given.map((vault) => genuineView(vault, context.onWarning));
  const found = new Map<string, Collected>();
  const removed = new Map<string, Vault[]>();
  const listings = await Promise.allSettled(vaults.map((vault) => listPointObjects(vault, site, context.signal)));
  context.signal?.throwIfAborted();
  let failure: unknown;
  let listed = 0;
  for (const [i, listing] of listings.entries()) {
    const vault = vaults[i] as Vault;
    if (listing.status === 'rejected') {
      failure = listing.reason;
      context.onWarning?.({ kind: 'vault-unavailable', message: messageOf(failure), where: `vault "${vault.name}"` });
      continue;
    }
    listed++;
    for (const name of listing.value.tombstones) {
      const key = pointKey(name.site, name.id);
      removed.set(key, [...(removed.get(key) ?? []), vault]);
    }
    for (const { site: of, id, size, shadowed } of listing.value.points) {
      const key = pointKey(of, id);
      const point: Collected = found.get(key) ?? { site: of, id, vaults: [], tombstones: [], sizes: new Map(), shadowed: new Set() };
      if (shadowed) point.shadowed.add(vault);
      point.vaults.push(vault);
      point.sizes.set(vault, size);
      found.set(key, point);
    }
  }
  if (listed === 0) throw failure;
  for (const [key, point] of found) point.tombstones.push(...(removed.get(key) ?? []));
  return [...found.values()].sort((a, b) => compare(a.id, b.id) || compare(a.site, b.site));
}

/** The signed beginning of a point, from the first vault that has it intact. Throws what is wrong when none has. */
export function readPointHead(point: Held, access: PointAccess, context: ReadContext): Promise<PointHead> {
  const place = { repositoryId: access.repositoryId, site: point.site, id: point.id };
  return fromFirstIntact(point, context, async (vault, key) => (await readHeadFrom(vault, key, place, access, context)).head);
}

/** The same from one vault, with the SHA-256 of its bytes: points of which it is the same are the same. */
export async function readHeadFrom(
  vault: Vault,
  key: string,
  place: PointPlace,
  access: PointAccess,
  { signal }: ReadContext,
): Promise<{ readonly head: PointHead; readonly digest: string }> {
  const decode = (bytes: Uint8Array): { readonly head: PointHead; readonly digest: string } => {
    const head = decodePointHead(bytes, place, access.signingPublicKey);
    return { head, digest: sha256Hex(bytes.subarray(0, head.sections.at)) };
  };
  const bytes = await readObject(vault, key, { length: HEAD_BYTES, signal });
  try {
    return decode(bytes);
  } catch (error) {
    if (bytes.length < HEAD_BYTES) throw error;
    return decode(await readObject(vault, key, { signal }));
  }
}

/** A whole point, from the first vault that has it intact. Throws what is wrong when none has. */
export function readPoint(point: Held, access: PointAccess, context: ReadContext): Promise<Point> {
  const place = { repositoryId: access.repositoryId, site: point.site, id: point.id };
  return fromFirstIntact(point, context, async (vault, key) =>
    decodePoint(await readObject(vault, key, { signal: context.signal }), place, access.signingPublicKey),
  );
}

async function fromFirstIntact<T>(
  point: Held,
  context: ReadContext,
  read: (vault: Vault, key: string) => Promise<T>,
): Promise<T> {
  const key = pointKey(point.site, point.id);
  const failures: unknown[] = [];
  // What was put over a first version is looked at only when no first version is any good.
  const over = point.vaults.flatMap((vault) => (point.shadowed?.has(vault) === true ? (currentOf(vault) ?? []) : []));
  for (const vault of [...point.vaults, ...over]) {
    try {
      return await at(whereIs(vault, key), () => read(vault, key));
    } catch (error) {
      context.signal?.throwIfAborted();
      failures.push(error);
      if (point.vaults.length > 1) {
        context.onWarning?.({ kind: 'point-unreadable', message: messageOf(error), where: whereIs(vault, key) });
      }
    }
  }
  // A forgery says more than damage elsewhere.
  throw failures.find((error) => isLifeboatError(error, 'LB_REPO_FORGED')) ?? failures[0];
}

/**
 * Picks a point, of `site` when that is given: by id, by a unique beginning of one, or the newest with `latest`.
 * Throws `LB_POINT_NOT_FOUND`.
 */
export function choosePoint(points: readonly FoundPoint[], wanted: string, site?: string): FoundPoint {
  if (points.length === 0) {
    if (site === undefined) throw new LifeboatError('LB_POINT_NOT_FOUND', 'There is no recovery point yet', { hint: '`lifeboat backup` makes one.' });
    throw new LifeboatError('LB_POINT_NOT_FOUND', `There is no recovery point of site "${site}"`, { hint: 'Run `lifeboat points` to see those there are.' });
  }
  if (wanted === 'latest') {
    const sites = new Set(points.map((point) => point.site));
    if (sites.size > 1) {
      throw new LifeboatError('LB_POINT_NOT_FOUND', `There are points of several sites: ${[...sites].join(', ')}`, {
        hint: 'Say of which site the latest one is wanted.',
      });
    }
    return points.at(-1) as FoundPoint;
  }
  const matching = points.filter((point) => point.id.startsWith(wanted));
  const [only, ...more] = matching;
  if (only === undefined || wanted === '') {
    throw new LifeboatError('LB_POINT_NOT_FOUND', `There is no recovery point "${wanted}"`, {
      hint: 'Run `lifeboat points` to see those there are.',
    });
  }
  if (more.length > 0) {
    throw new LifeboatError('LB_POINT_NOT_FOUND', `"${wanted}" is the beginning of ${matching.length} points`, {
      hint: `Give more of the id: ${matching
        .slice(0, 3)
        .map((point) => point.id)
        .join(', ')}`,
    });
  }
  return only;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
