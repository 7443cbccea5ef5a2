import { isLifeboatError, messageOf } from '../core/errors.ts';
import type { OnWarning } from '../core/progress.ts';
import type { Secret } from '../keys/index.ts';
import type { Vault } from '../vault/vault.ts';
import { CHUNK_ID_BYTES } from './chunk-id.ts';
import { ChunkTable } from './chunk-table.ts';
import { chooseBase } from './dedup-base.ts';
import { decodeIndexObject } from './index-object.ts';
import type { PackIndex } from './index-object.ts';
import { indexHash, indexKey } from './layout.ts';
import { genuineView } from './originals.ts';
import type { PackRegistry } from './pack-registry.ts';
import { forEachParallel } from './parallel.ts';
import { readNamed, whereIs } from './vault-io.ts';

/** Index objects read at once. */
const PARALLEL = 16;
/** So many index objects smaller than this are merged into one by the next backup. */
const MERGE_BELOW_BYTES = 1024 * 1024;
const MERGE_AT = 32;

/** What loading index objects takes. */
export interface KnownChunksInput {
  /** Index objects to read, and the vaults that have them. */
  readonly indexes: ReadonlyMap<string, readonly Vault[]>;
  /** Packs each vault has, with their sizes. */
  readonly packs: ReadonlyMap<Vault, ReadonlyMap<string, number>>;
  /** Vaults that must hold a point for it to be safe. */
  readonly copies: number;
  /** Packs that the newest points use: their copy of a chunk is taken rather than another. */
  readonly preferred: ReadonlySet<string>;
  /** Packs that are not deduplicated against. */
  readonly excluded: ReadonlySet<string>;
  readonly indexKey: Secret;
  readonly repositoryId: Uint8Array;
  readonly registry: PackRegistry;
  readonly signal?: AbortSignal | undefined;
  readonly onWarning?: OnWarning | undefined;
}

/** What a backup can use of what was stored before. */
export interface KnownChunks {
  readonly table: ChunkTable;
  /** Index objects that stay as they are. */
  readonly indexes: readonly string[];
  /** Contents of index objects that were many and small: to be put into the one this backup writes. */
  readonly merge: readonly PackIndex[];
}

interface LoadedIndex {
  readonly id: string;
  readonly bytes: number;
  readonly packs: readonly PackIndex[];
}

/**
 * The chunks that need not be stored again: those whose pack every vault has, whole, that the backup builds on.
 * An index object that cannot be read costs space only, and is left out with a warning.
 */
export async function loadKnownChunks(input: KnownChunksInput): Promise<KnownChunks> {
  const loaded: LoadedIndex[] = [];
  await forEachParallel(input.indexes, PARALLEL, async ([id, vaults]) => {
    const index = await readIndex(id, vaults, input);
    if (index !== undefined) loaded.push(index);
  });
  const found = new Map(loaded.flatMap((index) => index.packs).map((index) => [index.pack.id, index]));
  const base = chooseBase([...found.values()].map(({ pack }) => pack), input.packs, input.copies);
  const usable = new Map([...found].filter(([id, { pack }]) => base.every((vault) => input.packs.get(vault)?.get(id) === pack.size)));
  const useful = addToTable([...usable.values()], input);
  const small = loaded.filter((index) => index.bytes < MERGE_BELOW_BYTES);
  const merged = small.length >= MERGE_AT ? new Set(small) : new Set<LoadedIndex>();
  const mergedPacks = new Set([...merged].flatMap((index) => index.packs.map(({ pack }) => pack.id)));
  return {
    table: useful.table,
    indexes: loaded
      .filter((index) => !merged.has(index))
      .map((index) => index.id)
      .sort(),
    // A pack none of whose chunks was needed is left out: all of them are in others.
    merge: [...usable.values()].filter(({ pack }) => mergedPacks.has(pack.id) && useful.packs.has(pack.id)),
  };
}

/** Fills the table; `packs` are those that hold a chunk no pack before them held, or that are being written again. */
function addToTable(
  indexes: readonly PackIndex[],
  { preferred, excluded, registry }: KnownChunksInput,
): { readonly table: ChunkTable; readonly packs: ReadonlySet<string> } {
  const rank = (index: PackIndex): number => (preferred.has(index.pack.id) ? 0 : 1);
  const ordered = [...indexes].sort(
    (a, b) => rank(a) - rank(b) || b.pack.size - a.pack.size || (a.pack.id < b.pack.id ? -1 : 1),
  );
  const table = new ChunkTable(ordered.reduce((sum, { ids }) => sum + ids.length / CHUNK_ID_BYTES, 0));
  const packs = new Set<string>();
  for (const index of ordered) {
    const { id } = index.pack;
    if (excluded.has(id) || addPack(table, index, registry.add(index.pack))) packs.add(id);
  }
  return { table, packs };
}

function addPack(table: ChunkTable, index: PackIndex, pack: number): boolean {
  const before = table.size;
  let offset = 0;
  for (const [block, count] of index.blocks.entries()) {
    for (let chunk = 0; chunk < count; chunk++) {
      table.add(index.ids, offset, pack, block, chunk);
      offset += CHUNK_ID_BYTES;
    }
  }
  return table.size > before;
}

async function readIndex(
  id: string,
  vaults: readonly Vault[],
  input: KnownChunksInput,
): Promise<LoadedIndex | undefined> {
  for (const vault of vaults) {
    const key = indexKey(id);
    try {
      const bytes = await readNamed(genuineView(vault), key, indexHash(id), input.signal);
      return { id, bytes: bytes.length, packs: await decodeIndexObject(bytes, input.indexKey, input.repositoryId) };
    } catch (error) {
      input.signal?.throwIfAborted();
      if (isLifeboatError(error, 'LB_REPO_NEWER_FORMAT')) throw error;
      input.onWarning?.({ kind: 'index-unreadable', message: messageOf(error), where: whereIs(vault, key) });
    }
  }
  return undefined;
}
