import { isLifeboatError, messageOf } from '../core/errors.ts';
import type { OnWarning } from '../core/progress.ts';
import type { Secret } from '../keys/index.ts';
import type { Vault } from '../vault/vault.ts';
import { release, toHex } from './bytes.ts';
import { CHUNK_ID_BYTES } from './chunk-id.ts';
import { ChunkTable, MOST } from './chunk-table.ts';
import { chooseBase } from './dedup-base.ts';
import { openIndexObject, packIndexOf } from './index-object.ts';
import type { OpenIndex, PackIndex } from './index-object.ts';
import { indexHash, indexKey } from './layout.ts';
import type { NewestPacks } from './newest-packs.ts';
import { genuineView } from './originals.ts';
import type { PackRegistry } from './pack-registry.ts';
import type { PackSet } from './pack-set.ts';
import type { SeenObjects } from './seen-objects.ts';
import { forEachParallel } from './parallel.ts';
import { readNamed, whereIs } from './vault-io.ts';

/** Index objects read at once. Each takes several times its size while it is opened. */
const PARALLEL = 8;
/** So many index objects smaller than this are merged into one by the next backup. */
const MERGE_BELOW_BYTES = 1024 * 1024;
const MERGE_AT = 32;
/** No more than this is merged at a time: it is in memory until the backup ends, and a larger object takes more to open. */
const MERGE_MOST_BYTES = 4 * 1024 * 1024;

/** What loading index objects takes. */
export interface KnownChunksInput {
  /** Index objects to read, and the vaults that have them. */
  readonly indexes: ReadonlyMap<string, readonly Vault[]>;
  /** Packs each vault has. */
  readonly packs: ReadonlyMap<Vault, PackSet>;
  /** Vaults that must hold a point for it to be safe. */
  readonly copies: number;
  /** The packs of the newest points: the copy of a chunk in one of these is taken rather than another. */
  readonly preferred: NewestPacks;
  /** Packs that are not deduplicated against. */
  readonly excluded: ReadonlySet<string>;
  readonly indexKey: Secret;
  readonly repositoryId: Uint8Array;
  /** An empty one, which gets the packs. */
  readonly registry: PackRegistry;
  readonly signal?: AbortSignal | undefined;
  readonly onWarning?: OnWarning | undefined;
  /** Index objects that were read before. */
  readonly seen?: SeenObjects | undefined;
}

/** What a backup can use of what was stored before. */
export interface KnownChunks {
  readonly table: ChunkTable;
  /** Index objects that stay as they are. */
  readonly indexes: readonly string[];
  /** Contents of index objects that were many and small: to be put into the one this backup writes. */
  readonly merge: Iterable<PackIndex>;
}

/**
 * The chunks that need not be stored again: those whose pack every vault has, whole, that the backup builds on.
 * An index object that cannot be read costs space only, and is left out with a warning.
 */
export async function loadKnownChunks(input: KnownChunksInput): Promise<KnownChunks> {
  // About as many packs as are told of are there.
  input.registry.reserve(Math.max(...[...input.packs.values()].map(({ length }) => length)));
  const known = new Loading(input);
  await forEachParallel(input.indexes, PARALLEL, async ([id, vaults]) => {
    const index = await readIndex(id, vaults, input);
    if (index !== undefined) known.add(id, index.bytes, index.index);
  });
  return known.finish();
}

/** Chunks go into the table as they come, and are put right at the end: there may be too many to have in memory twice. */
class Loading {
  readonly #input: KnownChunksInput;
  readonly #table = new ChunkTable();
  /** Chunks that another pack holds as well: four numbers each, the entry and the other place. */
  readonly #doubles: number[] = [];
  readonly #excluded = new Set<number>();
  readonly #loaded: string[] = [];
  /** Small ones that are kept to be merged, their bytes, and how many there are in all. */
  readonly #small = new Map<string, OpenIndex>();
  #smallBytes = 0;
  #smallCount = 0;

  constructor(input: KnownChunksInput) {
    this.#input = input;
  }

  add(id: string, bytes: number, index: OpenIndex): void {
    this.#loaded.push(id);
    for (let number = 0; number < index.packs; number++) this.#addPack(index, number);
    if (bytes < MERGE_BELOW_BYTES) this.#smallCount++;
    if (bytes < MERGE_BELOW_BYTES && this.#smallBytes + bytes <= MERGE_MOST_BYTES) {
      this.#small.set(id, index);
      this.#smallBytes += bytes;
    } else {
      // Left to the collector, as much again would wait for it as is in use.
      release(index.contents);
    }
  }

