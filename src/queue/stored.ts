import type { Job as BullJob, IQueueBackend, JobsOptions, Queue, QueueEvents } from 'bullmq';
import { z } from 'zod';
import { ERROR_CODES } from '../core/error-codes.ts';
import type { ErrorCode } from '../core/error-codes.ts';
import { LifeboatError, messageOf } from '../core/errors.ts';
import { USUAL_PRIORITY } from './job-rules.ts';
import type { AddOptions, FailReason, Job, JobState, JobStatus, Json } from './queue.ts';

/** The queue of jobs, and the one of the ticks that make them. */
export const JOBS = 'jobs';
export const TICKS = 'ticks';

/** What a job carries on the server. */
export interface StoredData {
  readonly site?: string;
  readonly data: Json;
  /** Somebody cancelled it: it is not run any more, and not again. */
  readonly cancelled?: true;
  /** What its last step left for the next. */
  readonly memo?: Json;
}

/** What a job ended with, on the server. */
export type StoredResult = { readonly done: Json } | { readonly cancelled: true };

export type StoredJob = BullJob<StoredData, StoredResult>;
export type StoredQueue = Queue<StoredData, StoredResult, string, StoredData, StoredResult, string, IQueueBackend, string>;

/** What happens to jobs. */
export type Events = QueueEvents<unknown, IQueueBackend, string>;

/** Nothing has so many tries: how many there are is decided by the worker. */
const TRIES = 1_000_000;

/** A job as BullMQ is given it. */
export function toStored(job: Job, { priority = USUAL_PRIORITY, delay = 0 }: AddOptions = {}) {
  const data: StoredData = { data: job.data, ...(job.site === undefined ? {} : { site: job.site }) };
  const opts: JobsOptions = {
    jobId: job.id,
    priority,
    attempts: TRIES,
    backoff: { type: 'custom' },
    // What failed is told by code and message. A stack would say nothing more to whoever reads it there.
    stackTraceLimit: 1,
    ...(delay > 0 ? { delay } : {}),
  };
  return { name: job.kind, data, opts };
}

export function toJob(stored: StoredJob): Job {
  const { site, data } = stored.data;
  return { id: stored.id ?? '', kind: stored.name, data, ...(site === undefined ? {} : { site }) };
}

/** How BullMQ calls the states, and how we do. */
const STATES: Readonly<Record<string, JobState>> = {
  waiting: 'waiting',
  wait: 'waiting',
  prioritized: 'waiting',
  delayed: 'waiting',
  'waiting-children': 'blocked',
  active: 'active',
  completed: 'done',
  failed: 'parked',
};

/** Undefined when the server does not know the job any more. */
export function toStatus(stored: StoredJob, bullState: string): JobStatus | undefined {
  const known = STATES[bullState];
  if (known === undefined) return undefined;
  const result = known === 'done' ? stored.returnvalue : undefined;
  const cancelled = result !== undefined && result !== null && 'cancelled' in result;
  const reason = stored.failedReason === undefined || stored.failedReason === '' ? undefined : fromReason(stored.failedReason);
  return {
    job: toJob(stored),
    state: cancelled ? 'cancelled' : known,
    addedAt: stored.timestamp,
    // A try that was not a failure is counted too.
    failures: known === 'done' ? Math.max(0, stored.attemptsMade - 1) : stored.attemptsMade,
    ...(bullState === 'delayed' ? { notBefore: dueAt(stored) } : {}),
    ...(stored.processedOn === undefined ? {} : { startedAt: stored.processedOn }),
    ...(stored.finishedOn === undefined ? {} : { finishedAt: stored.finishedOn }),
    ...(reason === undefined || known === 'done' ? {} : { reason }),
    ...(isSaid(stored.progress) ? { progress: stored.progress.said } : {}),
    ...(result !== undefined && result !== null && 'done' in result ? { result: result.done } : {}),
  };
}

/** BullMQ remembers how long a job waits, not from when: a job that was put back waits from its last start. */
function dueAt(stored: StoredJob): number {
  return (stored.processedOn ?? stored.timestamp) + stored.delay;
}

/** Progress is any JSON; on the server it is an object, to tell it from the zero that a job begins with. */
export interface Said {
  readonly said: Json;
}

function isSaid(progress: unknown): progress is Said {
  return typeof progress === 'object' && progress !== null && 'said' in progress;
}

const isCode = (code: string): code is ErrorCode => Object.hasOwn(ERROR_CODES, code);

const reasonSchema = z.object({
  code: z.string().refine(isCode),
  message: z.string(),
  where: z.string().optional(),
  hint: z.string().optional(),
});

/** Messages of others than us may be of any length. */
const LONGEST_MESSAGE = 2000;

/** Why a job failed, as it is kept with it. */
export function toReason(error: unknown): string {
  const own = error instanceof LifeboatError ? error : undefined;
  const reason = { code: own?.code ?? 'LB_INTERNAL', message: messageOf(error).slice(0, LONGEST_MESSAGE), where: own?.where, hint: own?.hint };
  return JSON.stringify(reason);
}

/** What BullMQ itself writes when a job was taken over too often. */
const STALLED = /stalled more than allowable limit/;

export function fromReason(text: string): FailReason {
  const parsed = reasonSchema.safeParse(parseJson(text));
  if (parsed.success) {
    const { code, message, where, hint } = parsed.data;
    return { code, message, ...(where === undefined ? {} : { where }), ...(hint === undefined ? {} : { hint }) };
  }
  if (STALLED.test(text)) {
    return {
      code: 'LB_JOB_STALLED',
      message: 'The worker that had this job died or was cut off, several times over.',
      hint: 'Look at the memory limit and the last messages of the workers, then retry it.',
    };
  }
  return { code: 'LB_INTERNAL', message: text };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
