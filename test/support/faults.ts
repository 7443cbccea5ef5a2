import { systemClock } from '../../src/core/clock.ts';
import type { ErrorCode } from '../../src/core/error-codes.ts';
import { LifeboatError } from '../../src/core/errors.ts';
import { collect } from '../../src/vault/streams.ts';
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
} from '../../src/vault/vault.ts';
import type { Random } from '../survival/random.ts';
import { ForwardingVault } from './forwarding-vault.ts';

type Operation = 'put' | 'get' | 'head' | 'list' | 'retain' | 'delete' | 'uncover';

/** What a vault can do wrong, and in which calls. */
const FAULTS = {
  /** Nothing is done; a passing error. */
  unavailable: ['put', 'get', 'head', 'list', 'retain', 'delete', 'uncover'],
  /** Nothing is done; an error for good. */
  refused: ['put', 'get', 'head', 'list', 'retain', 'delete', 'uncover'],
  /** There is no room. */
  full: ['put'],
  /** It is done, and a passing error is the answer. */
  'lost-answer': ['put', 'delete'],
  /** No answer comes, until the caller gives up. */
  hang: ['put', 'get', 'head', 'list', 'retain', 'delete', 'uncover'],
  /** The answer takes a while. */
  slow: ['put', 'get', 'head', 'list', 'retain', 'delete', 'uncover'],
  /** It says that it has stored the object, and has not. */
  forgotten: ['put'],
  /** It stores the first half of the object, and says that it has stored it. */
  halved: ['put'],
  /** It stores the object with one bit changed, and says that it has stored it. */
  garbled: ['put'],
  /** It gives the first half of the object. */
  truncated: ['get'],
  /** It gives the object with one bit changed. */
  corrupted: ['get'],
  /** It says that there is no such object. */
  missing: ['get', 'head'],
  /** It shows nothing of what was stored through it since its faults were last planned. */
  stale: ['get', 'head', 'list'],
  /** Of every four objects it does not list one. */
  unlisted: ['list'],
  /** It lists every fourth object twice. */
  repeated: ['list'],
} as const satisfies Record<string, readonly Operation[]>;

export type Fault = keyof typeof FAULTS;

/** Which faults, and how often. */
export interface FaultPlan {
  readonly random: Random;
  /** How likely a fault is in each call it can befall: 0 to 1. */
  readonly chances: Partial<Record<Fault, number>>;
  /** Only in calls for these keys (prefixes, for listings). */
  readonly only?: (key: string) => boolean;
  /** So many faults at most. */
  readonly most?: number;
  /** How long `slow` takes at most, ms. Default: 20. */
  readonly slowMs?: number;
}

/** A vault with faults, and those that came to pass. */
export interface FaultyVault extends Vault {
  readonly happened: readonly { readonly fault: Fault; readonly operation: Operation; readonly key: string }[];
  /** From now on, other faults; without a plan, none. */
  change(plan?: FaultPlan): void;
}

/** A vault that goes wrong as planned. With the same seed and the same order of calls it does the same. */
export function withFaults(vault: Vault, plan?: FaultPlan): FaultyVault {
  return new Faulty(vault, plan);
}

class Faulty extends ForwardingVault implements FaultyVault {
  readonly happened: { fault: Fault; operation: Operation; key: string }[] = [];
  #plan: FaultPlan | undefined;
  /** Keys that were stored through it. */
  readonly #fresh = new Set<string>();
  #count = 0;

  constructor(vault: Vault, plan: FaultPlan | undefined) {
    super(vault);
    this.#plan = plan;
  }

  change(plan?: FaultPlan): void {
    this.#plan = plan;
    this.#count = 0;
    this.#fresh.clear();
  }

