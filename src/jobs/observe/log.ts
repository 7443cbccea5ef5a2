import type { Config } from '../../config/load.ts';
import type { Log, LogFields } from '../../telemetry/log/log.ts';
import type { JobObserver, StepEnd } from '../events.ts';
import type { Job } from '../job.ts';
import { aboutOf } from './about.ts';
import { singleValues } from './results.ts';

/** A line for each step that begins (`debug`) and ends. */
export class LogObserver implements JobObserver {
  readonly #log: Log;
  readonly #config: Config | undefined;

  constructor(log: Log, config: Config | undefined) {
    this.#log = log;
    this.#config = config;
  }

  began(job: Job, attempt: number, waitedMs?: number): void {
    const waited = waitedMs === undefined ? {} : { waited: waitedMs / 1000 };
    this.#log.debug(`${job.kind} goes on`, { ...this.#fields(job), attempt, requestedBy: job.requestedBy, ...waited });
  }

  ended(job: Job, end: StepEnd): void {
    const fields = { ...this.#fields(job), outcome: end.outcome, seconds: end.seconds };
    switch (end.outcome) {
      case 'done':
        this.#log.info(`${job.kind} done`, { ...fields, result: singleValues(end.result) });
        break;
      case 'unconfirmed':
        this.#log.info(`${job.kind} waits for its plan to be confirmed`, fields);
        break;
      case 'again':
        this.#log.debug(`${job.kind} goes on in another step`, fields);
        break;
      case 'failed': {
        const { code, message, where, hint } = end.failure;
        const told = { ...fields, code, where, hint };
        if (end.last) this.#log.error(`${job.kind} failed: ${message}`, told);
        else this.#log.warn(`${job.kind} failed, and is tried again: ${message}`, told);
        break;
      }
      case 'canceled':
        this.#log.info(`${job.kind} canceled`, fields);
        break;
      case 'handed-back':
        this.#log.info(`${job.kind} handed back`, fields);
        break;
      default:
        end satisfies never;
    }
  }

  #fields(job: Job): LogFields {
    return { job: job.id, kind: job.kind, ...aboutOf(job, this.#config) };
  }
}
