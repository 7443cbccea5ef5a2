import { FlowProducer, Queue, QueueEvents, QueueEventsProducer } from 'bullmq';
import type { FlowJob, IQueueBackend } from 'bullmq';
import { LifeboatError } from '../core/errors.ts';
import { CONNECTED } from './backend.ts';
import type { Backend } from './backend.ts';
import { cancelJob, removeSequence } from './cancel.ts';
import { calling, within } from './errors.ts';
import { followJob } from './follow.ts';
import { checkJob } from './job-rules.ts';
import type { AddOptions, CancelResult, Job, JobCounts, JobQueue, JobState, JobStatus, QueueWarning, Schedule } from './queue.ts';
import { setSchedules } from './schedules.ts';
import { JOBS, TICKS, toStatus, toStored } from './stored.ts';
import type { Events, StoredQueue } from './stored.ts';
import { strategy } from './tick.ts';
import type { TickQueue } from './tick.ts';

const MANY = 100;
const CLOSE_MS = 5_000;

/** How BullMQ calls the states of which ours consists, in the order in which they are listed. */
const BULL_STATES = {
  waiting: ['prioritized', 'wait', 'delayed'],
  blocked: ['waiting-children'],
  active: ['active'],
  done: ['completed'],
  cancelled: ['completed'],
  parked: ['failed'],
} as const satisfies Record<JobState, readonly string[]>;

/** The queue on BullMQ. What it makes beside the list of jobs is made when it is first needed. */
export class BullQueue implements JobQueue {
  readonly backend: Backend;
  readonly jobsName: string;
  readonly ticksName: string;
  readonly jobs: StoredQueue;
  #ticks: TickQueue | undefined;
  #flows: FlowProducer<IQueueBackend, string> | undefined;
  #teller: QueueEventsProducer<IQueueBackend, string> | undefined;
  #events: Promise<Events> | undefined;
  #closed: Promise<void> | undefined;

  constructor(backend: Backend) {
    this.backend = backend;
    this.jobsName = backend.named(JOBS);
    this.ticksName = backend.named(TICKS);
    this.jobs = new Queue(this.jobsName, this.options(), backend.factory);
    this.jobs.on('error', ignore);
  }

  get product(): string {
    return this.backend.product;
  }

  get warnings(): readonly QueueWarning[] {
    return this.backend.warnings;
  }

  /** What every class of BullMQ is made with. */
  options() {
    return { connection: CONNECTED, prefix: this.backend.prefix };
  }

  get ticks(): TickQueue {
    if (this.#ticks === undefined) {
      this.#ticks = new Queue(this.ticksName, { ...this.options(), settings: { repeatStrategy: strategy } }, this.backend.factory);
      this.#ticks.on('error', ignore);
    }
    return this.#ticks;
  }

