import { z } from 'zod';
import type { Config } from '../config/load.ts';
import { LifeboatError } from '../core/errors.ts';
import type { JobQueue, JobStatus as QueuedStatus } from '../queue/index.ts';
import { confirmedId } from './job.ts';
import type { Job } from './job.ts';
import { fromQueued, toQueued } from './queued.ts';
import type { JobService, JobState, JobStatus } from './service.ts';

const MANY = 100;

const unconfirmedSchema = z.object({ unconfirmed: z.object({ plan: z.looseObject({ digest: z.string() }) }) });

const STATES: Readonly<Record<QueuedStatus['state'], JobState>> = { waiting: 'waiting', blocked: 'waiting', active: 'active', done: 'done', cancelled: 'canceled', parked: 'failed' };
/** The queue's states, those first that are asked for most. */
const QUEUED: readonly QueuedStatus['state'][] = ['active', 'waiting', 'parked', 'done', 'cancelled'];

/**
 * Jobs on the queue. A restore that somebody has to confirm is two jobs there: one that ends with the plan, and one that carries it out; from outside
 * they are one.
 */
export class QueueJobs implements JobService {
  readonly #queue: JobQueue;
  readonly #config: Config;
  readonly #mark: (job: Job) => Job;

  /** `mark`: gives a job what is to go with it, such as its trace. */
  constructor(queue: JobQueue, config: Config, mark: (job: Job) => Job = (job) => job) {
    this.#queue = queue;
    this.#config = config;
    this.#mark = mark;
  }

  async submit(job: Job): Promise<boolean> {
    const queued = toQueued(this.#mark(job), this.#config);
    const there = await this.#queue.status(job.id);
    await this.#queue.add(queued.job, queued.options);
    return there === undefined;
  }

  async status(id: string): Promise<JobStatus | undefined> {
    const first = await this.#queue.status(id);
    if (first === undefined) return undefined;
    const status = toStatus(first);
    if (status.state !== 'unconfirmed') return status;
    const second = await this.#queue.status(confirmedId(id));
    return second === undefined ? status : { ...toStatus(second), job: confirmedJob(status.job, second) };
  }

  async list({ kind, state, limit = MANY }: NonNullable<Parameters<JobService['list']>[0]> = {}): Promise<readonly JobStatus[]> {
    const found: JobStatus[] = [];
    for (const queued of QUEUED) {
      if (state !== undefined && state !== 'unconfirmed' && STATES[queued] !== state) continue;
      found.push(...(await this.#queue.list({ state: queued, limit: MANY })).map(toStatus));
    }
    return found
      .filter((status) => (kind === undefined || status.job.kind === kind) && (state === undefined || status.state === state))
      .toSorted((a, b) => (a.job.at < b.job.at ? 1 : -1))
      .slice(0, limit);
  }

  async *follow(id: string, signal: AbortSignal): AsyncIterable<JobStatus> {
    let last: JobStatus | undefined;
    for await (const status of this.#queue.follow(id, signal)) {
      last = toStatus(status);
      yield last;
    }
    if (last?.state !== 'unconfirmed') return;
    const { job } = last;
    while ((await this.#queue.status(confirmedId(id))) === undefined) await pause(CONFIRMATION_LOOK, signal);
    for await (const status of this.#queue.follow(confirmedId(id), signal)) yield { ...toStatus(status), job };
  }

  async cancel(id: string): Promise<boolean> {
    const results = [await this.#queue.cancel(id), await this.#queue.cancel(confirmedId(id))];
    return results.some((result) => result === 'removed' || result === 'stopping');
  }

  async confirm(id: string, { digest, by }: { readonly digest: string; readonly by: string }): Promise<void> {
    const status = await this.status(id);
    const unconfirmed = unconfirmedSchema.safeParse(status?.result);
    if (status?.state !== 'unconfirmed' || !unconfirmed.success || status.job.kind !== 'restore') {
      throw new LifeboatError('LB_CONFIRMATION', status === undefined ? `There is no restore ${id}` : `The restore ${id} does not wait for a confirmation`, {
        hint: 'Look at how it stands first.',
      });
    }
    if (unconfirmed.data.unconfirmed.plan.digest !== digest) {
      throw new LifeboatError('LB_CONFIRMATION', 'The plan of the restore has another digest', { where: id, hint: 'Look at the plan that the restore has, and confirm that.' });
    }
    const { job, options } = toQueued({ ...status.job, id: confirmedId(id), confirmed: { digest, by } }, this.#config);
    await this.#queue.add(job, options);
  }

  close(): Promise<void> {
    return this.#queue.close();
  }
}

/** How often is looked whether somebody has confirmed, ms. */
const CONFIRMATION_LOOK = 1_000;

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { systemClock } = await import('../core/clock.ts');
  await systemClock.sleep(ms, signal);
}

/** The job that was asked for, and by whom it was confirmed. */
function confirmedJob(job: Job, second: QueuedStatus): Job {
  const { job: carriedOut } = toStatus(second);
  return job.kind === 'restore' && carriedOut.kind === 'restore' && carriedOut.confirmed !== undefined ? { ...job, confirmed: carriedOut.confirmed } : job;
}

function toStatus(status: QueuedStatus): JobStatus {
  const said = progressSchema.safeParse(status.progress).data;
  const unconfirmed = status.state === 'done' && unconfirmedSchema.safeParse(status.result).success;
  return {
    job: fromQueued(status.job),
    state: unconfirmed ? 'unconfirmed' : STATES[status.state],
    steps: said?.steps ?? 0,
    ...(said?.progress !== undefined && { progress: said.progress }),
    ...(status.result !== undefined && { result: status.result }),
    ...(status.reason !== undefined && { failure: status.reason }),
    ...(status.finishedAt !== undefined && { finishedAt: new Date(status.finishedAt).toISOString() }),
  };
}

/** What the handler tells the queue. */
const progressSchema = z.object({
  steps: z.int(),
  progress: z
    .object({
      phase: z.string(),
      done: z.number(),
      total: z.number().exactOptional(),
      unit: z.enum(['objects', 'bytes', 'types', 'points', 'packs']),
      bytes: z.number().exactOptional(),
      detail: z.string().exactOptional(),
    })
    .optional(),
});
