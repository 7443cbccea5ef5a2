import { LifeboatError } from '../core/errors.ts';
import type {
  BackupSession,
  BytesRef,
  CommittedPoint,
  Json,
  PointHeader,
  ReadAt,
  RecordWriter,
  ResumableOptions,
  SessionOptions,
  WriteStats,
} from './api.ts';
import { BulkWriter } from './bulk/bulk-writer.ts';
import { sha256Hex } from './bytes.ts';
import { ChunkStore } from './chunk-store.ts';
import { pointId, pointKey } from './layout.ts';
import { decodePoint, encodePoint, sealManifest } from './point.ts';
import { ChunkedRecordWriter } from './record-writer.ts';
import type { SessionParts } from './session-parts.ts';
import type { PreviousPoint } from './session-start.ts';
import { BACKUP_LIMIT } from './sweep/limits.ts';
import { readObject, whereIs } from './vault-io.ts';

/** One backup: chunks of records go to the `ChunkStore`, those of byte streams to the `BulkWriter`, the point is made here. */
export class Session implements BackupSession {
  readonly #parts: SessionParts;
  readonly #chunks: ChunkStore;
  #bulk: BulkWriter | undefined;
  #committing = false;

  constructor(parts: SessionParts, options: SessionOptions & ResumableOptions) {
    this.#parts = parts;
    this.#chunks = new ChunkStore(parts, options, () => this.#bulk?.failed());
  }

  records(): RecordWriter {
    return new ChunkedRecordWriter(this.#chunks.open());
  }

  stream(source: AsyncIterable<Uint8Array>, options: { readonly signal?: AbortSignal } = {}): Promise<BytesRef> {
    return this.#bulkWriter().stream(source, this.#signalWith(options.signal));
  }

  image(read: ReadAt, size: number, options: { readonly signal?: AbortSignal } = {}): Promise<BytesRef> {
    return this.#bulkWriter().image(read, size, this.#signalWith(options.signal));
  }

  async commit(point: {
    readonly at: string;
    readonly complete: boolean;
    readonly manifest: Json;
  }): Promise<CommittedPoint> {
    if (this.#committing) throw new LifeboatError('LB_INTERNAL', 'A backup can be committed once');
    this.#committing = true;
    const committed = await this.#commit(point);
    this.#parts.release();
    return committed;
  }

  async suspend(): Promise<WriteStats> {
    if (this.#committing) throw new LifeboatError('LB_INTERNAL', 'A backup that was committed cannot be suspended');
    this.#committing = true;
    try {
      this.#bulk?.finish();
      return await this.#chunks.suspend();
    } finally {
      await this.abort();
    }
  }

  async abort(): Promise<void> {
    this.#parts.abort.abort(new LifeboatError('LB_INTERRUPTED', 'The backup was given up'));
    this.#parts.release();
    const ended = this.#bulk?.end();
    await this.#chunks.settled();
    await this.#parts.storing.settled();
    await ended;
  }

  async #commit(point: { readonly at: string; readonly complete: boolean; readonly manifest: Json }): Promise<CommittedPoint> {
    const { storing, dropped, copies, site, start, key } = this.#parts;
    this.#bulk?.finish();
    const made = await this.#chunks.finish().finally(() => void this.#bulk?.end());
    const now = this.#parts.clock.now();
    if (now - this.#parts.startedAt > BACKUP_LIMIT) await start.requireUnswept(made.packTable, now);
    const committedAt = afterAll(this.#parts.clock.now(), start.previous);
    const id = pointId(committedAt);
    const sealedManifest = await sealManifest(
      point.manifest,
      { repositoryId: key.repositoryId, site, id },
      this.#parts.sealer,
    );
    const encode = (stats: WriteStats): { readonly header: PointHeader; readonly bytes: Buffer } => {
      const header: PointHeader = {
        id,
        site,
        at: point.at,
        startedAt: new Date(this.#parts.startedAt).toISOString(),
        committedAt: new Date(committedAt).toISOString(),
        previous: start.previous.map((previous) => ({ id: previous.header.id, sha256: previous.sha256 })),
        complete: point.complete,
        stats,
      };
      const content = { header, slots: start.slots, indexes: made.indexes, packTable: made.packTable, sealedManifest };
      return { header, bytes: encodePoint({ ...content, repositoryId: key.repositoryId }, key.signingKey) };
    };
    const { header, bytes } = withOwnSize(made.stats, encode);
    // What cannot be read must not be written: a key that is not the repository's shows here, before it does harm.
    decodePoint(bytes, { repositoryId: key.repositoryId, site, id }, key.signingPublicKey);
    const where = pointKey(site, id);
    const stored = await storing.commit(where, bytes, async (vault, signal) => {
      if ((await vault.put(where, bytes, { signal })) === 'created') return true;
      // A repeated put of the same point is no conflict; anything else under this name is.
      if (sha256Hex(await readObject(vault, where, { signal })) === sha256Hex(bytes)) return true;
      throw new LifeboatError('LB_VAULT_OBJECT_EXISTS', 'Another point has the same id', {
        where: whereIs(vault, where),
      });
    });
    const { vaults, behind } = stored;
    return { header, vaults, copies, safe: vaults.length >= copies, behind, failed: [...dropped, ...stored.failed] };
  }

  #bulkWriter(): BulkWriter {
    const { key, sealer, start, signal } = this.#parts;
    const repositoryId = Buffer.from(key.repositoryId, 'hex');
    this.#bulk ??= new BulkWriter({
      sink: this.#chunks,
      known: start.known.table,
      making: {
        repositoryId,
        sealer,
        registry: start.registry,
        store: (...pack) => this.#chunks.storePack(...pack),
        background: (work) => this.#chunks.background(work),
        check: () => this.#chunks.check(),
      },
      setup: { repositoryId, dedupKey: Uint8Array.from(key.dedupKey.expose()) },
      signal,
    });
    return this.#bulk;
  }

  #signalWith(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#parts.signal : AbortSignal.any([this.#parts.signal, signal]);
  }
}

/** `now`, or just after the points that come before, so that a quick succession of points sorts as it happened. */
function afterAll(now: number, previous: readonly PreviousPoint[]): number {
  const times = previous.map((point) => Date.parse(point.header.committedAt));
  // A point from a clock that is far ahead does not take ours with it.
  const near = times.filter((time) => time - now < 1000);
  return Math.max(now, ...near.map((time) => time + 1));
}

/** The point's own size is part of what it says was stored: encoded again until the number is its own. */
function withOwnSize<T extends { readonly bytes: Buffer }>(stats: WriteStats, encode: (stats: WriteStats) => T): T {
  let encoded = encode(stats);
  for (;;) {
    const { length } = encoded.bytes;
    encoded = encode({ ...stats, storedBytes: stats.storedBytes + length });
    if (encoded.bytes.length === length) return encoded;
  }
}
