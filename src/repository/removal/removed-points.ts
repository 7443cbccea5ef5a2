import type { Vault } from '../../vault/vault.ts';
import { pointKey } from '../layout.ts';
import { genuineView } from '../originals.ts';
import type { ReadContext } from '../pack-store.ts';
import { listPointObjects } from '../vault-contents.ts';
import type { PointName } from '../vault-contents.ts';
import type { RemovedListing } from '../api.ts';
import { removedAmong } from './live-points.ts';
import type { RemovalKeys } from './tombstone.ts';

/**
 * The points that genuine tombstones say were removed, oldest first; where first versions are kept, also of those that somebody hid.
 * Throws what a vault throws that cannot be listed.
 */
export async function listRemovedPoints(vaults: readonly Vault[], site: string | undefined, keys: RemovalKeys, context: ReadContext): Promise<RemovedListing[]> {
  const claimed = new Map<string, { readonly name: PointName; readonly vaults: Vault[] }>();
  const holding = new Map<string, Set<string>>();
  for (const vault of vaults) {
    const { points, tombstones } = await listPointObjects(genuineView(vault, context.onWarning), site, context.signal);
    for (const name of tombstones) {
      const key = pointKey(name.site, name.id);
      const known = claimed.get(key) ?? { name, vaults: [] };
      known.vaults.push(vault);
      claimed.set(key, known);
    }
    for (const point of points) {
      const key = pointKey(point.site, point.id);
      holding.set(key, (holding.get(key) ?? new Set()).add(vault.name));
    }
  }
  const removed = await removedAmong(new Map([...claimed.values()].map(({ name, vaults: having }) => [name, having])), keys, context);
  const listings = [...removed].map(([{ site: of, id }, { removedAt, reason }]) => {
    const key = pointKey(of, id);
    const knowing = new Set((claimed.get(key)?.vaults ?? []).map((vault) => vault.name));
    return { id, site: of, removedAt, reason, vaults: [...knowing], holding: [...(holding.get(key) ?? [])] };
  });
  return listings.sort((a, b) => (a.id < b.id || (a.id === b.id && a.site < b.site) ? -1 : 1));
}
