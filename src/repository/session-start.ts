import type { WriteKey } from '../keys/index.ts';
import type { Vault } from '../vault/vault.ts';
import type { SessionOptions } from './api.ts';
import { release, toHex } from './bytes.ts';
import { packsToRewrite } from './consolidation.ts';
import { otherSize } from './copy-object.ts';
import { findHeads } from './heads.ts';
import { loadKnownChunks } from './known-chunks.ts';
import type { KnownChunks } from './known-chunks.ts';
import { compactTime, indexHash, indexKey, packKey, PACKS_PREFIX, slotKey } from './layout.ts';
import { NewestPacks } from './newest-packs.ts';
import { PackRegistry } from './pack-registry.ts';
import { packsIn } from './pack-table.ts';
import type { PackRef } from './pack-table.ts';
import type { PointSections } from './point.ts';
import { withoutRemoved } from './removal/live-points.ts';
import type { SeenObjects } from './seen-objects.ts';
import type { Storing } from './storing/storing.ts';
import { requireUnswept } from './sweep/unswept.ts';
import { unfinishedPoints } from './unfinished-points.ts';
import type { VaultView } from './vault-view.ts';

/** A point that the new one follows. */
export type PreviousPoint = Pick<PointSections, 'header' | 'sha256'>;

/** What a backup knows of the vaults when it begins. */
export interface SessionStart {
  /** Points of the site that the new one follows. */
  readonly previous: readonly PreviousPoint[];
  /** Key slots; a vault gets those it lacks before the point. */
  readonly slots: readonly string[];
  readonly registry: PackRegistry;
  readonly known: KnownChunks;
  /** Throws `LB_BACKUP_TOO_LONG` when the sweep may have deleted, or may soon delete, one of these packs. */
  readonly requireUnswept: (packTable: Uint8Array, now: number) => Promise<void>;
}

/** What beginning a backup takes. */
export interface StartInput {
  readonly site: string;
  readonly key: WriteKey;
  /** What each vault has. */
  readonly views: ReadonlyMap<Vault, VaultView>;
  /** Brings to each vault what it lacks of what the point will name. */
  readonly storing: Storing;
  readonly copies: number;
  readonly seen?: SeenObjects | undefined;
}

/** Finds out what the backup follows and what is stored already, and has vaults that lack some of it get that from the others. */
export async function startSession(input: StartInput, options: SessionOptions): Promise<SessionStart> {
  const { site, key, storing, copies, seen } = input;
  const { signal, onWarning } = options;
  const views = await withoutRemoved(input.views, key, { signal, onWarning });
  const slots = holders(views, (view) => view.slots);
  const { previous, indexes, preferred, excluded } = await lookBack(site, key, views, { ...options, seen });
  const registry = new PackRegistry((pack) => owePack(pack, views, storing, options));
  const known = await loadKnownChunks({
    indexes,
    packs: new Map([...views].map(([vault, { packs }]) => [vault, packs])),
    copies,
    preferred,
    excluded,
    indexKey: key.indexKey,
    repositoryId: Buffer.from(key.repositoryId, 'hex'),
    registry,
    signal,
    onWarning,
    seen,
  });
  // The point will name these; a vault that missed them, being away or new, gets them from another.
  const small = [
    ...known.indexes.map((id) => ({ key: indexKey(id), sha256: indexHash(id), holders: indexes.get(id) ?? [] })),
    ...[...slots].map(([id, having]) => ({ key: slotKey(id), sha256: id, holders: having })),
  ];
  const unfinished = await unfinishedPoints(site, key, views, options);
  for (const vault of views.keys()) {
    const owed = small.filter((object) => !object.holders.includes(vault));
    for (const object of owed) storing.owe(vault, storing.copyOf(object, () => object.holders, true));
    const after = owed.map((object) => object.key);
    for (const point of unfinished.get(vault) ?? []) storing.owe(vault, { ...point, after });
  }
  const vaults = [...views.keys()];
  return {
    previous,
    slots: [...slots.keys()].sort(),
    registry,
    known,
    requireUnswept: (packTable, now) => requireUnswept(vaults, key, packTable, now, signal),
  };
}

/** What the newest points say. Their pack tables, which may be large, are let go before the index is read. */
async function lookBack(
  site: string,
  { repositoryId, signingPublicKey }: WriteKey,
  views: ReadonlyMap<Vault, VaultView>,
  { signal, onWarning, seen }: SessionOptions & { readonly seen?: SeenObjects | undefined },
): Promise<{
  readonly previous: readonly PreviousPoint[];
  /** Index objects that are worth reading, and the vaults that have them. */
  readonly indexes: ReadonlyMap<string, readonly Vault[]>;
  readonly preferred: NewestPacks;
  /** Packs that are not to be built on. */
  readonly excluded: ReadonlySet<string>;
}> {
  const points = new Map([...views].map(([vault, view]) => [vault, view.points]));
  const headsBySite = await findHeads(points, { repositoryId, signingPublicKey, signal, onWarning, seen });
  const heads = [...headsBySite.values()].flat();
  const doomed = marksOf(views, heads);
  const previous = headsBySite.get(site) ?? [];
  const found = {
    previous: previous.map(({ header, sha256 }) => ({ header, sha256 })),
    indexes: worthReading(
      holders(views, (view) => view.indexes.filter((id) => !doomed.has(indexKey(id)))),
      heads,
    ),
    preferred: new NewestPacks(heads.map(({ packTable }) => packTable)),
    excluded: new Set([...packsToRewrite(previous.map(({ packTable }) => packTable)), ...doomed]),
  };
  for (const { packTable } of heads) release(packTable);
  return found;
}

/**
 * Packs (by id) and index objects (by key) that the sweep marked, and that no newest point needs. Those of the newest
 * points stay as long as these points count, and a grace period longer.
 */
function marksOf(views: ReadonlyMap<Vault, VaultView>, heads: readonly PointSections[]): ReadonlySet<string> {
  const marked = [...views.values()].flatMap((view) => [...view.marked]);
  const doomed = new Set(marked.map((key) => (key.startsWith(PACKS_PREFIX) ? key.slice(key.lastIndexOf('/') + 1) : key)));
  if (doomed.size === 0) return doomed;
  for (const { packTable, indexes } of heads) {
    for (const { id } of packsIn(packTable)) doomed.delete(toHex(id));
    for (const id of indexes) doomed.delete(indexKey(id));
  }
  return doomed;
}

/** Has the vaults that lack a pack which the point will need get it from one that has it. */
function owePack({ id, size }: PackRef, views: ReadonlyMap<Vault, VaultView>, storing: Storing, { onWarning }: SessionOptions): void {
  const key = packKey(id);
  const having = [...views].filter(([, view]) => view.packs.sizeOf(id) === size).map(([vault]) => vault);
  for (const [vault, view] of views) {
    const there = view.packs.sizeOf(id);
    if (there === undefined) storing.owe(vault, storing.copyOf({ key, sha256: id, size }, () => having));
    if (there === undefined || there === size) continue;
    const { message, where = '' } = otherSize(vault, key, size, there);
    onWarning?.({ kind: 'object-damaged', message, where });
    storing.owe(vault, { key, size, store: () => Promise.resolve(false) });
  }
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
  heads: readonly PointSections[],
): ReadonlyMap<string, readonly Vault[]> {
  if (heads.length === 0) return indexes;
  const named = new Set(heads.flatMap((head) => head.indexes));
  const since = compactTime(Math.min(...heads.map((head) => Date.parse(head.header.startedAt))));
  return new Map([...indexes].filter(([id]) => named.has(id) || id >= since));
}
