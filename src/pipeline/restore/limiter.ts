import { systemClock } from '../../core/clock.ts';
import type { Clock } from '../../core/clock.ts';

/** Pause when a server says 429 without saying how long to wait. */
const DEFAULT_PAUSE_MS = 1_000;

/**
 * How many requests may be under way. Starts at `most`; halves when the server asks to slow down, and grows by one
 * for every `limit` requests that succeed (additive increase, multiplicative decrease, as TCP does).
 */
export class AdaptiveLimit {
  readonly #most: number;
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #limit: number;
  #running = 0;
  #successes = 0;
  #pausedUntil = 0;
  #lastSuccess: number;

  constructor(most: number, clock: Clock = systemClock) {
    this.#most = most;
    this.#limit = most;
    this.#clock = clock;
    this.#lastSuccess = clock.now();
  }

  /** Requests allowed at once now. */
  get limit(): number {
    return this.#limit;
  }

  /** Waits for a place, and for the end of a pause the server asked for. Call `leave` once afterwards. */
  async enter(signal?: AbortSignal): Promise<void> {
    while (this.#running >= this.#limit) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running += 1;
    try {
      await this.pause(signal);
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  /** Waits while the server has asked for a pause. */
  async pause(signal?: AbortSignal): Promise<void> {
    for (let rest = this.#pausedUntil - this.#clock.now(); rest > 0; rest = this.#pausedUntil - this.#clock.now()) {
      await this.#clock.sleep(rest, signal);
    }
  }

  leave(): void {
    this.#running -= 1;
    this.#waiting.shift()?.();
  }

  /** Milliseconds since a request last succeeded. */
  get idleMs(): number {
    return this.#clock.now() - this.#lastSuccess;
  }

  succeeded(): void {
    this.#lastSuccess = this.#clock.now();
    this.#successes += 1;
    if (this.#successes < this.#limit || this.#limit >= this.#most) return;
    this.#successes = 0;
    this.#limit += 1;
    this.#waiting.shift()?.();
  }

  /** The server asked to slow down, and perhaps how long to wait. */
  throttled(retryAfterMs: number | undefined): void {
    const now = this.#clock.now();
    // Requests that were under way together are refused together: that counts once.
    if (now >= this.#pausedUntil) this.#limit = Math.max(1, Math.floor(this.#limit / 2));
    this.#successes = 0;
    this.#pausedUntil = Math.max(this.#pausedUntil, now + (retryAfterMs ?? DEFAULT_PAUSE_MS));
  }
}
