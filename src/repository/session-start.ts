import type { WriteKey } from '../keys/index.ts';
import type { Vault } from '../vault/vault.ts';
import type { SessionOptions } from './api.ts';
import { packsToRewrite } from './consolidation.ts';
import { findHeads } from './heads.ts';
import { loadKnownChunks } from './known-chunks.ts';
import type { KnownChunks } from './known-chunks.ts';
import type { Lanes } from './lanes.ts';
import { compactTime, indexHash, indexKey, slotKey } from './layout.ts';
import { PackRegistry } from './pack-registry.ts';
import type { Point } from './point.ts';
import { finishPoints } from './unfinished-points.ts';
import { readNamed } from './vault-io.ts';
import { lookInto } from './vault-view.ts';
import type { VaultView } from './vault-view.ts';

/** What a backup knows of the vaults when it begins. */
export interface SessionStart {
  /** Points of the site that the new one follows. */
  readonly previous: readonly Point[];
  /** Key slots; every vault in use has them. */
  readonly slots: readonly string[];
  readonly registry: PackRegistry;
  readonly known: KnownChunks;
}

/** Looks into every vault; those that cannot be used are dropped from `lanes`. */
export async function startSession(
  site: string,
  key: WriteKey,
  lanes: Lanes,
  options: SessionOptions,
): Promise<SessionStart> {
  const { signal, onWarning } = options;
  const views = await lanes.each((vault) => lookInto(vault, key, signal));
  const points = new Map([...views].map(([vault, view]) => [vault, view.points]));
  const access = { repositoryId: key.repositoryId, signingPublicKey: key.signingPublicKey };
  const headsBySite = await findHeads(points, { ...access, signal, onWarning });
  const heads = [...headsBySite.values()].flat();
  const slots = holders(views, (view) => view.slots);
  const indexes = worthReading(
    holders(views, (view) => view.indexes),
    heads,
  );
  const previous = headsBySite.get(site) ?? [];
  const registry = new PackRegistry();
  const known = await loadKnownChunks({
    indexes,
    packs: [...views.values()].map((view) => view.packs),
    preferred: new Set(heads.flatMap((head) => head.packs.map((pack) => pack.id))),
    excluded: packsToRewrite(previous.flatMap((point) => point.packs)),
    indexKey: key.indexKey,
    repositoryId: Buffer.from(key.repositoryId, 'hex'),
    registry,
    signal,
    onWarning,
  });
  // The point will name these; a vault that missed them, being away or new, gets them from another.
  const named = new Map(known.indexes.map((id) => [id, indexes.get(id) ?? []]));
  await copyToAll(named, (id) => ({ key: indexKey(id), sha256: indexHash(id) }), lanes, options);
  await copyToAll(slots, (id) => ({ key: slotKey(id), sha256: id }), lanes, options);
  await finishPoints(site, key, views, lanes, options);
  return { previous, slots: [...slots.keys()].sort(), registry, known };
}

/** For each object that any vault has, the vaults that have it. */
function holders(
  views: ReadonlyMap<Vault, VaultView>,
  idsOf: (view: VaultView) => readonly string[],
): ReadonlyMap<string, readonly Vault[]> {
  const found = new Map<string, Vault[]>();
  for (const [vault, view] of views) for (const id of idsOf(view)) found.set(id, [...(found.get(id) ?? []), vault]);
  return found;
}

/**
 * Index objects that are worth reading: those the newest points name, and those that came after these points began,
 * left by backups that did not finish. Older ones were merged into others.
 */
function worthReading(
  indexes: ReadonlyMap<string, readonly Vault[]>,
  heads: readonly Point[],
): ReadonlyMap<string, readonly Vault[]> {
  if (heads.length === 0) return indexes;
  const named = new Set(heads.flatMap((head) => head.indexes));
  const since = compactTime(Math.min(...heads.map((head) => Date.parse(head.header.startedAt))));
  return new Map([...indexes].filter(([id]) => named.has(id) || id >= since));
}

/** Puts small objects into the vaults that lack them. One that no vault has intact is left as it is, with a warning. */
async function copyToAll(
  objects: ReadonlyMap<string, readonly Vault[]>,
  named: (id: string) => { readonly key: string; readonly sha256: string },
  lanes: Lanes,
  { signal, onWarning }: SessionOptions,
): Promise<void> {
  for (const [id, vaults] of objects) {
    if (lanes.inUse.every((vault) => vaults.includes(vault))) continue;
    const { key, sha256 } = named(id);
    const bytes = await readFromAny(vaults, key, sha256, signal);
    if (bytes === undefined)
      onWarning?.({ kind: 'object-unreadable', message: 'No vault has this object intact', where: key });
    else await lanes.each(async (vault) => vaults.includes(vault) || vault.put(key, bytes, { signal }));
  }
}

async function readFromAny(
  vaults: readonly Vault[],
  key: string,
  sha256: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  for (const vault of vaults) {
    try {
      return await readNamed(vault, key, sha256, signal);
    } catch {
      signal?.throwIfAborted();
    }
  }
  return undefined;
}
