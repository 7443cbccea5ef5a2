import { withCleanup, leave } from './streams.ts';
import type {
  CallOptions,
  GetOptions,
  ListOptions,
  ObjectInfo,
  PutOptions,
  PutOutcome,
  ReadOptions,
  Vault,
  VaultBody,
  VaultObject,
} from './vault.ts';

/** What went through a vault since it was opened. */
export interface VaultCounts {
  /** Calls made, by kind. */
  readonly calls: Readonly<Record<'put' | 'get' | 'head' | 'list' | 'retain' | 'delete' | 'uncover', number>>;
  /** Objects that `put` created. */
  readonly created: number;
  /** Bytes of the objects that `put` created. */
  readonly bytesStored: number;
  /** Bytes that bodies of `get` yielded. */
  readonly bytesRead: number;
  /** Calls that failed; bodies that broke off and listings count too. */
  readonly failed: number;
}

/** A vault that counts what goes through it, and its counts so far. */
export interface MeasuredVault extends Vault {
  readonly counts: VaultCounts;
}

/** Counts what goes through a vault. Outside a retrying vault it counts calls as they were meant, inside as they were made. */
export function withCounts(vault: Vault): MeasuredVault {
  return new CountingVault(vault);
}

class CountingVault implements MeasuredVault {
  readonly name: string;
  readonly location: string;
  readonly locks: boolean;
  readonly counts = {
    calls: { put: 0, get: 0, head: 0, list: 0, retain: 0, delete: 0, uncover: 0 },
    created: 0,
    bytesStored: 0,
    bytesRead: 0,
    failed: 0,
  };
  readonly #vault: Vault;

  constructor(vault: Vault) {
    this.name = vault.name;
    this.location = vault.location;
    this.locks = vault.locks;
    this.#vault = vault;
  }

  async put(key: string, body: VaultBody, options?: PutOptions): Promise<PutOutcome> {
    this.counts.calls.put += 1;
    const outcome = await this.#counted(this.#vault.put(key, body, options));
    if (outcome === 'created') {
      this.counts.created += 1;
      this.counts.bytesStored += body instanceof Uint8Array ? body.byteLength : body.size;
    }
    return outcome;
  }

  async get(key: string, options?: GetOptions): Promise<VaultObject> {
    this.counts.calls.get += 1;
    const { length, body } = await this.#counted(this.#vault.get(key, options));
    return { length, body: withCleanup(this.#countedBody(body), () => leave(body)) };
  }

  head(key: string, options?: ReadOptions): Promise<ObjectInfo | undefined> {
    this.counts.calls.head += 1;
    return this.#counted(this.#vault.head(key, options));
  }

  async *list(prefix: string, options?: ListOptions): AsyncGenerator<ObjectInfo, void, undefined> {
    this.counts.calls.list += 1;
    try {
      yield* this.#vault.list(prefix, options);
    } catch (error) {
      this.counts.failed += 1;
      throw error;
    }
  }

  retain(key: string, until: Date, options?: CallOptions): Promise<void> {
    this.counts.calls.retain += 1;
    return this.#counted(this.#vault.retain(key, until, options));
  }

  delete(key: string, options?: CallOptions): Promise<void> {
    this.counts.calls.delete += 1;
    return this.#counted(this.#vault.delete(key, options));
  }

  uncover(key: string, options?: CallOptions): Promise<number> {
    this.counts.calls.uncover += 1;
    return this.#counted(this.#vault.uncover(key, options));
  }

  close(): Promise<void> {
    return this.#vault.close();
  }

  async *#countedBody(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const part of body) {
        this.counts.bytesRead += part.byteLength;
        yield part;
      }
    } catch (error) {
      this.counts.failed += 1;
      throw error;
    }
  }

  async #counted<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      this.counts.failed += 1;
      throw error;
    }
  }
}
