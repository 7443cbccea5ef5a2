import { systemClock } from '../core/clock.ts';
import type { Clock } from '../core/clock.ts';
import { isLifeboatError } from '../core/errors.ts';
import { isRefusal } from './errors.ts';
import type { ServerHealth } from './retry.ts';

/** How long after its return a server that may not be asked is taken to be starting. Measured: 2 to 5 s. */
const START_MS = 20_000;

/** Keeps what one API server's answers say of its health, by its own word (`/readyz`) where it gives it. */
export class ApiServerHealth implements ServerHealth {
  readonly #askReady: () => Promise<unknown>;
  readonly #clock: Clock;
  #lastAway = Number.NEGATIVE_INFINITY;

  /** `askReady` sends one request to `/readyz` and throws what it fails with. */
  constructor(askReady: () => Promise<unknown>, clock: Clock = systemClock) {
    this.#askReady = askReady;
    this.#clock = clock;
  }

  away(): void {
    this.#lastAway = this.#clock.now();
  }

  async ready(): Promise<boolean> {
    try {
      await this.#askReady();
      this.#lastAway = Number.NEGATIVE_INFINITY;
      return true;
    } catch (error) {
      // It is up, and we may not ask, or not yet: only trying will tell.
      if (isRefusal(error, 401, 403, 404)) return true;
      if (isLifeboatError(error, 'LB_SITE_UNREACHABLE')) return false;
      throw error;
    }
  }

  starting(): boolean {
    return this.#clock.now() - this.#lastAway < START_MS;
  }
}
