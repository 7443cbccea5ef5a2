import type { WriteKey } from '../keys/index.ts';
import type { Vault } from '../vault/vault.ts';
import type { SessionOptions } from './api.ts';
import { pointKey } from './layout.ts';
import { genuineView } from './originals.ts';
import type { PackSet } from './pack-set.ts';
import { packsIn } from './pack-table.ts';
import { decodeSections } from './point.ts';
import type { PointPlace } from './point.ts';
import type { LaneItem } from './storing/lane.ts';
import type { VaultView } from './vault-view.ts';
import { readObject } from './vault-io.ts';

/** How many of a site's newest points are looked at: a backup that was killed left its point among them. */
const WINDOW = 8;

/**
 * A backup that is killed in the very moment of its commit may leave its point in some vaults and not in others, though
 * all of them hold what it needs. The next backup finishes that: gives, for each vault, the points that it is to get. A
 * vault that lacks some of the point's packs, having been away, is left as it is: `replicate` brings it level.
 */
export async function unfinishedPoints(
  site: string,
  key: Pick<WriteKey, 'repositoryId' | 'signingPublicKey'>,
  views: ReadonlyMap<Vault, VaultView>,
  { signal }: SessionOptions,
): Promise<ReadonlyMap<Vault, readonly LaneItem[]>> {
  const holders = new Map<string, Vault[]>();
  for (const [vault, { points }] of views) {
    for (const point of points)
      if (point.site === site) holders.set(point.id, [...(holders.get(point.id) ?? []), vault]);
  }
  const owed = new Map<Vault, LaneItem[]>();
  for (const id of [...holders.keys()].sort().slice(-WINDOW)) {
    const having = holders.get(id) ?? [];
    const lacking = [...views].filter(([vault]) => !having.includes(vault));
    if (lacking.length === 0) continue;
    const found = await readPoint(having, { repositoryId: key.repositoryId, site, id }, key.signingPublicKey, signal);
    if (found === undefined) continue;
    const item = pointItem(pointKey(site, id), found.bytes);
    for (const [vault, { packs }] of lacking) {
      if (holdsAll(packs, found.packTable)) owed.set(vault, [...(owed.get(vault) ?? []), item]);
    }
  }
  return owed;
}

function pointItem(key: string, bytes: Uint8Array): LaneItem {
  return {
    key,
    size: bytes.length,
    optional: true,
    store: async (vault, signal) => {
      await vault.put(key, bytes, { signal });
      return true;
    },
  };
}

function holdsAll(packs: PackSet, packTable: Uint8Array): boolean {
  for (const { id, size } of packsIn(packTable)) if (!packs.has(id, size)) return false;
  return true;
}

/** From the first vault that has it intact. What is wrong with the others is told by whoever looks for the newest points. */
async function readPoint(
  vaults: readonly Vault[],
  place: PointPlace,
  signingPublicKey: Uint8Array,
  signal: AbortSignal | undefined,
) {
  for (const vault of vaults) {
    try {
      const bytes = await readObject(genuineView(vault), pointKey(place.site, place.id), { signal });
      return { bytes, packTable: decodeSections(bytes, place, signingPublicKey).packTable };
    } catch {
      signal?.throwIfAborted();
    }
  }
  return undefined;
}
