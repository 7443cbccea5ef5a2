import { Gate } from '../parallel.ts';
import { MAX_LARGE_CHUNK } from './large-chunker.ts';
import type { Shared } from './thread-work.ts';

/** Bytes of a segment: room for the longest chunk, and for as much again, so that seldom much is left at its end. */
export const SEGMENT_BYTES = 2 * MAX_LARGE_CHUNK;

/**
 * Memory that threads share, in segments that are used again: what bounds how far reading is ahead of the work.
 * A segment is taken to be filled, becomes `busy` when threads work on it, and is given back.
 */
export class Segments {
  readonly #limit: number;
  readonly #memory: () => Shared;
  readonly #gate = new Gate();
  readonly #free: Shared[] = [];
  #busy = 0;

  /** `limit`: segments that threads may be working on. `memory`: gives a new one, of `SEGMENT_BYTES` at least. */
  constructor(limit: number, memory: () => Shared = () => new Uint8Array(new SharedArrayBuffer(SEGMENT_BYTES))) {
    this.#limit = limit;
    this.#memory = memory;
  }

  /** One to fill. Those being filled do not count: a source that is slow must not hold up the others. */
  async take(signal: AbortSignal): Promise<Shared> {
    while (this.#busy >= this.#limit) {
      await this.#gate.changed();
      signal.throwIfAborted();
    }
    return this.#free.pop() ?? this.#memory();
  }

  busy(): void {
    this.#busy++;
  }

  /** Gives back one that was `busy`. */
  done(segment: Shared): void {
    this.#busy--;
    this.unused(segment);
    this.#gate.wake();
  }

  /** One that was `busy` is not used any more, because something may still write to it. */
  lost(): void {
    this.#busy--;
    this.#gate.wake();
  }

  /** Gives back one that was taken for nothing. */
  unused(segment: Shared): void {
    // All of it: those that use one may have left out its beginning.
    if (this.#free.length < this.#limit) this.#free.push(new Uint8Array(segment.buffer, 0, segment.buffer.byteLength));
  }

  /** Lets those that wait look whether they should go on. */
  wake(): void {
    this.#gate.wake();
  }
}
