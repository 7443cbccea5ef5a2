import type { Vault } from '../vault/vault.ts';
import type { WriteKey } from '../keys/index.ts';
import type { SessionOptions } from './api.ts';
import type { ChunkTable } from './chunk-table.ts';
import { findHeads } from './heads.ts';
import { loadKnownChunks } from './known-chunks.ts';
import type { Lanes } from './lanes.ts';
import { compactTime } from './layout.ts';
import { PackRegistry } from './pack-registry.ts';
import type { Point } from './point.ts';
import { liveSlots } from './slot-objects.ts';
import { listIndexes, listPacks, listPointNames } from './vault-contents.ts';
import { requireHeader } from './vault-header.ts';

/** What a backup knows of the vaults when it begins. */
export interface SessionStart {
  /** Points of the site that the new one follows. */
  readonly previous: readonly Point[];
  readonly slots: readonly string[];
  /** Index objects whose chunks are in `known`. */
  readonly indexes: readonly string[];
  readonly registry: PackRegistry;
  readonly known: ChunkTable;
}

/** Looks into every vault; those that cannot be used are dropped from `lanes`. */
export async function startSession(
  site: string,
  key: WriteKey,
  lanes: Lanes,
  options: SessionOptions,
): Promise<SessionStart> {
  const { signal, onWarning } = options;
  const contents = await lanes.each(async (vault) => {
    await requireHeader(vault, key, signal);
    const [packs, indexes, slots, points] = await Promise.all([
      listPacks(vault, signal),
      listIndexes(vault, signal),
      liveSlots(vault, key, signal),
      listPointNames(vault, undefined, signal),
    ]);
    return { packs, indexes, slots, points };
  });
  const views = [...contents.values()];
  const points = new Map<Vault, readonly { site: string; id: string }[]>();
  for (const [vault, view] of contents) points.set(vault, view.points);
  const heads = await findHeads(points, { repositoryId: key.repositoryId, signingPublicKey: key.signingPublicKey, signal, onWarning });
  const indexes = chooseIndexes(views.map((view) => view.indexes), [...heads.values()].flat());
  const registry = new PackRegistry();
  const known = await loadKnownChunks({
    indexes,
    vaults: [...contents.keys()],
    packs: views.map((view) => view.packs),
    indexKey: key.indexKey,
    repositoryId: Buffer.from(key.repositoryId, 'hex'),
    registry,
    signal,
    onWarning,
  });
  return {
    previous: heads.get(site) ?? [],
    slots: [...new Set(views.flatMap((view) => view.slots))].sort(),
    indexes,
    registry,
    known,
  };
}

/**
 * Index objects that every vault has and that are worth reading: those the newest points name, and those that came
 * after these points began, left by backups that did not finish. Older ones were merged into others.
 */
function chooseIndexes(listings: readonly (readonly string[])[], heads: readonly Point[]): string[] {
  const [first = [], ...others] = listings;
  const everywhere = first.filter((id) => others.every((listing) => listing.includes(id)));
  if (heads.length === 0) return everywhere;
  const named = new Set(heads.flatMap((head) => head.indexes));
  const since = compactTime(Math.min(...heads.map((head) => Date.parse(head.header.startedAt))));
  return everywhere.filter((id) => named.has(id) || id >= since);
}
