import { isLifeboatError } from '../core/errors.ts';
import { Backoff, DEFAULT_RETRY, retrying } from './backoff.ts';
import type { RetryPolicy } from './backoff.ts';
import { endedEarly } from './errors.ts';
import { BodyReader, leave, withCleanup } from './streams.ts';
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

/**
 * A vault whose calls are tried again when they fail for a passing reason, within the policy's bounds. The last
 * error is thrown as it was.
 *
 * - A body given as a stream is made anew by its `stream()` for every try.
 * - A `put` whose first answer was lost may find its own object at the second try. After a failed try, an object that
 *   is there is therefore compared with the body: if it is the same, the outcome is `created`. (Two creators of the
 *   *same* bytes may then both be told so, which is why what is raced for must hold something of its creator.)
 * - The body of a `get` that breaks off is continued where it broke off: objects never change.
 * - A listing goes on after the last key it gave.
 */
export function withRetry(vault: Vault, policy: Partial<RetryPolicy> = {}): Vault {
  return new RetryingVault(vault, { ...DEFAULT_RETRY, ...policy });
}

class RetryingVault implements Vault {
  readonly name: string;
  readonly location: string;
  readonly locks: boolean;
  readonly #vault: Vault;
  readonly #policy: RetryPolicy;

  constructor(vault: Vault, policy: RetryPolicy) {
    this.name = vault.name;
    this.location = vault.location;
    this.locks = vault.locks;
    this.#vault = vault;
    this.#policy = policy;
  }

  put(key: string, body: VaultBody, options: PutOptions = {}): Promise<PutOutcome> {
    return retrying(this.#policy, `put ${key}`, options.signal, async (failures) => {
      if (failures === 0) return this.#vault.put(key, body, options);
      const found = await this.#find(key, body, options);
      if (found !== undefined) return found;
      const outcome = await this.#vault.put(key, body, options);
      return outcome === 'created' ? outcome : ((await this.#find(key, body, options)) ?? outcome);
    });
  }

  async get(key: string, options: GetOptions = {}): Promise<VaultObject> {
    const backoff = new Backoff(this.#policy, `get ${key}`, options.signal);
    const first = await this.#getWithin(backoff, key, options);
    const parts = this.#continued(backoff, key, options, first);
    return { length: first.length, body: withCleanup(parts, () => leave(first.body)) };
  }

  head(key: string, options: ReadOptions = {}): Promise<ObjectInfo | undefined> {
    return retrying(this.#policy, `head ${key}`, options.signal, () => this.#vault.head(key, options));
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<ObjectInfo, void, undefined> {
    const backoff = new Backoff(this.#policy, `list ${prefix}`, options.signal);
    let from = options;
    for (;;) {
      try {
        for await (const info of this.#vault.list(prefix, from)) {
          yield info;
          from = { ...options, startAfter: info.key };
          backoff.progressed();
        }
        return;
      } catch (error) {
        await backoff.pause(error);
      }
    }
  }

  retain(key: string, until: Date, options: CallOptions = {}): Promise<void> {
    return retrying(this.#policy, `lock ${key}`, options.signal, () => this.#vault.retain(key, until, options));
  }

  delete(key: string, options: CallOptions = {}): Promise<void> {
    return retrying(this.#policy, `delete ${key}`, options.signal, () => this.#vault.delete(key, options));
  }

  uncover(key: string, options: CallOptions = {}): Promise<number> {
    return retrying(this.#policy, `uncover ${key}`, options.signal, () => this.#vault.uncover(key, options));
  }

  close(): Promise<void> {
    return this.#vault.close();
  }

  async #getWithin(backoff: Backoff, key: string, options: GetOptions): Promise<VaultObject> {
    for (;;) {
      try {
        return await this.#vault.get(key, options);
      } catch (error) {
        await backoff.pause(error);
      }
    }
  }

  async *#continued(
    backoff: Backoff,
    key: string,
    options: GetOptions,
    first: VaultObject,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    let current = first;
    let received = 0;
    for (;;) {
      try {
        for await (const part of current.body) {
          received += part.byteLength;
          backoff.progressed();
          yield part;
        }
        if (received === first.length) return;
        throw endedEarly(this.name, key, received, first.length);
      } catch (error) {
        await backoff.pause(error);
      }
      const offset = (await this.#absoluteOffset(key, options)) + received;
      const into = options.into?.subarray(received);
      current = await this.#getWithin(backoff, key, { ...options, offset, length: first.length - received, into });
    }
  }

  /** Where a wanted range begins, counted from the object's beginning. */
  async #absoluteOffset(key: string, options: GetOptions): Promise<number> {
    const { offset = 0 } = options;
    if (offset >= 0) return offset;
    const info = await this.head(key, options);
    return Math.max(0, (info?.size ?? 0) + offset);
  }

  /**
   * The outcome that an object which is there after a failed try means: byte for byte the same as the body, it was made
   * by that try. Undefined when there is none, and when a writer has no right to see it.
   */
  async #find(key: string, body: VaultBody, options: CallOptions): Promise<PutOutcome | undefined> {
    try {
      const info = await this.#vault.head(key, options);
      const reader = new BodyReader(body, options.signal);
      if (info === undefined) return undefined;
      if (info.size !== reader.size) return 'exists';
      const stored = await this.#vault.get(key, options);
      return (await sameBytes(reader.parts(), stored.body)) ? 'created' : 'exists';
    } catch (error) {
      if (isLifeboatError(error, 'LB_VAULT_ACCESS')) return undefined;
      throw error;
    }
  }
}

/** Compares two streams of equal length, however they are cut into parts. Leaves both when they differ. */
async function sameBytes(a: AsyncIterable<Uint8Array>, b: AsyncIterable<Uint8Array>): Promise<boolean> {
  const other = b[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array(0);
  try {
    for await (const part of a) {
      let at = 0;
      while (at < part.byteLength) {
        if (rest.byteLength === 0) {
          const step = await other.next();
          if (step.done === true) return false;
          rest = step.value;
        }
        const length = Math.min(rest.byteLength, part.byteLength - at);
        if (Buffer.compare(rest.subarray(0, length), part.subarray(at, at + length)) !== 0) return false;
        rest = rest.subarray(length);
        at += length;
      }
    }
    return true;
  } finally {
    await other.return?.();
  }
}
