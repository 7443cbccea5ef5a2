import type { Surroundings } from '../access/surroundings.ts';
import type { Redactor } from '../core/redact.ts';
import { SeenObjects } from '../repository/seen-objects.ts';
import type { Tracing } from '../telemetry/traces/tracing.ts';
import type { BullQueue, DrainEnd } from '../queue/index.ts';
import type { JobObserver } from './events.ts';
import { lastDrillsOf } from './last-drill.ts';
import { openTelemetry } from './observe.ts';
import type { Telemetry } from './observe.ts';
import { openJobQueue } from './open.ts';
import { QueueJobs } from './queue-service.ts';
import type { JobService } from './service.ts';
import { WorkSurroundings } from './surroundings.ts';
import { drainJobs, work } from './worker.ts';
import type { WorkOptions } from './worker.ts';

/** What a process that works on jobs, or hands them over, is opened with. */
export interface ProcessOptions {
  readonly surroundings: Pick<Surroundings, 'config' | 'configFile' | 'env'>;
  readonly redactor: Redactor;
  /** Of lifeboat. */
  readonly version: string;
  /** Are told as well what happens to jobs. */
  readonly observers?: readonly JobObserver[];
  /** Where the process makes traces already. Default: as the environment says. */
  readonly tracing?: Tracing;
}

/** How much it does at once, and when a step ends. */
export interface PaceOptions {
  readonly concurrency: number;
  /** Milliseconds that a step may take. */
  readonly stepMs: number;
  /** Whether schedules of lifeboat.yaml start jobs. */
  readonly schedules: boolean;
  /** Bytes of memory that the process has. Default: a GiB. */
  readonly memory?: number;
}

/** The queue, who hands jobs over, who works on them, and what they tell. */
export interface WorkProcess {
  readonly queue: BullQueue;
  readonly jobs: JobService;
  readonly telemetry: Telemetry;
  /** Works until the signal fires. */
  work(pace: PaceOptions, signal: AbortSignal): Promise<void>;
  /** Works until nothing is left, or the deadline is near: milliseconds since the epoch. */
  drain(pace: PaceOptions, deadline: number, signal?: AbortSignal): Promise<DrainEnd>;
  close(): Promise<void>;
}

/** Memory of a process that steps are told of, bytes. */
const MEMORY = 1024 * 1024 * 1024;

/** Opens the queue and the telemetry of lifeboat.yaml. Throws `LB_QUEUE_…`, `LB_CONFIG_…`, `LB_KEY_MISSING`. */
export async function openWorkProcess({ surroundings: given, redactor, version, observers = [], tracing }: ProcessOptions): Promise<WorkProcess> {
  let telemetry: Telemetry | undefined;
  // Steps that are under way when the process is told to end may end in peace: what stops them is the queue.
  const surroundings = new WorkSurroundings(
    { env: given.env, configFile: given.configFile, redactor, loadConfig: () => given.config(), seen: new SeenObjects() },
    new AbortController().signal,
    (warning) => telemetry?.warned(warning),
  );
  const queue = await openJobQueue(surroundings);
  try {
    telemetry = await openTelemetry({ surroundings, redactor, version, lastDrills: lastDrillsOf, counts: () => queue.counts(), tracing });
  } catch (error) {
    await queue.close();
    throw error;
  }
  const told = telemetry;
  const options = ({ concurrency, stepMs, memory = MEMORY }: PaceOptions): WorkOptions => ({
    queue,
    surroundings,
    concurrency,
    stepMs,
    memory,
    observers: [...told.observers, ...observers],
    within: (job, body) => told.within(job, body),
    mark: (job, waitedMs) => told.traced(job, { waitedMs }),
    onTick: () => told.ticked(),
    onWarning: (warning, job) => told.warned(warning, job),
  });
  return {
    queue,
    jobs: new QueueJobs(queue, await surroundings.config(), (job) => told.traced(job)),
    telemetry,
    work: (pace, signal) => work({ ...options(pace), schedules: pace.schedules, signal }),
    drain: (pace, deadline, signal) => drainJobs({ ...options(pace), schedules: pace.schedules, deadline, ...(signal && { signal }) }),
    async close() {
      await queue.close();
      await told.close();
    },
  };
}
