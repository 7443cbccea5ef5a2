import type { Config } from '../../config/load.ts';
import type { Log } from '../../telemetry/log/log.ts';
import type { Message } from '../../telemetry/messages/message.ts';
import type { Told } from '../../telemetry/messages/told.ts';
import { formatDuration } from '../../core/duration.ts';
import type { JobObserver, StepEnd } from '../events.ts';
import type { Job } from '../job.ts';
import { aboutOf, isAskedFor } from './about.ts';
import { knownResult } from './results.ts';

/** Who posts messages. */
export interface Teller {
  tell(message: Message): void;
}

/**
 * Tells of jobs that failed for good, and of backups, restores and drills that ended. What comes by itself and fails again and again is told
 * once, until it was well.
 */
export class MessageObserver implements JobObserver {
  readonly #teller: Teller;
  readonly #told: Told;
  readonly #config: Config | undefined;
  readonly #log: Log;
  /** One after another: what is told comes in the order in which it happened. */
  #last: Promise<void> = Promise.resolve();

  constructor(teller: Teller, told: Told, config: Config | undefined, log: Log) {
    this.#teller = teller;
    this.#told = told;
    this.#config = config;
    this.#log = log;
  }

  began(): void {}

  ended(job: Job, end: StepEnd): void {
    this.#last = this.#last
      .then(() => this.#ended(job, end))
      .catch((error: unknown) => this.#log.warn('It is not known whether somebody was told', { job: job.id, err: error }));
  }

  /** Waits until all that ended was handed over. Never rejects. */
  async idle(): Promise<void> {
    await this.#last;
  }

  async #ended(job: Job, end: StepEnd): Promise<void> {
    const condition = `failure.${job.kind}.${aboutOf(job, undefined).plan ?? 'all'}`;
    if (end.outcome === 'done' || end.outcome === 'unconfirmed') {
      const message = this.#endMessage(job, end);
      // A drill that did not pass is not well, and has its own message each time.
      if (message?.ok !== false) await this.#told.ends(condition);
      if (message !== undefined) this.#teller.tell(message);
    } else if (end.outcome === 'failed' && end.last && (isAskedFor(job) || (await this.#told.begins(condition)))) {
      this.#teller.tell(this.#failure(job, end.failure));
    }
  }

  #failure(job: Job, failure: NonNullable<Message['failure']>): Message {
    const also = job.kind === 'backup' || job.kind === 'restore' || job.kind === 'drill' ? { also: [job.kind] } : {};
    return { event: 'failure', ...also, id: `failure.${job.id}`, ok: false, text: `${nameOf(job)} failed: ${failure.message} (${failure.code})`, ...this.#about(job), failure };
  }

  #endMessage(job: Job, end: StepEnd & { readonly outcome: 'done' | 'unconfirmed' }): Message | undefined {
    const about = this.#about(job);
    const id = `${job.kind}.${job.id}`;
    const took = `in ${formatDuration(end.seconds * 1000)}`;
    const { ok = true, point, covered, safe = true, absent = [], objects, seconds, dryRun, rto } = knownResult(end.result);
    const failed = ok ? {} : { also: ['failure'] as const };
    switch (job.kind) {
      case 'backup': {
        if (covered !== undefined) return undefined;
        const text = `${nameOf(job)} ${safe ? `made a safe point ${took}` : 'made a point that is not safe yet'}`;
        return { event: 'backup', id, ok: safe, text, ...about, details: { point, safe, objects, absent, seconds: end.seconds } };
      }
      case 'restore': {
        if (end.outcome === 'unconfirmed') return { event: 'restore', id: `${id}.unconfirmed`, ok: true, text: `${nameOf(job)} waits for its plan to be confirmed`, ...about };
        if (dryRun === true) return undefined;
        return { event: 'restore', ...failed, id, ok, text: `${nameOf(job)} ${ok ? `is done ${took}` : 'is done, and not all could be restored'}`, ...about, details: { point, seconds: seconds ?? end.seconds } };
      }
      case 'drill':
        return { event: 'drill', ...failed, id, ok, text: `${nameOf(job)} ${ok ? `passed ${took}` : 'did not pass'}`, ...about, details: { point, rtoSeconds: rto?.seconds, seconds: end.seconds } };
      case 'replicate':
      case 'verify':
      case 'retain':
        return undefined;
      default:
        return job satisfies never;
    }
  }

  #about(job: Job): Pick<Message, 'plan' | 'site' | 'job'> {
    return { ...aboutOf(job, this.#config), job: { id: job.id, kind: job.kind, requestedBy: job.requestedBy } };
  }
}

function nameOf(job: Job): string {
  const { plan, site } = aboutOf(job, undefined);
  if (job.kind === 'restore') return `restore of plan "${plan ?? ''}" into site "${site ?? ''}"`;
  return plan === undefined ? job.kind : `${job.kind} of plan "${plan}"`;
}