  /** What happens to jobs, in whatever process. One connection for all who listen. */
  async events(): Promise<Events> {
    this.#events ??= (async () => {
      const events = new QueueEvents(this.jobsName, this.options(), this.backend.factory);
      events.on('error', ignore);
      // Each follower and worker listens.
      events.setMaxListeners(0);
      await events.waitUntilReady();
      return events;
    })();
    return await this.#events;
  }

  /** Tells all who listen. */
  async tell(event: { readonly eventName: string; readonly jobId: string }): Promise<void> {
    if (this.#teller === undefined) {
      this.#teller = new QueueEventsProducer(this.jobsName, this.options(), this.backend.factory);
      this.#teller.on('error', ignore);
    }
    await this.#teller.publishEvent(event);
  }

  async add(job: Job, options: AddOptions = {}): Promise<void> {
    await this.addAll([job], options);
  }

  async addAll(jobs: readonly Job[], options: AddOptions = {}): Promise<void> {
    for (const job of jobs) checkJob(job, options);
    if (jobs.length === 0) return;
    await this.#call(() => this.jobs.addBulk(jobs.map((job) => toStored(job, options))));
  }

  async addSequence(jobs: readonly Job[], options: AddOptions = {}): Promise<void> {
    for (const job of jobs) checkJob(job, options);
    const last = jobs.at(-1);
    if (last === undefined || (await this.status(last.id)) !== undefined) return;
    // Each is the child of the one after it: children are done before their parents.
    const flow = jobs.reduce<FlowJob | undefined>((before, job) => {
      const stored = { ...toStored(job, options), queueName: this.jobsName };
      return before === undefined ? stored : { ...stored, children: [before] };
    }, undefined);
    if (flow === undefined) return;
    if (this.#flows === undefined) {
      this.#flows = new FlowProducer(this.options(), this.backend.factory);
      this.#flows.on('error', ignore);
    }
    const flows = this.#flows;
    await this.#call(() => flows.add(flow));
  }

  async status(id: string): Promise<JobStatus | undefined> {
    return await this.#call(async () => {
      const stored = await this.jobs.getJob(id);
      if (stored === undefined) return undefined;
      const state = await stored.getState();
      // Read in two calls: it may have ended in between, and then what it ended with is still to be read.
      const ended = (state === 'completed' || state === 'failed') && stored.finishedOn === undefined;
      const now = ended ? await this.jobs.getJob(id) : stored;
      return now === undefined ? undefined : toStatus(now, state);
    });
  }

  async list({ state, limit = MANY }: { readonly state: JobState; readonly limit?: number }): Promise<JobStatus[]> {
    const newestFirst = state === 'done' || state === 'cancelled' || state === 'parked';
    const found: JobStatus[] = [];
    for (const bullState of BULL_STATES[state]) {
      const stored = await this.#call(() => this.jobs.getJobs([bullState], 0, limit - 1, !newestFirst));
      // A job may have gone on since it was listed, and is not there then.
      const statuses = stored.flatMap((one) => (one === undefined ? [] : [toStatus(one, bullState)]));
      found.push(...statuses.filter((one) => one !== undefined && one.state === state).filter((one) => one !== undefined));
    }
    return found.slice(0, limit);
  }

  async counts(): Promise<JobCounts> {
    const states = Object.values(BULL_STATES).flat();
    const counts = await this.#call(() => this.jobs.getJobCounts(...new Set(states)));
    const sum = (state: keyof JobCounts): number => BULL_STATES[state].reduce((total, one) => total + (counts[one] ?? 0), 0);
    return { waiting: sum('waiting'), blocked: sum('blocked'), active: sum('active'), done: sum('done'), parked: sum('parked') };
  }

  async cancel(id: string): Promise<CancelResult> {
    return await this.#call(() => cancelJob(this, id));
  }

  follow(id: string, signal?: AbortSignal): AsyncIterable<JobStatus> {
    return followJob(this, id, signal);
  }

  async parked(limit: number = MANY): Promise<JobStatus[]> {
    return await this.list({ state: 'parked', limit });
  }

  async retryParked(id: string): Promise<void> {
    await this.#call(async () => {
      const stored = await this.#parkedJob(id);
      await stored.retry('failed', { resetAttemptsMade: true, resetAttemptsStarted: true });
    });
  }

  async dropParked(id: string): Promise<void> {
    await this.#call(async () => {
      await this.#parkedJob(id);
      await removeSequence(this, id);
    });
  }

  async schedule(wanted: readonly Schedule[]): Promise<void> {
    await this.#call(() => setSchedules(this.ticks, wanted));
  }

  async close(): Promise<void> {
    this.#closed ??= (async () => {
      const events = await this.#events?.catch(() => undefined);
      const parts = [events, this.#teller, this.#flows, this.#ticks, this.jobs];
      // A server that is away is not waited for.
      await within(CLOSE_MS, Promise.all(parts.map(async (part) => await part?.close().catch(ignore))));
      await within(CLOSE_MS, this.backend.close().catch(ignore));
    })();
    await this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #parkedJob(id: string) {
    const stored = await this.jobs.getJob(id);
    if (stored === undefined || (await stored.getState()) !== 'failed') {
      throw new LifeboatError('LB_JOB_NOT_FOUND', `There is no parked job "${id}" in the queue.`, { hint: '`lifeboat jobs --state failed` lists those there are.' });
    }
    return stored;
  }

  #call<T>(call: () => Promise<T>): Promise<T> {
    return calling(this.backend.where, call);
  }
}

/** What goes wrong in the background is met again by the next call, which says so. */
function ignore(): void {}
