import { createHash } from 'node:crypto';
import { z } from 'zod';
import { LifeboatError } from '../../core/errors.ts';
import type { ReadKey } from '../../keys/index.ts';
import { createOpener } from '../../keys/sealing.ts';
import type { Opener } from '../../keys/sealing.ts';
import type { Vault } from '../../vault/vault.ts';
import type { BytesRef, Json, StreamRef } from '../api.ts';
import { isHole } from '../bulk/byte-map.ts';
import { BulkReader } from '../bulk/bulk-reader.ts';
import { CHUNK_ID_BYTES, createChunkNamer } from '../chunk-id.ts';
import type { ChunkNamer } from '../chunk-id.ts';
import { decodeIndexObject } from '../index-object.ts';
import { PackReader } from '../pack-reader.ts';
import { PackStore } from '../pack-store.ts';
import type { ReadContext } from '../pack-store.ts';
import type { PackRef } from '../pack-table.ts';
import { openManifest } from '../point.ts';
import type { Point } from '../point.ts';
import { resolveExtents } from '../record-reader.ts';

/** Bytes of the length before each record. */
const LENGTH_BYTES = 4;

/** Ids and lengths of all chunks of a pack. */
interface PackContents {
  /** Number of the first chunk of each block; one more for the end. */
  readonly starts: Uint32Array;
  readonly ids: Buffer;
  readonly lengths: Uint32Array;
}

/** Opens everything with the read key. What it learns of the packs it uses to check index objects and points. */
export class ContentCheck {
  readonly #keys: ReadKey;
  readonly #repositoryId: Buffer;
  readonly #opener: Opener;
  readonly #namer: ChunkNamer;
  readonly #store: PackStore;
  readonly #bulk: BulkReader;
  readonly #refs: ReadonlyMap<string, PackRef>;
  readonly #contents = new Map<string, PackContents>();
  readonly #begun = new Set<string>();