  finish(): KnownChunks {
    const useful = this.#settle();
    const merged = this.#smallCount >= MERGE_AT ? this.#small : new Map<string, OpenIndex>();
    return {
      table: this.#table,
      indexes: this.#loaded.filter((id) => !merged.has(id)).sort(),
      merge: mergeOf([...merged.values()], this.#input.registry, useful),
    };
  }

  #addPack({ contents, refsAt, idsAt, blocksAt, blocks }: OpenIndex, number: number): void {
    const { registry, excluded } = this.#input;
    const ref = refsAt[number] as number;
    if (registry.find(contents, ref) >= 0) return;
    const pack = registry.addFound(contents, ref);
    if (excluded.size > 0 && excluded.has(toHex(contents.subarray(ref, ref + 32)))) {
      this.#excluded.add(pack);
      return;
    }
    let offset = idsAt[number] as number;
    const first = blocksAt[number] as number;
    const end = blocksAt[number + 1] as number;
    for (let block = first; block < end; block++) {
      for (let chunk = 0; chunk < (blocks[block] as number); chunk++) {
        const at = offset;
        offset += CHUNK_ID_BYTES;
        // No writer of ours makes such packs; what is in them is stored again.
        if (block - first >= MOST || chunk >= MOST) continue;
        const there = this.#table.addOrFind(contents, at, pack, block - first, chunk);
        if (there >= 0) this.#doubles.push(there, pack, block - first, chunk);
      }
    }
  }

  /**
   * Takes the best place of each chunk, and forgets those that have none. Gives 1 for each pack that holds a chunk for which it
   * was taken, or is being written again.
   */
  #settle(): Uint8Array {
    const { registry } = this.#input;
    const table = this.#table;
    const better = this.#ranking();
    for (let i = 0; i < this.#doubles.length; i += 4) {
      const [entry, pack, block, index] = this.#doubles.slice(i, i + 4) as [number, number, number, number];
      if (better.isBetter(pack, table.packOf(entry))) table.move(entry, pack, block, index);
    }
    const useful = new Uint8Array(registry.size);
    for (let entry = 0; entry < table.size; entry++) {
      const pack = table.packOf(entry);
      if (better.usable[pack] === 1) useful[pack] = 1;
      else table.forget(entry);
    }
    for (const pack of this.#excluded) if (better.usable[pack] === 1) useful[pack] = 1;
    return useful;
  }

  /** Packs that all vaults of the base have go before others, then those of the newest points, then the larger. */
  #ranking(): { readonly usable: Uint8Array; isBetter(pack: number, than: number): boolean } {
    const { registry, packs, copies, preferred } = this.#input;
    const base = chooseBase(found(registry), packs, copies).map((vault) => packs.get(vault));
    const usable = new Uint8Array(registry.size);
    let number = 0;
    for (const { id, size } of found(registry)) usable[number++] = base.every((there) => there?.has(id, size) === true) ? 1 : 0;
    const isBetter = (pack: number, than: number): boolean => {
      const order =
        (usable[pack] as number) - (usable[than] as number) ||
        Number(preferred.has(registry.refOf(pack))) - Number(preferred.has(registry.refOf(than))) ||
        registry.sizeOf(pack) - registry.sizeOf(than) ||
        Buffer.compare(registry.refOf(than), registry.refOf(pack));
      return order > 0;
    };
    return { usable, isBetter };
  }
}

/** What index objects say of their packs, made as it is asked for: it takes several times as much memory as they do. */
function mergeOf(indexes: readonly OpenIndex[], registry: PackRegistry, useful: Uint8Array): Iterable<PackIndex> {
  return { [Symbol.iterator]: () => packIndexesOf(indexes, registry, useful) };
}

function* packIndexesOf(indexes: readonly OpenIndex[], registry: PackRegistry, useful: Uint8Array): Generator<PackIndex, void, undefined> {
  const told = new Uint8Array(useful.length);
  for (const index of indexes) {
    for (let number = 0; number < index.packs; number++) {
      const pack = registry.find(index.contents, index.refsAt[number]);
      // A pack none of whose chunks was needed is left out: all of them are in others.
      if (useful[pack] !== 1 || told[pack] === 1) continue;
      told[pack] = 1;
      yield packIndexOf(index, number);
    }
  }
}

/** Ids and sizes of all packs, by their numbers. */
function* found(registry: PackRegistry): Generator<{ readonly id: Uint8Array; readonly size: number }> {
  for (let pack = 0; pack < registry.size; pack++) yield { id: registry.refOf(pack), size: registry.sizeOf(pack) };
}

async function readIndex(
  id: string,
  vaults: readonly Vault[],
  input: KnownChunksInput,
): Promise<{ readonly bytes: number; readonly index: OpenIndex } | undefined> {
  const repository = toHex(input.repositoryId);
  const seen = input.seen?.index(repository, id);
  if (seen !== undefined) return seen;
  for (const vault of vaults) {
    const key = indexKey(id);
    try {
      const bytes = await readNamed(genuineView(vault), key, indexHash(id), input.signal);
      const { length } = bytes;
      const index = await openIndexObject(bytes, input.indexKey, input.repositoryId);
      release(bytes);
      input.seen?.keepIndex(repository, id, { bytes: length, index });
      return { bytes: length, index };
    } catch (error) {
      input.signal?.throwIfAborted();
      if (isLifeboatError(error, 'LB_REPO_NEWER_FORMAT')) throw error;
      input.onWarning?.({ kind: 'index-unreadable', message: messageOf(error), where: whereIs(vault, key) });
    }
  }
  return undefined;
}
