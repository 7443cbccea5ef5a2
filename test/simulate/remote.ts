import { raceAbort } from '../../src/vault/streams.ts';
import type { CallOptions, GetOptions, ListOptions, ObjectInfo, PutOptions, PutOutcome, ReadOptions, VaultBody, VaultObject } from '../../src/vault/vault.ts';
import { ForwardingVault } from '../support/forwarding-vault.ts';
import type { Random } from '../survival/random.ts';
import type { Ledger } from './ledger.ts';
import type { Machine } from './machine/machine.ts';
import type { Program } from './program.ts';
import type { Store } from './store.ts';

/** What the way to a vault takes at most, ms. */
const TRAVEL = 40;

export interface RemoteParts {
  readonly store: Store;
  readonly program: Program;
  readonly machine: Machine;
  readonly random: Random;
  readonly ledger: Ledger;
  /** Told of every call and what came of it. */
  readonly trace: (line: string) => void;
}

/**
 * A vault as a program reaches it: every call takes its time there and back, and a program that is killed makes no more
 * calls. What is on its way then, or given up, may arrive still.
 */
export class RemoteVault extends ForwardingVault {
  readonly #parts: RemoteParts;

  constructor(parts: RemoteParts) {
    super(parts.store.vault);
    this.#parts = parts;
  }

  override put(key: string, body: VaultBody, options: PutOptions = {}): Promise<PutOutcome> {
    if (body instanceof Uint8Array) this.#parts.ledger.meant(key, body);
    return this.#call(`put ${key}`, options.signal, () => super.put(key, body, options));
  }

  override get(key: string, options: GetOptions = {}): Promise<VaultObject> {
    return this.#call(`get ${key}`, options.signal, () => super.get(key, options));
  }

  override head(key: string, options: ReadOptions = {}): Promise<ObjectInfo | undefined> {
    return this.#call(`head ${key}`, options.signal, () => super.head(key, options));
  }

  override async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<ObjectInfo, void, undefined> {
    yield* await this.#call(`list ${prefix}`, options.signal, () => Array.fromAsync(super.list(prefix, options)));
  }

  override retain(key: string, until: Date, options: CallOptions = {}): Promise<void> {
    return this.#call(`retain ${key}`, options.signal, () => super.retain(key, until, options));
  }

  override delete(key: string, options: CallOptions = {}): Promise<void> {
    return this.#call(`delete ${key}`, options.signal, () => super.delete(key, options));
  }

  async #call<T>(what: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const { program, machine, random, trace, store } = this.#parts;
    signal?.throwIfAborted();
    if (program.killed) return forever();
    const fate = program.nextCall();
    if (typeof fate === 'number') machine.halt(program, fate);
    await machine.awake(program);
    if (fate === 'killed before') program.kill();
    const tell = (outcome: string): void => trace(`${machine.now()} ${program.name} ${store.name} ${what}: ${outcome}`);
    const answer = (async () => {
      await machine.travel(random.next() * TRAVEL);
      if (program.killed && random.next() < 0.5) return forever<T>();
      if (signal?.aborted === true && random.next() < 0.5) throw signal.reason;
      try {
        const made = await work();
        tell(typeof made === 'string' ? made : 'done');
        if (fate === 'killed after') program.kill();
        return made;
      } catch (error) {
        tell(error instanceof Error ? error.message : 'failed');
        throw error;
      } finally {
        await machine.travel(random.next() * TRAVEL);
        if (program.killed) await forever();
        await machine.awake(program);
      }
    })();
    answer.catch(() => {});
    return raceAbort(answer, signal);
  }
}

function forever<T>(): Promise<T> {
  return new Promise(() => {});
}