  override async put(key: string, body: VaultBody, options: PutOptions = {}): Promise<PutOutcome> {
    const fault = await this.#before('put', key, options);
    if (fault === 'forgotten') return 'created';
    if (fault === 'halved' || fault === 'garbled') {
      const bytes = body instanceof Uint8Array ? body : await collect(body.stream(), body.size);
      return super.put(key, fault === 'halved' ? bytes.subarray(0, bytes.length >> 1) : this.#bitChanged(bytes), options);
    }
    const outcome = await super.put(key, body, options);
    if (outcome === 'created') this.#fresh.add(key);
    if (fault === 'lost-answer') throw this.#error('LB_VAULT_UNAVAILABLE', key);
    return outcome;
  }

  override async get(key: string, options: GetOptions = {}): Promise<VaultObject> {
    const fault = await this.#before('get', key, options);
    if (fault === 'missing' || (fault === 'stale' && this.#fresh.has(key))) throw this.#error('LB_VAULT_OBJECT_MISSING', key);
    const object = await super.get(key, options);
    if (fault !== 'truncated' && fault !== 'corrupted') return object;
    const bytes = await collect(object.body, object.length);
    const given = fault === 'truncated' ? bytes.subarray(0, bytes.length >> 1) : this.#bitChanged(bytes);
    return { length: given.length, body: ReadableStream.from([given]) };
  }

  override async head(key: string, options: ReadOptions = {}): Promise<ObjectInfo | undefined> {
    const fault = await this.#before('head', key, options);
    if (fault === 'missing' || (fault === 'stale' && this.#fresh.has(key))) return undefined;
    return super.head(key, options);
  }

  override async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<ObjectInfo, void, undefined> {
    const fault = await this.#before('list', prefix, options);
    for await (const info of super.list(prefix, options)) {
      if (fault === 'stale' && this.#fresh.has(info.key)) continue;
      const fourth = (fault === 'unlisted' || fault === 'repeated') && (this.#plan?.random.next() ?? 0) < 1 / 4;
      if (fourth && fault === 'unlisted') continue;
      yield info;
      if (fourth && fault === 'repeated') yield info;
    }
  }

  override async retain(key: string, until: Date, options: CallOptions = {}): Promise<void> {
    await this.#before('retain', key, options);
    await super.retain(key, until, options);
  }

  override async delete(key: string, options: CallOptions = {}): Promise<void> {
    const fault = await this.#before('delete', key, options);
    await super.delete(key, options);
    if (fault === 'lost-answer') throw this.#error('LB_VAULT_UNAVAILABLE', key);
  }

  override async uncover(key: string, options: CallOptions = {}): Promise<number> {
    await this.#before('uncover', key, options);
    return super.uncover(key, options);
  }

  /** Chooses what goes wrong in a call, and does what is done before it. */
  async #before(operation: Operation, key: string, { signal }: CallOptions): Promise<Fault | undefined> {
    const fault = this.#choose(operation, key);
    if (fault === undefined) return undefined;
    this.happened.push({ fault, operation, key });
    switch (fault) {
      case 'unavailable':
        throw this.#error('LB_VAULT_UNAVAILABLE', key);
      case 'refused':
        throw this.#error('LB_VAULT_ACCESS', key);
      case 'full':
        throw this.#error('LB_VAULT_FULL', key);
      case 'hang':
        await new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
          if (signal?.aborted === true) reject(signal.reason as Error);
        });
        break;
      case 'slow':
        await systemClock.sleep((this.#plan?.slowMs ?? 20) * (this.#plan?.random.next() ?? 1), signal);
        break;
      case 'lost-answer':
      case 'forgotten':
      case 'halved':
      case 'garbled':
      case 'truncated':
      case 'corrupted':
      case 'missing':
      case 'stale':
      case 'unlisted':
      case 'repeated':
        break;
    }
    return fault;
  }

  #bitChanged(bytes: Uint8Array): Uint8Array {
    const changed = Uint8Array.from(bytes);
    const at = Math.floor((this.#plan?.random.next() ?? 0) * changed.length);
    if (changed.length > 0) changed[at] = (changed[at] ?? 0) ^ 1;
    return changed;
  }

  #choose(operation: Operation, key: string): Fault | undefined {
    const plan = this.#plan;
    if (plan === undefined || this.#count >= (plan.most ?? Infinity) || plan.only?.(key) === false) return undefined;
    for (const [fault, operations] of Object.entries(FAULTS) as [Fault, readonly Operation[]][]) {
      const chance = plan.chances[fault] ?? 0;
      if (chance === 0 || !operations.includes(operation) || plan.random.next() >= chance) continue;
      this.#count++;
      return fault;
    }
    return undefined;
  }

  #error(code: ErrorCode, key: string): LifeboatError {
    return new LifeboatError(code, `planned: ${code}`, { where: `vault "${this.name}", ${key}` });
  }
}
