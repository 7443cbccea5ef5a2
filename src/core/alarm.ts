/**
 * What a busy event loop explains when a timer rings early or late, ms. One that is off by more belongs to a process that
 * was halted meanwhile. Being wrong costs no more than waiting once more.
 */
const OFF_AT_MOST = 1_000;

/**
 * Rings when `ms` have passed without a `restart`, for deadlines of others: whom one waits for must have had the time. A
 * process that was halted (a closed laptop, SIGSTOP, a suspended VM, a frozen function) finds the time over when it goes on,
 * or, halted between two looks at the clock, soon after, and has not yet read what came meanwhile. Then the alarm waits for the full time
 * again, as often as that happens.
 */
export class Alarm {
  readonly #ms: number;
  readonly #ring: () => void;
  readonly #timer: NodeJS.Timeout;
  /** By the clock that timers go by: one that somebody sets does not count. */
  #since = performance.now();

  constructor(ms: number, ring: () => void) {
    this.#ms = ms;
    this.#ring = ring;
    this.#timer = setTimeout(() => this.#onTime(), ms);
  }

  /** Counts from now on, also after it rang. Cheap: for every object of a listing. */
  restart(): void {
    this.#since = performance.now();
    this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #onTime(): void {
    const waited = performance.now() - this.#since;
    if (Math.abs(waited - this.#ms) > OFF_AT_MOST) this.restart();
    else this.#ring();
  }
}
