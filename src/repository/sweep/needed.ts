import { isLifeboatError, LifeboatError, messageOf } from '../../core/errors.ts';
import type { PublicKeys } from '../../keys/index.ts';
import type { Vault } from '../../vault/vault.ts';
import { claimsOf, differing } from '../disputes.ts';
import { HEADER_KEY, indexKey, packKey, pointKey } from '../layout.ts';
import { genuineView } from '../originals.ts';
import type { ReadContext } from '../pack-store.ts';
import { forEachParallel } from '../parallel.ts';
import { readPoint } from '../point-finder.ts';
import { readPointTombstone } from '../removal/live-points.ts';
import { listPointObjects } from '../vault-contents.ts';
import type { PointName } from '../vault-contents.ts';

/** Points read at once. */
const PARALLEL = 8;

export interface NeededOptions extends ReadContext {
  /** How long a removed point still counts, ms: a backup that runs may build on it. */
  readonly grace: number;
  readonly now: number;
  /** Go on though points are gone that nobody removed. */
  readonly despiteLost?: boolean | undefined;
}

/** What the points of a repository need, in every vault. */
export interface Needed {
  /** Keys of packs and index objects. */
  readonly objects: ReadonlySet<string>;
  /** Points that were removed long enough ago. */
  readonly removed: readonly PointName[];
}

/**
 * What must stay. All vaults count: a point of one may be on its way to another. Where first versions are kept they are
 * looked at too: somebody who hides a point must not get its packs swept. Throws when a vault cannot be read, and
 * `LB_REPO_DAMAGED` when it cannot be told what a point needs.
 */
export async function whatIsNeeded(vaults: readonly Vault[], keys: PublicKeys, options: NeededOptions): Promise<Needed> {
  const { signal } = options;
  const points = new Map<string, PointName & { readonly vaults: Vault[]; readonly shadowed: Set<Vault> }>();
  const tombstones = new Map<string, Vault[]>();
  // Without the right to list versions it is not known what somebody hid: this throws then.
  for (const vault of vaults) if (vault.locks) await vault.head(HEADER_KEY, { original: true, signal });
  const views = vaults.map((vault) => genuineView(vault));
  const listings = await Promise.all(views.map((vault) => listPointObjects(vault, undefined, signal)));
  for (const [i, listing] of listings.entries()) {
    const vault = views[i] as Vault;
    for (const name of listing.points) {
      const point = points.get(pointKey(name.site, name.id)) ?? { site: name.site, id: name.id, vaults: [], shadowed: new Set() };
      point.vaults.push(vault);
      if (name.shadowed) point.shadowed.add(vault);
      points.set(pointKey(name.site, name.id), point);
    }
    for (const { site, id } of listing.tombstones) tombstones.set(pointKey(site, id), [...(tombstones.get(pointKey(site, id)) ?? []), vault]);
  }
  const objects = new Set<string>();
  const removed: PointName[] = [];
  const followed = new Map<string, PointName>();
  const unreadable: string[] = [];
  await forEachParallel(points, PARALLEL, async ([key, point]) => {
    const tombstone = await readPointTombstone(tombstones.get(key) ?? [], point, keys, options);
    if (tombstone !== undefined && Date.parse(tombstone.removedAt) + options.grace <= options.now) {
      removed.push({ site: point.site, id: point.id });
      return;
    }
    try {
      // Of different points under one id every one counts: who made another must not get the packs of the genuine one swept.
      const groups = differing(await claimsOf(point, keys, options));
      const versions = groups.length < 2 ? [point] : groups.map((group) => ({ ...point, vaults: group.map(({ vault }) => vault) }));
      for (const version of versions) {
        const { packs, indexes, header } = await readPoint(version, keys, options);
        for (const { id } of packs) objects.add(packKey(id));
        for (const id of indexes) objects.add(indexKey(id));
        for (const { id } of header.previous) followed.set(pointKey(point.site, id), { site: point.site, id });
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (!isLifeboatError(error) || !UNREADABLE.has(error.code)) throw error;
      if (tombstone === undefined) unreadable.push(`${key}: ${messageOf(error)}`);
    }
  });
  if (unreadable.length > 0) throw unknownNeeds(`No vault has these points intact, so what they need is not known: ${unreadable.join('; ')}`);
  if (options.despiteLost !== true) {
    const lost: string[] = [];
    for (const [key, point] of followed) {
      if (points.has(key)) continue;
      if (!(await isThereNow(views, key, point, keys, signal))) lost.push(key);
    }
    if (lost.length > 0) throw unknownNeeds(`Points are gone that nobody removed: ${lost.toSorted().join(', ')}`);
  }
  return { objects, removed };
}

/** A point, or its tombstone, that came while the listing went on is not lost. */
async function isThereNow(views: readonly Vault[], key: string, point: PointName, keys: PublicKeys, signal: AbortSignal | undefined): Promise<boolean> {
  for (const vault of views) if ((await vault.head(key, { signal })) !== undefined) return true;
  return (await readPointTombstone(views, point, keys, { signal })) !== undefined;
}

const UNREADABLE: ReadonlySet<string> = new Set(['LB_REPO_DAMAGED', 'LB_REPO_FORGED', 'LB_VAULT_OBJECT_MISSING']);

function unknownNeeds(message: string): LifeboatError {
  return new LifeboatError('LB_REPO_DAMAGED', message, {
    hint: 'Nothing was swept. Bring the points back from another copy, or delete those that were forged; `--despite-lost` sweeps though points are gone for good.',
  });
}
