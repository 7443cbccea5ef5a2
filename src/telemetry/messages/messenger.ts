import { systemClock } from '../../core/clock.ts';
import type { Clock } from '../../core/clock.ts';
import type { Redactor } from '../../core/redact.ts';
import type { Log } from '../log/log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { bodyOf } from './message.ts';
import type { Message, MessageEvent } from './message.ts';
import { send } from './request.ts';
import type { SendLimits } from './request.ts';
import { SIGNATURE_HEADER, signBody } from './signature.ts';

/** Somebody who is told. */
export interface Webhook {
  readonly url: string;
  /** Messages are signed with it. */
  readonly secret?: string | undefined;
  readonly on?: readonly MessageEvent[] | undefined;
}

export interface MessengerOptions {
  readonly webhooks: readonly Webhook[];
  readonly redactor: Redactor;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock?: Clock;
  readonly limits?: Partial<SendLimits>;
  readonly version?: string;
}

/** What is told of when a webhook does not say. */
export const USUAL_EVENTS: readonly MessageEvent[] = ['failure', 'objective-missed', 'schedule-missed'];

/** Under three minutes in all. */
const LIMITS: SendLimits = { timeout: 10_000, tries: 6, firstPause: 2_000, longestPause: 60_000 };
/** Messages that may wait for one webhook; of more the oldest are dropped. */
const MOST_WAITING = 100;

/**
 * Posts messages to webhooks, each in order and at its own pace, beside whatever is going on: `tell` never throws and is not
 * waited for. What a webhook does not take after some tries is given up, and logged.
 */
export class Messenger {
  readonly #lanes: readonly Lane[];
  readonly #ending = new AbortController();

  constructor({ webhooks, redactor, log, metrics, clock = systemClock, limits, version }: MessengerOptions) {
    for (const { url, secret } of webhooks) {
      redactor.add(url);
      if (secret !== undefined) redactor.add(secret);
    }
    const shared = { redactor, log, metrics, clock, limits: { ...LIMITS, ...limits }, agent: `lifeboat${version === undefined ? '' : `/${version}`}`, signal: this.#ending.signal };
    this.#lanes = webhooks.map((hook, index) => new Lane(hook, index + 1, shared));
  }

  /** Whether any webhook is told of this. */
  wants(event: MessageEvent): boolean {
    return this.#lanes.some((lane) => lane.wants(event));
  }

  tell(message: Message): void {
    const events = [message.event, ...(message.also ?? [])];
    for (const lane of this.#lanes) if (events.some((event) => lane.wants(event))) lane.put(message);
  }

  /** Waits until all is sent or given up, at most so many milliseconds. */
  async flush(ms: number): Promise<void> {
    const timer = Promise.withResolvers<void>();
    const handle = setTimeout(timer.resolve, ms);
    await Promise.race([Promise.all(this.#lanes.map((lane) => lane.idle())), timer.promise]);
    clearTimeout(handle);
  }

  /** The same, and gives up what is left then. */
  async close(ms: number = 5_000): Promise<void> {
    await this.flush(ms);
    this.#ending.abort(new Error('The process ends'));
    await Promise.all(this.#lanes.map((lane) => lane.idle()));
  }
}

interface Shared {
  readonly redactor: Redactor;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly limits: SendLimits;
  readonly agent: string;
  readonly signal: AbortSignal;
}

/** The messages to one webhook, one after another. */
class Lane {
  readonly #hook: Webhook;
  /** Its address is secret, so that it goes by its place in lifeboat.yaml. */
  readonly #where: string;
  readonly #shared: Shared;
  readonly #waiting: Message[] = [];
  #busy: Promise<void> | undefined;

  constructor(hook: Webhook, number: number, shared: Shared) {
    this.#hook = hook;
    this.#where = `notify.webhooks.${number - 1}`;
    this.#shared = shared;
  }

  wants(event: MessageEvent): boolean {
    return (this.#hook.on ?? USUAL_EVENTS).includes(event);
  }

  put(message: Message): void {
    this.#waiting.push(message);
    if (this.#waiting.length > MOST_WAITING) this.#lost(this.#waiting.shift(), 'dropped', 'too many wait for it');
    this.#busy ??= this.#go();
  }

  async idle(): Promise<void> {
    await this.#busy;
  }

  async #go(): Promise<void> {
    // Not in the turn of whoever tells.
    await Promise.resolve();
    for (let message = this.#waiting.shift(); message !== undefined; message = this.#waiting.shift()) {
      try {
        await this.#send(message);
        this.#shared.metrics.count('lifeboat_messages_total', { event: message.event, outcome: 'sent' });
      } catch (error) {
        this.#lost(message, 'failed', error instanceof Error ? error.message : 'it could not be sent');
      }
    }
    this.#busy = undefined;
  }

  async #send(message: Message): Promise<void> {
    const { redactor, clock, limits, agent, signal } = this.#shared;
    signal.throwIfAborted();
    const body = bodyOf(message, clock.now(), redactor);
    const { url, secret } = this.#hook;
    const headers = { 'content-type': 'application/json', 'user-agent': agent, 'lifeboat-event': message.event };
    // Signed anew at each try: its time is when it was sent.
    const make = () => ({ method: 'POST', headers: { ...headers, ...(secret !== undefined && { [SIGNATURE_HEADER]: signBody(secret, body, clock.now()) }) }, body }) as const;
    await send(url, make, { limits, clock, signal });
  }

  #lost(message: Message | undefined, outcome: 'failed' | 'dropped', why: string): void {
    if (message === undefined) return;
    const { log, metrics } = this.#shared;
    metrics.count('lifeboat_messages_total', { event: message.event, outcome });
    log.warn(`A webhook was not told: ${why}`, { where: this.#where, event: message.event, message: message.id });
  }
}
