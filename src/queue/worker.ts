import { DelayedError, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import type { IQueueBackend } from 'bullmq';
import { LifeboatError } from '../core/errors.ts';
import type { BullQueue } from './bull-queue.ts';
import { ActiveJobs } from './active-jobs.ts';
import { CANCEL, removeAfter } from './cancel.ts';
import { queueError, within } from './errors.ts';
import type { Handler, NextJob } from './handler.ts';
import { USUAL_PRIORITY } from './job-rules.ts';
import type { Job, Json } from './queue.ts';
import { RunningStep, canPass, deadlineError } from './run-step.ts';
import type { StepEnd } from './run-step.ts';
import { SiteGate } from './site-gate.ts';
import type { SiteLimits } from './site-limits.ts';
import { fromReason, toJob, toReason } from './stored.ts';
import type { Events, Said, StoredData, StoredJob, StoredResult } from './stored.ts';
import { Telling } from './telling.ts';
import { GRACE_MS, KEEP, LOCKS, RETRIES, SITES } from './worker-options.ts';
import type { WorkerEvent, WorkerOptions } from './worker-options.ts';

type Bull = Worker<StoredData, StoredResult, string, IQueueBackend, Said, string>;

/** A try that failed, and another is to be made. */
class Failure extends Error {}

function isReason(error: unknown): boolean {
  return error instanceof Failure || error instanceof UnrecoverableError;
}

/** A server that refuses a call is asked again so soon. */
const TRY_AGAIN_MS = 1_000;
/** Ending waits so long for the server. Steps that do not listen end within it. */
const CLOSE_MS = 8_000;
/** Jobs that were cancelled, of which so many are remembered: this worker may be about to take one. */
const REMEMBERED = 1_000;

/**
 * Takes jobs and runs their steps. What it acknowledges is: one job of a given id runs at a time; a step that ends is
 * recorded once; when this process dies, at any moment, the job is taken over by another.
 */
export class JobWorker {
  readonly #queue: BullQueue;
  readonly #handler: Handler;
  readonly #options: WorkerOptions;
  readonly #latest: number;
  readonly #gate: SiteGate;
  readonly #active: ActiveJobs;
  readonly #bull: Bull;
  readonly #steps = new Map<string, RunningStep>();
  readonly #stopping = new AbortController();
  readonly #cancelled = new Set<string>();
  readonly #events: Events;
  readonly #onCancel = ({ jobId }: { readonly jobId: string }): void => this.#cancel(jobId);
  readonly #onEnded = ({ jobId }: { readonly jobId: string }): void => {
    const site = this.#active.siteOf(jobId);
    if (site !== undefined && !this.#active.isHere(jobId)) this.#attempt(this.#gate.ended(site));
  };

  /** `latest` is when steps must have ended, in milliseconds since the epoch. */
  constructor(queue: BullQueue, events: Events, handler: Handler, options: WorkerOptions, latest: number) {
    this.#queue = queue;
    this.#events = events;
    this.#handler = handler;
    this.#options = options;
    this.#latest = latest;
    const { sites = SITES, keep = KEEP, locks = LOCKS } = options;
    this.#active = new ActiveJobs(queue.jobs, queue.backend.activeInOrder);
    this.#gate = new SiteGate(typeof sites === 'function' ? sites : (): SiteLimits => sites, {
      activeElsewhere: (job, enough) => this.#active.elsewhere(job, enough),
      call: async (id) => {
        const job = await queue.jobs.getJob(id);
        // Its time may have come already, or somebody cancelled it.
        await job?.promote().catch(() => undefined);
      },
      now: Date.now,
    });
    this.#bull = new Worker<StoredData, StoredResult, string, IQueueBackend, Said, string>(
      queue.jobsName,
      (job, token) => this.#process(job, token ?? ''),
      {
        ...queue.options(),
        autorun: false,
        concurrency: options.concurrency,
        lockDuration: locks.lockMs,
        stalledInterval: locks.lookMs,
        maxStalledCount: locks.takeovers,
        runRetryDelay: TRY_AGAIN_MS,
        removeOnComplete: { age: keep.ms / 1000, count: keep.count },
        settings: { backoffStrategy: (failures) => this.#pause(failures) },
      },
      queue.backend.factory,
    );
    this.#bull.on('error', (error) => this.#trouble(error));
    this.#bull.on('stalled', (id) => this.#tell({ type: 'taken-over', id }));
    this.#bull.on('lockRenewalFailed', (ids) => {
      for (const id of ids) this.#steps.get(id)?.stop('lost');
    });
    this.#bull.on('completed', (job) => this.#freed(job));
    this.#bull.on('failed', (job, error) => {
      if (job !== undefined) this.#freed(job);
      // Not the handler's: a call to the server failed before or after it. The job is tried again.
      if (!isReason(error)) this.#trouble(error);
    });
    // BullMQ does not know the names of events of our own.
    (events as NodeJS.EventEmitter).on(CANCEL, this.#onCancel);
    events.on('completed', this.#onEnded);
    events.on('failed', this.#onEnded);
  }

  start(): void {
    this.#attempt(this.#bull.run());
  }

  /** Steps that run now. */
  get running(): number {
    return this.#steps.size;
  }

  /** Takes no more jobs, gives the steps that run so many milliseconds to end, and hands the others back, to be taken at once. */
  async stop(graceMs: number = this.#options.graceMs ?? GRACE_MS): Promise<void> {
    await this.#bull.pause(true);
    this.#stopping.abort(new LifeboatError('LB_INTERRUPTED', 'The worker has to end.'));
    const ends = Promise.allSettled([...this.#steps.values()].map((step) => step.end));
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([ends, new Promise((resolve) => (timer = setTimeout(resolve, graceMs)))]);
    clearTimeout(timer);
    for (const step of this.#steps.values()) step.stop('ending');
    this.#attempt(this.#gate.callAll());
    // It waits until what became of each step is on the server; where that is away, others take the jobs over.
    await within(CLOSE_MS, this.#bull.close()).catch((error: unknown) => this.#trouble(error));
    (this.#events as NodeJS.EventEmitter).off(CANCEL, this.#onCancel);
    this.#events.off('completed', this.#onEnded);
    this.#events.off('failed', this.#onEnded);
  }

  async #process(stored: StoredJob, token: string): Promise<StoredResult> {
    const job = toJob(stored);
    const begin = Date.now();
    if (this.#isCancelled(stored)) return await this.#endCancelled(stored, job, 0);
    if (this.#stopping.signal.aborted) return await this.#handBack(stored, job, token, 0);
    if (!(await this.#isAdmitted(stored, job, token))) throw new DelayedError();
    try {
      if (this.#stopping.signal.aborted) return await this.#handBack(stored, job, token, 0);
      return await this.#run(stored, job, token, begin);
    } finally {
      if (job.site !== undefined) this.#gate.left(job.site);
    }
  }

  /** When its site is at its limit, it was put back. */
  async #isAdmitted(stored: StoredJob, job: Job, token: string): Promise<boolean> {
    const { id, site } = job;
    this.#active.here(id, site);
    if (site === undefined) return true;
    const hold = async (ms: number): Promise<void> => {
      await stored.moveToDelayed(Date.now() + ms, token);
      this.#active.gone(id);
      this.#tell({ type: 'held', job, ms });
    };
    const arrival = { id, site, priority: stored.priority || USUAL_PRIORITY, addedAt: stored.timestamp };
    return await this.#gate.admit({ ...arrival, since: stored.processedOn ?? 0 }, hold);
  }

  async #run(stored: StoredJob, taken: Job, token: string, begin: number): Promise<StoredResult> {
    const attempt = stored.attemptsMade + 1;
    const waitedMs = begin - stored.timestamp - (attempt === 1 ? stored.delay : 0);
    const job = await this.#marked(stored, taken, waitedMs);
    this.#tell({ type: 'started', job, attempt, waitedMs });
    const telling = new Telling<Said>((said) => stored.updateProgress(said), (error) => this.#trouble(error));
    const { ms: stepMs, memory } = this.#options.step;
    const budget = { deadline: Math.min(begin + stepMs, this.#latest), memory };
    const step = new RunningStep(this.#handler, job, attempt, budget, stored.data.memo, this.#stopping.signal, (value: Json) => telling.say({ said: value }));
    this.#steps.set(job.id, step);
    // It was cancelled while its site was looked at, perhaps.
    if (this.#cancelled.has(job.id)) step.stop('cancelled');
    try {
      const end = await step.end;
      await telling.end();
      return await this.#settle(stored, job, token, end, Date.now() - begin);
    } finally {
      this.#steps.delete(job.id);
    }
  }

  async #marked(stored: StoredJob, job: Job, waitedMs: number): Promise<Job> {
    try {
      const data = this.#options.mark?.(job, waitedMs);
      if (data !== undefined) await stored.updateData({ ...stored.data, data });
    } catch (error) {
      this.#trouble(error);
    }
    return toJob(stored);
  }

  /** Records how a step ended. What it throws tells BullMQ what to do with the job. */
  async #settle(stored: StoredJob, job: Job, token: string, end: StepEnd, ms: number): Promise<StoredResult> {
    if (end.is === 'failed') return this.#fail(stored, job, end.error, ms);
    if (end.is === 'stopped') {
      switch (end.why) {
        case 'cancelled':
          return await this.#endCancelled(stored, job, ms);
        case 'deadline':
          return this.#fail(stored, job, deadlineError(), ms);
        case 'ending':
          return await this.#handBack(stored, job, token, ms);
        case 'lost':
          this.#tell({ type: 'lost', job, ms });
          this.#active.gone(job.id);
          // Not recorded: the lock is another's.
          throw new DelayedError();
      }
    }
    const { outcome } = end;
    if ('again' in outcome) {
      const { after = 0, memo } = outcome;
      if (memo !== undefined) await stored.updateData({ ...stored.data, memo });
      await stored.moveToDelayed(Date.now() + (after > 0 ? after : TRY_AGAIN_MS), token);
      // Called at once it is at the end of the line, so that others have their turn between two steps.
      if (after <= 0) await stored.promote().catch(() => undefined);
      this.#tell({ type: 'again', job, ms });
      this.#freed(stored);
      throw new DelayedError();
    }
    if ('next' in outcome) await this.#addNext(outcome.next);
    const result = outcome.done ?? null;
    this.#tell({ type: 'done', job, ms, result });
    return { done: result };
  }

  /** They are added before this one is done: when this process dies in between, it is done again, and they are there already. */
  async #addNext(next: readonly NextJob[]): Promise<void> {
    for (const { priority, delay, ...job } of next) {
      await this.#queue.add(job, { ...(priority !== undefined && { priority }), ...(delay !== undefined && { delay }) });
    }
  }

  #fail(stored: StoredJob, job: Job, thrown: unknown, ms: number): never {
    const error = queueError(thrown, this.#queue.backend.where);
    const text = toReason(error);
    const { tries } = this.#options.retries ?? RETRIES;
    const again = canPass(error) && stored.attemptsMade + 1 < tries;
    this.#tell({ type: again ? 'retry' : 'parked', job, ms, reason: fromReason(text) });
    throw again ? new Failure(text) : new UnrecoverableError(text);
  }

  async #endCancelled(stored: StoredJob, job: Job, ms: number): Promise<StoredResult> {
    // Else those after it would begin now.
    await removeAfter(this.#queue, stored);
    this.#cancelled.delete(job.id);
    this.#tell({ type: 'cancelled', job, ms });
    return { cancelled: true };
  }

  async #handBack(stored: StoredJob, job: Job, token: string, ms: number): Promise<never> {
    await stored.moveToWait(token);
    this.#active.gone(job.id);
    this.#tell({ type: 'handed-back', job, ms });
    throw new WaitingError();
  }

  #isCancelled(stored: StoredJob): boolean {
    return stored.data.cancelled === true || this.#cancelled.has(stored.id ?? '');
  }

  #cancel(id: string): void {
    this.#cancelled.add(id);
    if (this.#cancelled.size > REMEMBERED) {
      const [oldest] = this.#cancelled;
      if (oldest !== undefined) this.#cancelled.delete(oldest);
    }
    this.#steps.get(id)?.stop('cancelled');
  }

  /** How long to wait after a failure: twice as long each time, and not all at the same moment. */
  #pause(failures: number): number {
    const { firstMs, longestMs } = this.#options.retries ?? RETRIES;
    const full = Math.min(longestMs, firstMs * 2 ** (failures - 1));
    return Math.round(full * (0.75 + Math.random() / 4));
  }

  #freed(stored: StoredJob): void {
    this.#active.gone(stored.id ?? '');
    const { site } = stored.data;
    if (site !== undefined) this.#attempt(this.#gate.ended(site));
  }

  /** For what nobody waits for: when it fails, it happens by itself a little later. */
  #attempt(promise: Promise<unknown>): void {
    promise.catch((error: unknown) => this.#trouble(error));
  }

  #trouble(error: unknown): void {
    this.#tell({ type: 'trouble', error: queueError(error, this.#queue.backend.where) });
  }

  #tell(event: WorkerEvent): void {
    try {
      this.#options.onEvent?.(event);
    } catch {
      // Whoever listens must not stop the work.
    }
  }
}
