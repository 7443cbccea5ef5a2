import type { Config } from '../config/load.ts';
import type { Budget } from '../core/budget.ts';
import type { Redactor } from '../core/redact.ts';
import type { JobService } from '../jobs/service.ts';
import type { Tracing } from '../telemetry/traces/tracing.ts';
import type { FunctionApi } from './open-api.ts';

/** What the queue is opened with. */
export interface QueueAccess {
  readonly config: Config;
  readonly env: NodeJS.ProcessEnv;
  readonly redactor: Redactor;
  readonly warn: (message: string) => void;
  readonly tracing: Tracing;
}

/** A line of the log: a message, and what belongs to it. Secrets are taken out on the way. */
export interface LogRecord {
  readonly level?: 'info' | 'error';
  readonly message: string;
  readonly [field: string]: unknown;
}

/** What draining the queue came to. */
export interface Drained {
  /** Steps that were taken. */
  readonly steps: number;
  /** True when there was nothing more to do; false when the time was up. */
  readonly empty: boolean;
}

/** Takes jobs out of the queue and does them. */
export interface Worker {
  /** Works until the queue is empty, the budget is used up or the signal fires; what was begun is put away before. */
  drain(budget: Budget, signal: AbortSignal): Promise<Drained>;
}

/** What a handler works with. Kept from one call to the next, as long as the platform keeps the process. */
export interface FunctionSurroundings {
  readonly env: NodeJS.ProcessEnv;
  /** Ms since 1970. */
  now(): number;
  log(record: LogRecord): void;
  /** lifeboat.yaml, read once. Throws `LB_CONFIG_MISSING`, `LB_CONFIG_INVALID`, and `LB_QUEUE_UNSUITABLE` for a queue that functions cannot share. */
  config(): Promise<Config>;
  /** What makes traces, where the environment says that somebody collects them. */
  tracing(): Promise<Tracing>;
  /** What takes jobs. Throws `LB_QUEUE_UNAVAILABLE`. */
  jobs(): Promise<JobService>;
  /** The HTTP API. Throws what the audit key and the vaults throw. */
  api(): Promise<FunctionApi>;
  /** What does them. Throws `LB_QUEUE_UNAVAILABLE`. */
  worker(): Promise<Worker>;
}
