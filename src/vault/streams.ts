import { LifeboatError } from '../core/errors.ts';
import type { VaultBody } from './vault.ts';

/** Reads the body of a `put` for a driver, and tells failures of the body from those of the vault. */
export class BodyReader {
  /** Bytes, as announced. */
  readonly size: number;
  readonly #body: VaultBody;
  readonly #signal: AbortSignal | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(body: VaultBody, signal?: AbortSignal) {
    this.size = body instanceof Uint8Array ? body.byteLength : body.size;
    this.#body = body;
    this.#signal = signal;
  }

  /** Set when reading the body is what failed: `put` then rejects with this error, unchanged. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /**
   * The parts of the body, none of them empty. Ends at once with the signal's reason when it fires, even while
   * the source hangs. Rejects with `LB_INTERNAL` when the source yields more or fewer bytes than announced, so that
   * no driver ever commits an object of the wrong length.
   */
  async *parts(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      let seen = 0;
      for await (const part of abortable(this.#source(), this.#signal)) {
        seen += part.byteLength;
        if (seen > this.size) throw wrongLength(`at least ${seen}`, this.size);
        if (part.byteLength > 0) yield part;
      }
      if (seen < this.size) throw wrongLength(`only ${seen}`, this.size);
    } catch (error) {
      // Errors of the consumer do not come here: it leaves a generator by return().
      this.#failure = { error };
      throw error;
    }
  }

  async *#source(): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#body instanceof Uint8Array) yield this.#body;
    else yield* this.#body.stream();
  }
}

function wrongLength(came: string, announced: number): LifeboatError {
  return new LifeboatError('LB_INTERNAL', `A body of ${announced} bytes was announced and ${came} came`);
}

/** Iterates over `source`; rejects with the signal's reason as soon as it fires, without waiting for the source. */
export async function* abortable<T>(
  source: AsyncIterable<T>,
  signal?: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  let exhausted = false;
  try {
    for (;;) {
      const step = await raceAbort(iterator.next(), signal);
      if (step.done === true) {
        exhausted = true;
        return;
      }
      yield step.value;
    }
  } finally {
    // Not awaited: a source that hangs would never answer.
    if (!exhausted) iterator.return?.().catch(() => {});
  }
}

/** `promise`, or a rejection with the signal's reason as soon as it fires. What `promise` does later is ignored. */
export function raceAbort<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    if (signal.aborted) {
      promise.catch(() => {});
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/**
 * The generator's parts, with `cleanup` done when the consumer leaves. A generator alone would not do: its `finally`
 * is not run when it is left before it was begun.
 */
export function withCleanup<T>(
  parts: AsyncGenerator<T, void, undefined>,
  cleanup: () => Promise<void>,
): AsyncIterableIterator<T, void, undefined> {
  return {
    next: () => parts.next(),
    return: async () => {
      await parts.return();
      await cleanup();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** Leaves a body that is not wanted any more, so that its connection is given up. */
export async function leave(body: AsyncIterable<Uint8Array>): Promise<void> {
  await body[Symbol.asyncIterator]().return?.();
}

/** All bytes of a stream that is known to have `length` bytes, as one array; for small objects. */
export async function collect(source: AsyncIterable<Uint8Array>, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for await (const part of source) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return at === length ? bytes : bytes.subarray(0, at);
}

/** A body of no bytes. */
export async function* empty(): AsyncGenerator<Uint8Array, void, undefined> {
  // No bytes.
}
