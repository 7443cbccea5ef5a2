import { isLifeboatError, messageOf } from '../core/errors.ts';
import type { OnWarning } from '../core/progress.ts';
import type { Secret } from '../keys/index.ts';
import type { Vault } from '../vault/vault.ts';
import { CHUNK_ID_BYTES } from './chunk-id.ts';
import { ChunkTable } from './chunk-table.ts';
import { decodeIndexObject } from './index-object.ts';
import type { PackIndex } from './index-object.ts';
import { indexHash, indexKey } from './layout.ts';
import type { PackRegistry } from './pack-registry.ts';
import { forEachParallel } from './parallel.ts';
import { readNamed, whereIs } from './vault-io.ts';

/** Index objects read at once. */
const PARALLEL = 16;

/** What loading index objects takes. */
export interface KnownChunksInput {
  /** Index objects to read. */
  readonly indexes: readonly string[];
  /** Where they can be read. */
  readonly vaults: readonly Vault[];
  /** Packs each vault has, with their sizes: what a vault lacks is not deduplicated against. */
  readonly packs: readonly ReadonlyMap<string, number>[];
  readonly indexKey: Secret;
  readonly repositoryId: Uint8Array;
  readonly registry: PackRegistry;
  readonly signal?: AbortSignal | undefined;
  readonly onWarning?: OnWarning | undefined;
}

/**
 * The chunks that need not be stored again: those whose pack every vault in use has, whole.
 * An index object that cannot be read costs space only, and is left out with a warning.
 */
export async function loadKnownChunks(input: KnownChunksInput): Promise<ChunkTable> {
  const table = new ChunkTable();
  const seen = new Set<string>();
  await forEachParallel(input.indexes, PARALLEL, async (id) => {
    for (const index of (await readIndex(id, input)) ?? []) {
      const { pack } = index;
      if (seen.has(pack.id) || !input.packs.every((packs) => packs.get(pack.id) === pack.size)) continue;
      seen.add(pack.id);
      addPack(table, index, input.registry.add(pack));
    }
  });
  return table;
}

function addPack(table: ChunkTable, index: PackIndex, pack: number): void {
  table.reserve(index.ids.length / CHUNK_ID_BYTES);
  let offset = 0;
  for (const [block, count] of index.blocks.entries()) {
    for (let chunk = 0; chunk < count; chunk++) {
      table.add(index.ids, offset, pack, block, chunk);
      offset += CHUNK_ID_BYTES;
    }
  }
}

async function readIndex(id: string, input: KnownChunksInput): Promise<PackIndex[] | undefined> {
  for (const vault of input.vaults) {
    const key = indexKey(id);
    try {
      const bytes = await readNamed(vault, key, indexHash(id), input.signal);
      return await decodeIndexObject(bytes, input.indexKey, input.repositoryId);
    } catch (error) {
      input.signal?.throwIfAborted();
      if (isLifeboatError(error, 'LB_REPO_NEWER_FORMAT')) throw error;
      input.onWarning?.({ kind: 'index-unreadable', message: messageOf(error), where: whereIs(vault, key) });
    }
  }
  return undefined;
}
