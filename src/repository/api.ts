import type { OnProgress, OnWarning } from '../core/progress.ts';

/** Any JSON document. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Where a stored record stream is: small, plain JSON, kept in a point's manifest. Opaque to everyone but the repository. */
export interface StreamRef {
  /** Records in it. */
  readonly records: number;
  /** Plaintext bytes of the records. */
  readonly bytes: number;
  /** Base64 of the encoded extent list (docs/format.md). */
  readonly extents: string;
}

/** Where a stored byte stream or block image is: small, plain JSON, kept in a point's manifest. Opaque to everyone but the repository. */
export interface BytesRef {
  /** Bytes of it, holes included. */
  readonly bytes: number;
  /** Base64 of the encoded byte map (docs/format.md). */
  readonly map: string;
}

/**
 * Fills `into` with the bytes of an image from `offset` on, some of it at least, and gives how many. The memory is shared between
 * threads: do not keep it. A `FileHandle`'s `read` does: `async (into, offset) => (await file.read(into, 0, into.length, offset)).bytesRead`.
 */
export type ReadAt = (into: Uint8Array, offset: number) => Promise<number>;

/** Where a stream is restored to. Several calls are made at once, in any order; each byte is told once. */
export interface BytesTarget {
  /** Puts bytes where they belong. Their memory is used again once this resolves. */
  write(bytes: Uint8Array, offset: number): Promise<void>;
  /** These bytes are zero: nothing to do where they are so anyway, as in a new file. */
  zero(offset: number, length: number): Promise<void>;
}

/**
 * Writes one record stream. `write` applies back-pressure: await what it returns. There is a promise only where there is
 * something to wait for: waiting for nothing costs a turn for each of many small records. The bytes are copied or consumed
 * when it returns.
 */
export interface RecordWriter {
  write(record: Uint8Array): Promise<void> | void;
  end(): Promise<StreamRef>;
  /** Says that a stream is void, ended or not: its records count for nothing. Nothing may be written to it any more. */
  discard(): void;
}

/** What one backup added, in bytes as stored (per vault). */
export interface WriteStats {
  readonly recordsTotal: number;
  readonly plaintextBytes: number;
  readonly newChunks: number;
  readonly newPlaintextBytes: number;
  readonly packs: number;
  /** All bytes added to each vault: packs, index, point. */
  readonly storedBytes: number;
}

/** The clear part of a point: readable by anyone who can read the vault, signed. */
export interface PointHeader {
  /** `<UTC time>-<random>`: `20260314T021500Z-9f3a5c7e`; sorts by time. */
  readonly id: string;
  readonly site: string;
  /** The moment the point shows (when the cut's revision was taken): ISO 8601, UTC. */
  readonly at: string;
  /** When the backup began and the point was committed: ISO 8601, UTC. */
  readonly startedAt: string;
  readonly committedAt: string;
  /** Points this one follows: id and SHA-256 of the whole point object. Two when two backups ran at once; none for a first. */
  readonly previous: readonly { readonly id: string; readonly sha256: string }[];
  readonly complete: boolean;
  readonly stats: WriteStats;
}

export interface CommittedPoint {
  readonly header: PointHeader;
  /** Vaults that hold the point and everything it needs. */
  readonly vaults: readonly string[];
  /** How many vaults must do so for the point to be safe. */
  readonly copies: number;
  /** Whether that many do. */
  readonly safe: boolean;
  /** Vaults that were too slow to get all of it: `replicate` brings them level. */
  readonly behind: readonly {
    readonly vault: string;
    /** Packs that it lacks of the point, and bytes of everything. */
    readonly packs: number;
    readonly bytes: number;
  }[];
  /** Vaults that failed, and why. */
  readonly failed: readonly { readonly vault: string; readonly code: string; readonly message: string }[];
}

