import { LifeboatError } from '../../src/core/errors.ts';
import type {
  CallOptions,
  GetOptions,
  ListOptions,
  ObjectInfo,
  PutOutcome,
  Vault,
  VaultBody,
  VaultObject,
} from '../../src/vault/vault.ts';

/** Called before every operation; what it throws is what the operation throws. */
export type Interference = (operation: 'put' | 'get' | 'head' | 'list' | 'delete', key: string) => void | Promise<void>;

/** A vault in memory, for tests that look at or change every byte, or make operations fail. */
export class MemoryVault implements Vault {
  readonly name: string;
  readonly location: string;
  readonly objects = new Map<string, Uint8Array>();
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

  async put(key: string, body: VaultBody, options: CallOptions = {}): Promise<PutOutcome> {
    const parts = body instanceof Uint8Array ? [body] : await Array.fromAsync(body.stream());
    await this.interfere?.('put', key);
    options.signal?.throwIfAborted();
    if (this.objects.has(key)) return 'exists';
    this.objects.set(key, Buffer.concat(parts));
    return 'created';
  }

  async get(key: string, options: GetOptions = {}): Promise<VaultObject> {
    await this.interfere?.('get', key);
    options.signal?.throwIfAborted();
    const bytes = this.objects.get(key);
    if (bytes === undefined)
      throw new LifeboatError('LB_VAULT_OBJECT_MISSING', 'There is no such object', {
        where: `vault "${this.name}", ${key}`,
      });
    const { offset = 0, length = Infinity } = options;
    const from = offset < 0 ? Math.max(0, bytes.length + offset) : offset;
    const part = bytes.subarray(from, Math.min(bytes.length, from + length));
    this.bytesRead += part.length;
    return { length: part.length, body: ReadableStream.from([Uint8Array.from(part)]) };
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    await this.interfere?.('head', key);
    const bytes = this.objects.get(key);
    return bytes && { key, size: bytes.length };
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncIterable<ObjectInfo> {
    await this.interfere?.('list', prefix);
    for (const key of [...this.objects.keys()].sort()) {
      const bytes = this.objects.get(key);
      if (
        key.startsWith(prefix) &&
        bytes !== undefined &&
        (options.startAfter === undefined || key > options.startAfter)
      )
        yield { key, size: bytes.length };
    }
  }

  async delete(key: string): Promise<void> {
    await this.interfere?.('delete', key);
    this.objects.delete(key);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
