import type { ErrorCode } from '../../src/core/error-codes.ts';
import { LifeboatError } from '../../src/core/errors.ts';
import type {
  GetOptions,
  ListOptions,
  ObjectInfo,
  PutOptions,
  PutOutcome,
  ReadOptions,
  Vault,
  VaultBody,
  VaultObject,
} from '../../src/vault/vault.ts';

/** Called before every operation; what it throws is what the operation throws. */
export type Interference = (operation: 'put' | 'get' | 'head' | 'list' | 'retain' | 'delete' | 'uncover', key: string) => void | Promise<void>;

/**
 * A vault in memory, for tests that look at or change every byte, or make operations fail. With `locks` set it locks
 * objects, and keeps the first version of those that somebody puts another over, or hides, as a bucket with object lock does.
 */
export class MemoryVault implements Vault {
  readonly name: string;
  readonly location: string;
  readonly objects = new Map<string, Uint8Array>();
  locks = false;
  /** Until when objects are locked. */
  readonly retained = new Map<string, Date>();
  /** First versions, of objects that were shadowed or hidden. */
  readonly #originals = new Map<string, Uint8Array>();
  /** Whether a first version is current again when what was put over it is gone, as in S3, or stays hidden, as elsewhere. */
  bringsBack = true;
  /** What time it is for locks. */
  now: () => number = Date.now;
  /** Bytes given out by `get`. */
  bytesRead = 0;
  interfere: Interference | undefined;

  constructor(name: string, objects: Iterable<readonly [string, Uint8Array]> = []) {
    this.name = name;
    this.location = `memory ${name}`;
    for (const [key, bytes] of objects) this.objects.set(key, bytes);
  }

  /** A vault with the same objects, by another name. */
  copy(name: string): MemoryVault {
    return new MemoryVault(name, this.objects);
  }

  /** Does what somebody with the right to store can do to a locked object: puts a newer version over it. */
  shadow(key: string, bytes: Uint8Array): void {
    this.#keepFirst(key);
    this.objects.set(key, bytes);
  }

  /** Does what somebody with the right to delete, but not versions, can do to a locked object: hides it. */
  hide(key: string): void {
    this.#keepFirst(key);
    this.objects.delete(key);
  }

  /** Takes away what was put over an object, or hides it. */
  reveal(key: string): void {
    const first = this.#originals.get(key);
    if (first === undefined) return;
    this.objects.set(key, first);
    this.#originals.delete(key);
  }

  /** What a lock has kept under this key, whatever was put over it. */
  locked(key: string): Uint8Array | undefined {
    return (this.retained.get(key)?.getTime() ?? 0) > this.now() ? this.#version(key, { original: true }) : undefined;
  }

  async put(key: string, body: VaultBody, options: PutOptions = {}): Promise<PutOutcome> {
    const parts = body instanceof Uint8Array ? [body] : await Array.fromAsync(body.stream());
    await this.interfere?.('put', key);
    options.signal?.throwIfAborted();
    if (options.retainUntil !== undefined && !this.locks) throw this.#failure('LB_VAULT_LOCK_UNSUPPORTED', 'It does not lock', key);
    if (this.objects.has(key)) return 'exists';
    this.objects.set(key, Buffer.concat(parts));
    if (options.retainUntil !== undefined) this.#lock(key, options.retainUntil);
    return 'created';
  }

  async get(key: string, options: GetOptions = {}): Promise<VaultObject> {
    await this.interfere?.('get', key);
    options.signal?.throwIfAborted();
    const bytes = this.#version(key, options);
    if (bytes === undefined) throw this.#failure('LB_VAULT_OBJECT_MISSING', 'There is no such object', key);
    const { offset = 0, length = Infinity } = options;
    const from = offset < 0 ? Math.max(0, bytes.length + offset) : offset;
    const part = bytes.subarray(from, Math.min(bytes.length, from + length));
    this.bytesRead += part.length;
    return { length: part.length, body: ReadableStream.from([Uint8Array.from(part)]) };
  }

  async head(key: string, options: ReadOptions = {}): Promise<ObjectInfo | undefined> {
    await this.interfere?.('head', key);
    const bytes = this.#version(key, options);
    const retainUntil = this.retained.get(key);
    return bytes && { key, size: bytes.length, ...this.#shadowed(key, options), ...(retainUntil === undefined ? {} : { retainUntil }) };
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncIterable<ObjectInfo> {
    await this.interfere?.('list', prefix);
    const keys = new Set([...this.objects.keys(), ...(options.original === true ? this.#originals.keys() : [])]);
    for (const key of [...keys].sort()) {
      const bytes = this.#version(key, options);
      if (
        key.startsWith(prefix) &&
        bytes !== undefined &&
        (options.startAfter === undefined || key > options.startAfter)
      )
        yield { key, size: bytes.length, ...this.#shadowed(key, options) };
    }
  }

  async retain(key: string, until: Date): Promise<void> {
    await this.interfere?.('retain', key);
    if (!this.locks) throw this.#failure('LB_VAULT_LOCK_UNSUPPORTED', 'It does not lock', key);
    if (this.#version(key, { original: true }) === undefined) throw this.#failure('LB_VAULT_OBJECT_MISSING', 'There is no such object', key);
    this.#lock(key, until);
  }

  async delete(key: string): Promise<void> {
    await this.interfere?.('delete', key);
    const until = this.retained.get(key);
    if (until !== undefined && until.getTime() > this.now()) throw this.#failure('LB_VAULT_LOCKED', 'It is locked', key);
    this.objects.delete(key);
    this.#originals.delete(key);
    this.retained.delete(key);
  }

  async uncover(key: string): Promise<number> {
    await this.interfere?.('uncover', key);
    const first = this.#originals.get(key);
    if (first === undefined || this.#shadowed(key, { original: true }).shadowed === undefined) return 0;
    if (this.bringsBack) {
      this.objects.set(key, first);
      this.#originals.delete(key);
    } else this.objects.delete(key);
    return 1;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #version(key: string, { original }: ReadOptions): Uint8Array | undefined {
    return (original === true ? this.#originals.get(key) : undefined) ?? this.objects.get(key);
  }

  #shadowed(key: string, { original }: ReadOptions): { readonly shadowed?: true } {
    const first = original === true ? this.#originals.get(key) : undefined;
    if (first === undefined) return {};
    const current = this.objects.get(key);
    return current !== undefined && Buffer.compare(first, current) === 0 ? {} : { shadowed: true };
  }

  #keepFirst(key: string): void {
    const bytes = this.objects.get(key);
    if (bytes !== undefined && !this.#originals.has(key)) this.#originals.set(key, bytes);
  }

  #lock(key: string, until: Date): void {
    if (until.getTime() > (this.retained.get(key)?.getTime() ?? 0)) this.retained.set(key, until);
  }

  #failure(code: ErrorCode, message: string, key: string): LifeboatError {
    return new LifeboatError(code, message, { where: `vault "${this.name}", ${key}` });
  }
}
