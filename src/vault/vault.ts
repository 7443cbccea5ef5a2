/**
 * The object-store port. A vault is a flat set of immutable objects under string keys.
 *
 * What every driver promises (test/vault/contract.ts holds them to it):
 * - `put` is create-only and atomic: of any number of concurrent creators of one key exactly one gets
 *   `created`, all others `exists`; readers see the whole object or none; what was acknowledged is durable.
 * - an upload that fails, is aborted, or whose process dies is never visible, and leaves nothing that `list` shows.
 * - `get`, `head` and `list` see every acknowledged `put` at once.
 * - failures are `LifeboatError`s with an `LB_VAULT_*` code whose `where` names the vault and the key;
 *   `retriable` says whether the same call may succeed later. No error text contains a credential.
 * - every call ends promptly when its signal fires, with the signal's reason.
 */
export interface Vault {
  /** The name from lifeboat.yaml; used in messages and reports. */
  readonly name: string;
  /** Where it is, for people, without credentials: `directory /backups`, `s3 https://host/bucket/prefix`. */
  readonly location: string;
  /** Whether objects can be locked: the vault is configured with `lock`. Look at it before `retainUntil` or `retain` is used. */
  readonly locks: boolean;

  /**
   * Creates the object unless one exists. `exists` says nothing about the bytes that are there, or their lock.
   * `body` is either whole or a stream of known total length, read once.
   * With `retainUntil` it is locked from the moment it is there; `LB_VAULT_LOCK_UNSUPPORTED` where `locks` is false.
   */
  put(key: string, body: VaultBody, options?: PutOptions): Promise<PutOutcome>;

  /**
   * The object's bytes, or a range of them. Resolves once the object is known to exist.
   * The body is iterated over once; leaving it early (as `break` does) frees its connection.
   * Throws `LB_VAULT_OBJECT_MISSING`. A body that ends early fails the stream with `LB_VAULT_UNAVAILABLE`.
   */
  get(key: string, options?: GetOptions): Promise<VaultObject>;

  /** Size of the object and, where `locks` is true, until when it is locked; `undefined` if there is none. */
  head(key: string, options?: ReadOptions): Promise<ObjectInfo | undefined>;

  /** Every object whose key starts with `prefix`, in ascending order of the keys' UTF-8 bytes, read page by page. */
  list(prefix: string, options?: ListOptions): AsyncIterable<ObjectInfo>;

  /**
   * Locks the object until then: before, nobody can delete or change it. Never shortens a lock: one that lasts as long
   * already is left as it is. It is the first version that is locked, where the store keeps versions.
   * Throws `LB_VAULT_OBJECT_MISSING`, and `LB_VAULT_LOCK_UNSUPPORTED` where `locks` is false or the store cannot.
   */
  retain(key: string, until: Date, options?: CallOptions): Promise<void>;

  /**
   * Deletes the object, with all versions where the store keeps them and permits it; no error if there is none. Throws
   * `LB_VAULT_LOCKED` when a lock holds it, which then is as it was. Only `maintain` work calls it.
   */
  delete(key: string, options?: CallOptions): Promise<void>;

  /**
   * Takes away what was put over the first version of an object, newer versions and marks of deletion, and nothing else: the first
   * stays, whatever happens. Gives how many were taken away; 0 also where there is no object, or the store keeps no versions. In
   * stores that show what is older by themselves (S3) plain reading then finds the first again; elsewhere it may find nothing. Throws
   * `LB_VAULT_LOCKED` when one of them is locked itself; the others are gone then. Only `maintain` work calls it.
   */
  uncover(key: string, options?: CallOptions): Promise<number>;

  /** Frees connections. Idempotent. */
  close(): Promise<void>;
}

export type VaultBody = Uint8Array | { readonly size: number; readonly stream: () => AsyncIterable<Uint8Array> };

export type PutOutcome = 'created' | 'exists';

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface PutOptions extends CallOptions {
  /** Nobody can delete or change the object before then. Whole seconds; a fraction is rounded up. */
  readonly retainUntil?: Date | undefined;
}

export interface ReadOptions extends CallOptions {
  /**
   * Show the first version that was ever stored under a key, where the store keeps versions. lifeboat never overwrites,
   * so the first is the genuine one, and later ones, and marks of deletion, were put over it by somebody else.
   * Elsewhere it changes nothing. Needs the right to list versions.
   */
  readonly original?: boolean;
}

export interface GetOptions extends ReadOptions {
  /** First byte wanted; negative counts from the end (`-32` means the last 32 bytes). Default 0. */
  readonly offset?: number;
  /** Bytes wanted; to the end by default. A range that reaches past the end gives what there is. */
  readonly length?: number;
  /**
   * Memory for what is asked for. A driver that can read straight into it yields parts of it, each in its place; the others
   * ignore it. After a failure something may still be on its way into it: use it no more then.
   * Where it lies `alongside` the object (src/core/direct-io.ts), the rest of its first and last page may be overwritten as well.
   */
  readonly into?: Uint8Array | undefined;
}

export interface ListOptions extends ReadOptions {
  /** Only keys after this one. */
  readonly startAfter?: string;
}

export interface ObjectInfo {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Until when the object is locked; only `head` says it, and only of a vault that `locks`. */
  readonly retainUntil?: Date;
  /** With `original`: somebody put something else over this first version, or hid it. */
  readonly shadowed?: true;
}

export interface VaultObject {
  /** Bytes of the part that `body` yields. */
  readonly length: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Keys: 1 to 512 bytes; segments of 1 to 255 `[A-Za-z0-9._-]` joined by `/`, none starting with `.`.
 * Narrow on purpose: valid and case-exact in every store and file system we write to.
 * No key may be a folder of another (`p` and `p/q`): file systems, and S3 servers on top of one, refuse it.
 */
export const KEY_PATTERN =
  /^(?=.{1,512}$)[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}(\/[A-Za-z0-9_-][A-Za-z0-9._-]{0,254})*$/;
