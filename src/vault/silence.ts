import { Alarm } from '../core/alarm.ts';
import { VaultError } from './errors.ts';
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
 * and a body may take any time as long as something comes. Time in which the process was halted does not count. To be put
 * around whatever tries calls again.
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
      return { length: object.length, body: new Answers(object.body, call, this.#ms) };
    } catch (error) {
      call.end();
      throw error;
    }
  }

  head(key: string, options: ReadOptions = {}): Promise<ObjectInfo | undefined> {
    return this.#once(options, key, this.#ms, (signal) => this.#vault.head(key, { ...options, signal }));
  }

  list(prefix: string, options: ListOptions = {}): AsyncIterable<ObjectInfo> {
    const call = new Call(this.name, undefined, options.signal);
    return new Answers(this.#vault.list(prefix, { ...options, signal: call.signal }), call, this.#ms);
  }

  retain(key: string, until: Date, options: CallOptions = {}): Promise<void> {
    return this.#once(options, key, this.#ms, (signal) => this.#vault.retain(key, until, { ...options, signal }));
  }

  delete(key: string, options: CallOptions = {}): Promise<void> {
    return this.#once(options, key, this.#ms, (signal) => this.#vault.delete(key, { ...options, signal }));
  }

  uncover(key: string, options: CallOptions = {}): Promise<number> {
    return this.#once(options, key, this.#ms, (signal) => this.#vault.uncover(key, { ...options, signal }));
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
}

/** The answers of a call that has many, each waited for as long as the first. No generator: a listing may have a million. */
class Answers<T> implements AsyncIterableIterator<T, void, undefined> {
  readonly #source: AsyncIterator<T>;
  readonly #call: Call;
  readonly #ms: number;

  constructor(source: AsyncIterable<T>, call: Call, ms: number) {
    this.#source = source[Symbol.asyncIterator]();
    this.#call = call;
    this.#ms = ms;
  }

  async next(): Promise<IteratorResult<T, void>> {
    try {
      const step = await this.#call.answer(this.#ms, this.#source.next());
      if (step.done === true) this.#call.end();
      return step;
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  return(): Promise<IteratorResult<T, void>> {
    this.#leave();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #leave(): void {
    this.#call.end();
    // Not awaited: what hangs would never answer.
    this.#source.return?.().catch(() => {});
  }
}

/** One call of a vault, from its first answer to its last. Cheap to ask often: a listing has an answer for every object. */
class Call {
  readonly #vault: string;
  readonly #key: string | undefined;
  readonly #caller: AbortSignal | undefined;
  readonly #controller = new AbortController();
  #alarm: Alarm | undefined;
  /** Gives up what is being waited for. */
  #giveUp: ((reason: Error) => void) | undefined;

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

  /** What `coming` gives, unless it takes longer than `ms`, which is the same for all answers of a call. */
  answer<T>(ms: number, coming: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.signal.aborted) {
        coming.catch(() => {});
        reject(this.signal.reason as Error);
        return;
      }
      this.#giveUp = reject;
      if (this.#alarm === undefined) this.#alarm = new Alarm(ms, () => this.#silent(ms));
      else this.#alarm.restart();
      coming.then(
        (answer) => {
          this.#giveUp = undefined;
          resolve(answer);
        },
        (error: unknown) => {
          this.#giveUp = undefined;
          reject(error);
        },
      );
    });
  }

  end(): void {
    this.#alarm?.stop();
    this.#caller?.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => this.#abort(this.#caller?.reason as Error);

  #silent(ms: number): void {
    // Whoever reads may take their time.
    if (this.#giveUp === undefined) return;
    this.#abort(new VaultError('LB_VAULT_UNAVAILABLE', this.#vault, `The vault did not answer for ${Math.round(ms / 1000)} s`, { key: this.#key }));
  }

  #abort(reason: Error): void {
    this.#controller.abort(reason);
    this.#giveUp?.(reason);
  }
}