/** One backup. Nothing is visible until `commit` resolves. */
export interface BackupSession {
  /** Begins a record stream; any number may be written at the same time. */
  records(): RecordWriter;
  /**
   * Stores bytes as they come, in content-defined chunks: what was inserted or removed leaves the rest known. Reads no faster
   * than it can store, and what the source gives is used up before it is asked again. Several may be stored at the same time.
   */
  stream(source: AsyncIterable<Uint8Array>, options?: { readonly signal?: AbortSignal }): Promise<BytesRef>;
  /**
   * Stores a block image of `size` bytes in chunks of 1 MiB at their offsets, which suits what is changed in place; chunks of zeros
   * are left out. Throws `LB_INTERNAL` when the image ends early.
   */
  image(read: ReadAt, size: number, options?: { readonly signal?: AbortSignal }): Promise<BytesRef>;
  /**
   * Makes everything durable, then writes the point into every vault that has all of it: the commit. Resolves when
   * `copies` vaults hold it, and the others do too, failed, or were given the time they are given. A vault that does not
   * get it costs a warning; throws when none does.
   */
  commit(point: { readonly at: string; readonly complete: boolean; readonly manifest: Json }): Promise<CommittedPoint>;
  /**
   * Stops before the point is whole, for another session to go on: what was given so far is made durable in as many vaults as a
   * safe point needs, and known to sessions that begin later, which store none of it again. No point is made. Whoever writes
   * must have stopped; streams may be open. The session is over then, also when this throws. Gives what it added.
   */
  suspend(): Promise<WriteStats>;
  /** Gives up: stops uploads. What was stored already is garbage that nobody sees. Idempotent. */
  abort(): Promise<void>;
}

/** A repository opened with a write key: can add points, cannot read what it wrote. */
export interface RepositoryWriter {
  readonly id: string;
  /** `options` go before those the repository was opened with. */
  begin(site: string, options?: SessionOptions & CopiesOptions & ResumableOptions): Promise<BackupSession>;
  close(): Promise<void>;
}

export interface SessionOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress;
  readonly onWarning?: OnWarning;
}

/** For sessions that may be ended at any moment, and gone on with by another. */
export interface ResumableOptions {
  /** What was stored is known to later sessions after so long, ms. Default: when a good deal more was stored than is known. */
  readonly knownAfter?: number | undefined;
  /** Packs are made of so many bytes, at most the usual 16 MiB: what a pack lacks to be whole is lost when the session is ended. */
  readonly packBytes?: number | undefined;
}

/** How a backup treats its vaults. */
export interface CopiesOptions {
  /** Vaults that must hold a point for it to be safe. Default: the only one, else a majority of them. */
  readonly copies?: number | undefined;
  /** Bytes of finished packs that may wait in memory for slow vaults. Default: 128 MiB. */
  readonly memory?: number | undefined;
  /**
   * How long a vault may take, once the point is safe without it, to get all of it as well, ms. Default: a tenth of the
   * time the backup took, and at least 5 s.
   */
  readonly patience?: number | undefined;
}

/** One vault's copy of a point. */
export interface PointCopy {
  readonly vault: string;
  /**
   * `complete`: the point is intact there, and every pack that it needs is there in its size. `partial`: packs are not.
   * `damaged`: the point itself cannot be read there, or is not genuine.
   */
  readonly state: 'complete' | 'partial' | 'damaged';
  /** Packs it lacks there, or has in another size; with `partial`. */
  readonly missing?: number;
  /** What is wrong; with `damaged`. */
  readonly problem?: string;
  /** Until when the point itself is locked there: ISO 8601, UTC. Absent when it is not, or no longer. */
  readonly lockedUntil?: string;
  /** Objects of it, the point and its packs, that somebody put something over, or hid. What is beneath is what is read. */
  readonly shadowed?: number;
}

/** A point as found in the vaults. */
export interface PointListing {
  readonly id: string;
  readonly site: string;
  /** Vaults whose listing shows it. */
  readonly vaults: readonly string[];
  /** Its signed header; absent when no vault has an intact copy, and then `problem` says why. */
  readonly header?: PointHeader;
  readonly problem?: string;
  /** How it is in each of these vaults; only when asked for. */
  readonly copies?: readonly PointCopy[];
  /**
   * Different points have this id, each genuine by its signature: the vaults that hold each of them, the one to be believed first.
   * Only with `copies`.
   */
  readonly disputed?: readonly (readonly string[])[];
}

/** A point that was removed on purpose. */
export interface RemovedListing {
  readonly id: string;
  readonly site: string;
  /** ISO 8601, UTC. */
  readonly removedAt: string;
  /** For people. */
  readonly reason: string;
  /** Vaults that know of it. */
  readonly vaults: readonly string[];
  /** Vaults that hold the point still: it comes back when its tombstones are deleted. None: it was swept. */
  readonly holding: readonly string[];
}

/** A part of a byte stream. */
export interface ByteRange {
  /** Default: the beginning. */
  readonly offset?: number;
  /** Default: to the end. */
  readonly length?: number;
}

