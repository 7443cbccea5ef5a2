import type { Progress } from '../core/progress.ts';
import type { Job } from './job.ts';

/**
 * `waiting`: for a worker. `active`: a worker has it. `unconfirmed`: its plan is to be confirmed. `done`. `failed`: given up,
 * parked with the reason. `canceled`.
 */
export type JobState = 'waiting' | 'active' | 'unconfirmed' | 'done' | 'failed' | 'canceled';

/** Why a job was given up. */
export interface JobFailure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly where?: string;
}

/** What is known of a job: from the queue, and from the vaults when the queue has forgotten it. */
export interface JobStatus {
  readonly job: Job;
  readonly state: JobState;
  /** Steps taken so far. */
  readonly steps: number;
  readonly progress?: Progress;
  /** What it came to, for `done`: depends on the kind. For restores: the plan while `unconfirmed`, and the report. */
  readonly result?: unknown;
  readonly failure?: JobFailure;
  /** ISO 8601, UTC. */
  readonly finishedAt?: string;
}

/** What takes jobs, and knows what became of them. The server, the functions and the command line use nothing else. */
export interface JobService {
  /** Hands a job over. `false`: it was there already, and is not done twice. Throws `LB_QUEUE_UNAVAILABLE`. */
  submit(job: Job): Promise<boolean>;
  /** Undefined: there is no such job. */
  status(id: string): Promise<JobStatus | undefined>;
  /** The newest first. */
  list(filter?: { readonly kind?: Job['kind']; readonly state?: JobState; readonly limit?: number }): Promise<readonly JobStatus[]>;
  /** The status now, and whenever it changes, until the job has ended or the signal fires. */
  follow(id: string, signal: AbortSignal): AsyncIterable<JobStatus>;
  /** Stops it, wherever it is. `false`: it has ended already, or there is none. */
  cancel(id: string, by: string): Promise<boolean>;
  /** Lets a restore that is `unconfirmed` go on. Throws `LB_CONFIRMATION` when the digest is not the plan's, or the person may not. */
  confirm(id: string, confirmation: { readonly digest: string; readonly by: string }): Promise<void>;
  close(): Promise<void>;
}
