import { Worker } from 'bullmq';
import type { IQueueBackend } from 'bullmq';
import type { BullQueue } from './bull-queue.ts';
import { queueError, within } from './errors.ts';
import { slotId } from './schedule.ts';
import { strategy } from './tick.ts';
import type { TickData, TickJob } from './tick.ts';
import { LOCKS } from './worker-options.ts';
import type { RunOptions } from './worker-options.ts';

/** Ticks of all sites may fall on the same minute; each is two small calls. */
const AT_ONCE = 20;
const SYNC_MS = 60_000;
const TRY_AGAIN_MS = 1_000;
const CLOSE_MS = 8_000;

/**
 * Makes jobs of ticks. It has a list of its own on the server, so ticks are never behind jobs: a worker whose places are all taken still
 * puts on the list what is due. Schedules are set again every minute, as they come back by it after a server lost all it had.
 */
export class TickWorker {
  readonly #queue: BullQueue;
  readonly #options: RunOptions;
  readonly #bull: Worker<TickData, null, string, IQueueBackend, object, string>;
  #timer: NodeJS.Timeout | undefined;
  #setting: Promise<void> = Promise.resolve();

  constructor(queue: BullQueue, options: RunOptions) {
    const { locks = LOCKS } = options;
    this.#queue = queue;
    this.#options = options;
    this.#bull = new Worker<TickData, null, string, IQueueBackend, object, string>(
      queue.ticksName,
      async (tick) => {
        await this.#make(tick);
        return null;
      },
      {
        ...queue.options(),
        autorun: false,
        concurrency: AT_ONCE,
        lockDuration: locks.lockMs,
        stalledInterval: locks.lookMs,
        maxStalledCount: 1000,
        runRetryDelay: TRY_AGAIN_MS,
        settings: { repeatStrategy: strategy },
      },
      queue.backend.factory,
    );
    this.#bull.on('error', (error) => this.#trouble(error));
  }

  /** Sets the schedules and begins. Rejects when they cannot be set. */
  async start(): Promise<void> {
    await this.#set();
    this.#bull.run().catch((error: unknown) => this.#trouble(error));
    this.#timer = setInterval(() => {
      this.#setting = this.#set().catch((error: unknown) => this.#trouble(error));
    }, SYNC_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await within(CLOSE_MS, this.#setting);
    await within(CLOSE_MS, this.#bull.close()).catch((error: unknown) => this.#trouble(error));
  }

  async #set(): Promise<void> {
    await this.#queue.schedule((await this.#options.schedules?.()) ?? []);
  }

  async #make(tick: TickJob): Promise<void> {
    const slot = tick.opts.prevMillis;
    const schedule = tick.repeatJobKey;
    if (slot === undefined || schedule === undefined) throw new Error('a tick without its slot or schedule');
    const { kind, site, data, priority } = tick.data;
    const id = slotId(schedule, slot);
    await this.#queue.add({ id, kind, data, ...(site === undefined ? {} : { site }) }, priority === undefined ? {} : { priority });
    this.#options.onEvent?.({ type: 'tick', id, lateMs: Date.now() - slot });
  }

  #trouble(error: unknown): void {
    this.#options.onEvent?.({ type: 'trouble', error: queueError(error, this.#queue.backend.where) });
  }
}