/** A point opened with a read key. */
export interface OpenPoint {
  readonly header: PointHeader;
  readonly manifest: Json;
  readonly vaults: readonly string[];
  /**
   * The records of a stream, in order. Every chunk is authenticated before it is yielded; a damaged or missing
   * pack is read from the next vault (with a warning), and `LB_REPO_DAMAGED` is thrown when none has it intact.
   */
  records(stream: StreamRef, options?: SessionOptions): AsyncIterable<Uint8Array>;
  /**
   * The bytes of a stream or an image in order, or `length` of them from `offset` on; a range that reaches past the end gives
   * what there is. Every chunk is checked to be the one that was written before it is yielded. Damage is met as by `records`.
   */
  read(ref: BytesRef, range?: ByteRange, options?: SessionOptions): AsyncIterable<Uint8Array>;
  /** Writes all of a stream or an image to a target, out of order and with all cores. Damage is met as by `records`. */
  restore(ref: BytesRef, target: BytesTarget, options?: SessionOptions): Promise<void>;
}

/** A repository opened for reading. `listPoints` needs no key; `open` needs the read key. */
export interface RepositoryReader {
  readonly id: string;
  /** With `copies` each vault's copy is looked at as well: its packs are listed, and none is read. */
  listPoints(filter?: { readonly site?: string; readonly copies?: boolean; readonly signal?: AbortSignal }): Promise<readonly PointListing[]>;
  /** Points that were removed, also those that were swept since. */
  listRemoved(filter?: { readonly site?: string; readonly signal?: AbortSignal }): Promise<readonly RemovedListing[]>;
  /** `id`: a point's id, a unique beginning of one, or `latest`. Throws `LB_POINT_NOT_FOUND`, `LB_REPO_FORGED`, `LB_REPO_DAMAGED`, `LB_KEY_MISSING`. */
  open(id: string, options?: SessionOptions & { readonly site?: string }): Promise<OpenPoint>;
  /** Ends everything that is being read. The vaults stay open. Idempotent. */
  close(): Promise<void>;
}

/** One thing `verify` found. */
export interface Finding {
  readonly vault: string;
  /** The object's key in the vault. */
  readonly object: string;
  /**
   * `chain`: the points do not follow each other. `disputed`: different points, each genuine by its signature, have one id.
   * `shadowed`: something was put over the object, or it was hidden, and nothing else is wrong with it.
   */
  readonly kind: 'missing' | 'damaged' | 'forged' | 'truncated' | 'unreadable' | 'chain' | 'disputed' | 'shadowed';
  readonly message: string;
  /** Points that cannot be restored from this vault because of it. */
  readonly points: readonly string[];
}

export interface VerifyReport {
  readonly vaults: readonly {
    readonly name: string;
    readonly objects: number;
    readonly bytesRead: number;
    readonly points: number;
    readonly intactPoints: number;
    /** When data of this vault were last read by a verification that left a report: ISO 8601, UTC. */
    readonly lastVerified?: string;
    /** Everything that points needed at this time was read, and was intact, since. ISO 8601, UTC. */
    readonly fullyVerified?: string;
  }[];
  readonly findings: readonly Finding[];
  /** Objects no point needs: leavings of interrupted backups. Harmless; the sweep removes them. */
  readonly unreferenced: number;
  /** `structure`: names, sizes, signatures, chains, references. `data`: every byte of every object read and checked; with the read key also opened. */
  readonly depth: 'structure' | 'data' | 'data-opened';
  /** How many of the packs, index objects and rescue files of all vaults were read, and bytes of them; with depth `data`. */
  readonly data?: {
    readonly objects: number;
    readonly totalObjects: number;
    readonly bytes: number;
    readonly totalBytes: number;
  };
  /** What was, or could be, healed, and what could not; one entry for each object of a vault. Only when healing was asked for. */
  readonly repairs?: readonly Repair[];
}

/** What became of one object that is lost or damaged in one vault. */
export interface Repair {
  readonly vault: string;
  readonly object: string;
  /**
   * - `healed`: the vault has the object intact now. `possible`: it would, had this not been a dry run.
   * - `lost`: no vault has it intact.
   * - `kept`: what is there instead could not be taken away: a lock, or no right to delete. Nothing was changed.
   * - `waiting`: a point, and not everything it needs could be brought to this vault.
   * - `failed`: the vault failed.
   */
  readonly outcome: 'healed' | 'possible' | 'lost' | 'kept' | 'waiting' | 'failed';
  /** The vault it came from. */
  readonly from?: string;
  readonly message?: string;
  /** Points that cannot be restored from this vault without it. */
  readonly points: readonly string[];
}