  private constructor(
    keys: ReadKey,
    opener: Opener,
    vaults: readonly Vault[],
    refs: ReadonlyMap<string, PackRef>,
    signal: AbortSignal | undefined,
  ) {
    this.#keys = keys;
    this.#opener = opener;
    this.#refs = refs;
    this.#repositoryId = Buffer.from(keys.repositoryId, 'hex');
    this.#namer = createChunkNamer(keys.dedupKey);
    const opening = { opener, repositoryId: this.#repositoryId };
    this.#store = new PackStore(vaults, opening, signal);
    const setup = { repositoryId: this.#repositoryId, dedupKey: Uint8Array.from(keys.dedupKey.expose()) };
    this.#bulk = new BulkReader({ vaults, opening, setup, signal: signal ?? new AbortController().signal });
  }

  /** `refs`: what the points say of each pack. */
  static async create(
    keys: ReadKey,
    vaults: readonly Vault[],
    refs: ReadonlyMap<string, PackRef>,
    signal?: AbortSignal,
  ): Promise<ContentCheck> {
    return new ContentCheck(keys, await createOpener(keys.sealingKey), vaults, refs, signal);
  }

  /** True once for each pack that a point needs: the same bytes in another vault need not be opened again. */
  wantsPack(id: string): boolean {
    return this.#refs.has(id) && !this.#contents.has(id) && !this.#begun.has(id);
  }

  /** Whether every pack of a point was opened, so that `point` can judge it. */
  knows(point: Point): boolean {
    return point.packs.every((pack) => this.#contents.has(pack.id));
  }

  /** Opens every block of a pack and names every chunk. Throws `LB_REPO_DAMAGED`. */
  async pack(id: string, bytes: Uint8Array): Promise<void> {
    const ref = this.#refs.get(id);
    if (ref === undefined || !this.wantsPack(id)) return;
    this.#begun.add(id);
    const read = (offset: number, length: number): Uint8Array => bytes.subarray(offset, offset + length);
    const reader = await PackReader.open(ref, read, { opener: this.#opener, repositoryId: this.#repositoryId });
    const starts = new Uint32Array(reader.blocks.length + 1);
    for (const [i, block] of reader.blocks.entries()) starts[i + 1] = (starts[i] as number) + block.chunkLengths.length;
    const lengths = Uint32Array.from(reader.blocks.flatMap((block) => block.chunkLengths));
    const ids = Buffer.alloc(lengths.length * CHUNK_ID_BYTES);
    let at = 0;
    for (let number = 0; number < reader.blocks.length; number++) {
      const block = await reader.block(number, read);
      for (let i = 0; i < block.chunks; i++, at += CHUNK_ID_BYTES) {
        this.#namer.name(block.chunk(i)).copy(ids, at, 0, CHUNK_ID_BYTES);
      }
    }
    this.#contents.set(id, { starts, ids, lengths });
  }

  /** Checks that an index object opens, and names the chunks of its packs as they are. Throws `LB_REPO_DAMAGED`. */
  async index(_id: string, bytes: Uint8Array): Promise<void> {
    for (const { pack, blocks, ids } of await decodeIndexObject(bytes, this.#keys.indexKey, this.#repositoryId)) {
      const contents = this.#contents.get(pack.id);
      if (contents === undefined) continue;
      const counts = blocks.every((count, i) => count === (contents.starts[i + 1] ?? -1) - (contents.starts[i] ?? 0));
      if (counts && blocks.length === contents.starts.length - 1 && contents.ids.equals(ids)) continue;
      throw new LifeboatError(
        'LB_REPO_DAMAGED',
        `The index object says that other chunks are in pack ${pack.id} than are there`,
      );
    }
  }

  /** Checks that the manifest opens and that each of its streams is made of the chunks that were written. Throws `LB_REPO_DAMAGED`. */
  async point(point: Point, context: ReadContext): Promise<void> {
    const { site, id } = point.header;
    const manifest = await openManifest(
      point.sealedManifest,
      { repositoryId: this.#keys.repositoryId, site, id },
      this.#opener,
    );
    for (const stream of streamsIn(manifest)) {
      if ('map' in stream) await this.#checkBytes(stream, point, context);
      else await this.#checkStream(stream, point, context);
    }
  }

  async #checkBytes(stream: BytesRef, point: Point, context: ReadContext): Promise<void> {
    for await (const run of this.#bulk.runs(stream, point.packs, context)) {
      if (isHole(run)) continue;
      const contents = this.#contents.get(point.packs[run.pack]?.id ?? '');
      if (contents === undefined) throw new LifeboatError('LB_REPO_DAMAGED', 'A stream needs a pack that is not whole');
      for (const [i, length] of run.lengths.entries()) {
        const chunk = (contents.starts[run.block + i] ?? Infinity) + run.index;
        if (!(chunk < (contents.starts[run.block + i + 1] ?? 0)))
          throw new LifeboatError('LB_REPO_DAMAGED', 'A stream names chunks that are not there');
        const id = contents.ids.subarray(chunk * CHUNK_ID_BYTES, (chunk + 1) * CHUNK_ID_BYTES);
        const wanted = run.ids.subarray(i * CHUNK_ID_BYTES, (i + 1) * CHUNK_ID_BYTES);
        if (contents.lengths[chunk] !== length || !id.equals(wanted))
          throw new LifeboatError('LB_REPO_DAMAGED', 'A stream has other chunks than were written');
      }
    }
  }

  async #checkStream(stream: StreamRef, point: Point, context: ReadContext): Promise<void> {
    const source = { packs: point.packs, store: this.#store, namer: this.#namer };
    const list = await resolveExtents(stream.extents, source, context);
    const digest = createHash('sha256');
    let bytes = 0;
    for (const { pack, block, first, count } of list.extents) {
      const contents = this.#contents.get(point.packs[pack]?.id ?? '');
      if (contents === undefined) throw new LifeboatError('LB_REPO_DAMAGED', 'A stream needs a pack that is not whole');
      const from = (contents.starts[block] ?? Infinity) + first;
      if (!(from + count <= (contents.starts[block + 1] ?? 0)))
        throw new LifeboatError('LB_REPO_DAMAGED', 'A stream names chunks that are not there');
      digest.update(contents.ids.subarray(from * CHUNK_ID_BYTES, (from + count) * CHUNK_ID_BYTES));
      for (let i = from; i < from + count; i++) bytes += contents.lengths[i] as number;
    }
    if (!digest.digest().equals(list.digest))
      throw new LifeboatError('LB_REPO_DAMAGED', 'A stream has other chunks than were written');
    if (bytes !== stream.bytes + LENGTH_BYTES * stream.records)
      throw new LifeboatError('LB_REPO_DAMAGED', 'A stream has another length than was written');
  }
}

const streamRefSchema = z.strictObject({ records: z.int().min(0), bytes: z.int().min(0), extents: z.base64() });

const bytesRefSchema = z.strictObject({ bytes: z.int().min(0), map: z.base64() });

/** Every stream that a manifest names, wherever in it: an object with exactly the members of a `StreamRef` or a `BytesRef`. */
function* streamsIn(manifest: Json): Generator<StreamRef | BytesRef> {
  if (manifest === null || typeof manifest !== 'object') return;
  const stream = z.union([streamRefSchema, bytesRefSchema]).safeParse(manifest);
  if (stream.success) {
    yield stream.data;
    return;
  }
  for (const value of Object.values<Json>(manifest)) yield* streamsIn(value);
}
