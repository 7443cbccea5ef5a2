import { vi } from 'vitest';

/** Time that a test makes pass, and in which it halts this process. To be ended with `vi.useRealTimers` and `vi.restoreAllMocks`. */
export class HaltingTime {
  #now = 1_000_000;

  constructor() {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    vi.spyOn(performance, 'now').mockImplementation(() => this.#now);
  }

  /** While the process runs. */
  async pass(ms: number): Promise<void> {
    const step = 100;
    for (let passed = 0; passed < ms; passed += step) {
      this.#now += step;
      await vi.advanceTimersByTimeAsync(step);
    }
  }

  /** The process is halted: when it goes on, all timers ring that are set. */
  async halt(ms: number): Promise<void> {
    this.#now += ms;
    await vi.runOnlyPendingTimersAsync();
  }

  /** The process is halted after it looked what time it is, and before it sets a timer: that rings too early. */
  haltBefore<T>(ms: number, set: () => T): T {
    this.#now += ms;
    const made = set();
    vi.advanceTimersByTime(ms);
    return made;
  }
}
