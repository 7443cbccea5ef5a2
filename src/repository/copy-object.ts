import { createHash } from 'node:crypto';
import { LifeboatError } from '../core/errors.ts';
import type { Vault, VaultBody } from '../vault/vault.ts';
import { withOriginals } from './originals.ts';
import { readNamed, whereIs } from './vault-io.ts';

/** Bytes up to which an object is read whole before it is stored, so that source and target need not keep pace. */
const WHOLE_UP_TO = 32 * 1024 * 1024;

/** An object that is named by the SHA-256 of its own bytes. */
export interface NamedObject {
  readonly key: string;
  readonly sha256: string;
  /** Bytes; may be left out of what is known to be small. */
  readonly size?: number;
}

/** How one copying wants to be told and stopped. */
export interface CopyOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told of every source that could not give the object, and why: `LB_REPO_DAMAGED`, or what the vault threw. */
  readonly onProblem?: (source: Vault, error: unknown) => void;
  /** Bytes up to which an object is held in memory; a larger one is handed on as it comes. Default: 32 MiB. */
  readonly wholeUpTo?: number;
}

/**
 * Copies an object as it is from the first source that has it intact; needs no key. Nothing damaged ever becomes
 * visible in the target: the last bytes are handed over only when all of them were checked. Gives the source, or
 * `undefined` when no source has it. Throws what the target throws, and `LB_REPO_DAMAGED` when the target has something
 * else under this name.
 */
export async function copyNamed(
  object: NamedObject,
  sources: readonly Vault[],
  target: Vault,
  options: CopyOptions = {},
): Promise<Vault | undefined> {
  for (const source of withOriginals(sources)) {
    const reading = new Reading(object, source, options);
    let body: VaultBody;
    try {
      body = await reading.body();
    } catch (error) {
      options.signal?.throwIfAborted();
      options.onProblem?.(source, error);
      continue;
    }
    try {
      await putNamed(target, object.key, body, options.signal);
      return source;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (reading.failure === undefined) throw error;
      options.onProblem?.(source, reading.failure.error);
    }
  }
  return undefined;
}

/** Creates an object that is named by its bytes; one that is there already must have its size. Throws `LB_REPO_DAMAGED` when not. */
export async function putNamed(
  vault: Vault,
  key: string,
  body: VaultBody,
  signal: AbortSignal | undefined,
): Promise<void> {
  if ((await vault.put(key, body, { signal })) === 'created') return;
  const size = body instanceof Uint8Array ? body.length : body.size;
  const there = await vault.head(key, { signal });
  if (there?.size !== size) throw otherSize(vault, key, size, there?.size ?? 0);
}

/** That a vault has something else under the name of an object, which nothing will ever overwrite. */
export function otherSize(vault: Vault, key: string, size: number, actual: number): LifeboatError {
  return new LifeboatError('LB_REPO_DAMAGED', `The vault has an object of this name with ${actual} bytes instead of ${size}`, {
    where: whereIs(vault, key),
    hint: 'Nothing is ever overwritten: `lifeboat verify` names what is damaged; delete the object and start again.',
  });
}

/** One source being read for one target. */
class Reading {
  readonly #object: NamedObject;
  readonly #source: Vault;
  readonly #signal: AbortSignal | undefined;
  readonly #wholeUpTo: number;
  #failure: { readonly error: unknown } | undefined;

  constructor(object: NamedObject, source: Vault, { signal, wholeUpTo = WHOLE_UP_TO }: CopyOptions) {
    this.#object = object;
    this.#source = source;
    this.#signal = signal;
    this.#wholeUpTo = wholeUpTo;
  }

  /** Set when it was the source that failed while the target was storing. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  async body(): Promise<VaultBody> {
    const { key, sha256, size = 0 } = this.#object;
    if (size <= this.#wholeUpTo) return readNamed(this.#source, key, sha256, this.#signal);
    return { size, stream: () => this.#checked(size) };
  }

  async *#checked(size: number): AsyncGenerator<Uint8Array, void, undefined> {
    const { key, sha256 } = this.#object;
    const hash = createHash('sha256');
    let seen = 0;
    let last: Uint8Array | undefined;
    this.#failure = undefined;
    try {
      for await (const part of (await this.#source.get(key, { signal: this.#signal })).body) {
        seen += part.byteLength;
        if (seen > size) throw this.#damaged();
        hash.update(part);
        if (last !== undefined) yield last;
        last = part;
      }
      if (hash.digest('hex') !== sha256) throw this.#damaged();
    } catch (error) {
      // Failures of the target do not come here: it leaves a generator by return().
      this.#failure = { error };
      throw error;
    }
    if (last !== undefined) yield last;
  }

  #damaged(): LifeboatError {
    return new LifeboatError('LB_REPO_DAMAGED', 'The bytes do not match the name of the object', {
      where: whereIs(this.#source, this.#object.key),
    });
  }
}
