import { VaultError } from './errors.ts';
import { leave, raceAbort, withCleanup } from './streams.ts';
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

/** An upload is given the time it takes at this rate, bytes a millisecond, beside the limit itself. */
const SLOWEST_UPLOAD = 32;

/**
 * A vault of which no call stays without an answer for longer than `ms`: a folder on a server that is gone hangs for
 * ever, and its driver cannot tell. What hangs fails with `LB_VAULT_UNAVAILABLE`; a late answer is ignored. A listing
 * and a body may take any time as long as something comes. To be put around whatever tries calls again.
 */
export function withSilenceLimit(vault: Vault, ms: number): Vault {
  return new ImpatientVault(vault, ms);
}

class ImpatientVault implements Vault {
  readonly name: string;
  readonly location: string;
  readonly locks: boolean;
  readonly #vault: Vault;
  readonly #ms: number;

  constructor(vault: Vault, ms: number) {
    this.name = vault.name;
    this.location = vault.location;
    this.locks = vault.locks;
    this.#vault = vault;
    this.#ms = ms;
  }

  put(key: string, body: VaultBody, options: PutOptions = {}): Promise<PutOutcome> {
    const size = body instanceof Uint8Array ? body.byteLength : body.size;
    const ms = this.#ms + size / SLOWEST_UPLOAD;
    return this.#once(options, key, ms, (signal) => this.#vault.put(key, body, { ...options, signal }));
  }

  async get(key: string, options: GetOptions = {}): Promise<VaultObject> {
    const call = new Call(this.name, key, options.signal);
    try {
      const object = await call.answer(this.#ms, this.#vault.get(key, { ...options, signal: call.signal }));
      const parts = this.#each(object.body, call);
      const cleanup = async (): Promise<void> => {
        call.end();
        await leave(object.body);
      };
      return { length: object.length, body: withCleanup(parts, cleanup) };
    } catch (error) {
      call.end();
      throw error;
    }
  }

  head(key: string, options: ReadOptions = {}): Promise<ObjectInfo | undefined> {
    return this.#once(options, key, this.#ms, (signal) => this.#vault.head(key, { ...options, signal }));
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<ObjectInfo, void, undefined> {
    const call = new Call(this.name, undefined, options.signal);
    yield* this.#each(this.#vault.list(prefix, { ...options, signal: call.signal }), call);
  }

  retain(key: string, until: Date, options: CallOptions = {}): Promise<void> {
    return this.#once(options, key, this.#ms, (signal) => this.#vault.retain(key, until, { ...options, signal }));
  }

  delete(key: string, options: CallOptions = {}): Promise<void> {
    return this.#once(options, key, this.#ms, (signal) => this.#vault.delete(key, { ...options, signal }));
  }

  close(): Promise<void> {
    return this.#vault.close();
  }

  async #once<T>(options: CallOptions, key: string, ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const call = new Call(this.name, key, options.signal);
    try {
      return await call.answer(ms, work(call.signal));
    } finally {
      call.end();
    }
  }

  async *#each<T>(source: AsyncIterable<T>, call: Call): AsyncGenerator<T, void, undefined> {
    const iterator = source[Symbol.asyncIterator]();
    let over = false;
    try {
      for (;;) {
        const step = await call.answer(this.#ms, iterator.next());
        over = step.done === true;
        if (step.done === true) return;
        yield step.value;
      }
    } finally {
      call.end();
      // Not awaited: what hangs would never answer.
      if (!over) iterator.return?.().catch(() => {});
    }
  }
}

/** One call of a vault, from its first answer to its last. */
class Call {
  readonly #vault: string;
  readonly #key: string | undefined;
  readonly #caller: AbortSignal | undefined;
  readonly #controller = new AbortController();

  constructor(vault: string, key: string | undefined, caller: AbortSignal | undefined) {
    this.#vault = vault;
    this.#key = key;
    this.#caller = caller;
    if (caller?.aborted === true) this.#onAbort();
    else caller?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Fires when the caller's signal does, or when an answer did not come. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What `coming` gives, unless it takes longer than `ms`. */
  async answer<T>(ms: number, coming: Promise<T>): Promise<T> {
    const message = `The vault did not answer for ${Math.round(ms / 1000)} s`;
    const timer = setTimeout(() => this.#controller.abort(new VaultError('LB_VAULT_UNAVAILABLE', this.#vault, message, { key: this.#key })), ms);
    try {
      return await raceAbort(coming, this.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  end(): void {
    this.#caller?.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => this.#controller.abort(this.#caller?.reason);
}
