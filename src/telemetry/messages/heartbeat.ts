import { systemClock } from '../../core/clock.ts';
import type { Clock } from '../../core/clock.ts';
import type { Redactor } from '../../core/redact.ts';
import type { Log } from '../log/log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { send } from './request.ts';
import type { SendLimits } from './request.ts';

export interface HeartbeatOptions {
  readonly url: string;
  /** Not more often than this, ms. Default: a minute. */
  readonly every?: number | undefined;
  readonly redactor: Redactor;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock?: Clock;
  readonly limits?: Partial<SendLimits>;
}

const EVERY = 60_000;
/** What it lacks the next one brings. */
const LIMITS: SendLimits = { timeout: 10_000, tries: 2, firstPause: 1_000, longestPause: 5_000 };

/** A dead-man's switch: whoever hears it raises the alarm when it stays away. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #clock: Clock;
  readonly #ending = new AbortController();
  #last = Number.NEGATIVE_INFINITY;
  #busy: Promise<void> | undefined;

  constructor(options: HeartbeatOptions) {
    options.redactor.add(options.url);
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** All is well. Is not waited for, and never throws. */
  beat(): void {
    const { every = EVERY } = this.#options;
    const now = this.#clock.now();
    // A tick that comes a little early must not make every second one be left out.
    if (this.#busy !== undefined || now - this.#last < every * 0.9) return;
    this.#last = now;
    this.#busy = this.#send().finally(() => {
      this.#busy = undefined;
    });
  }

  /** Waits until it is sent. Never rejects. */
  async flush(): Promise<void> {
    await this.#busy;
  }

  async close(): Promise<void> {
    this.#ending.abort(new Error('The process ends'));
    await this.#busy;
  }

  async #send(): Promise<void> {
    const { url, metrics, log, limits } = this.#options;
    try {
      await send(url, () => ({ method: 'GET', headers: {} }), { limits: { ...LIMITS, ...limits }, clock: this.#clock, signal: this.#ending.signal });
      metrics.count('lifeboat_heartbeats_total', { outcome: 'sent' });
      metrics.set('lifeboat_heartbeat_timestamp_seconds', {}, this.#clock.now() / 1000);
    } catch (error) {
      metrics.count('lifeboat_heartbeats_total', { outcome: 'failed' });
      log.warn(`The heartbeat was not taken: ${error instanceof Error ? error.message : 'it could not be sent'}`, { where: 'notify.heartbeat' });
    }
  }
}
