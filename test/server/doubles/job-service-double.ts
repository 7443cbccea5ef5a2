import { LifeboatError } from '../../../src/core/errors.ts';
import type { Progress } from '../../../src/core/progress.ts';
import type { Job } from '../../../src/jobs/job.ts';
import type { JobService, JobState, JobStatus } from '../../../src/jobs/service.ts';

type Change = Partial<Pick<JobStatus, 'failure' | 'finishedAt' | 'progress' | 'result' | 'state' | 'steps'>>;

const ENDED: ReadonlySet<JobState> = new Set<JobState>(['done', 'failed', 'canceled']);

/** A double of the jobs' service: keeps jobs in memory, and nobody works on them; a test says what becomes of each. */
export class JobServiceDouble implements JobService {
  readonly jobs = new Map<string, JobStatus>();
  /** What the next calls throw. */
  failing: Error | undefined;
  /** What those who follow jobs were given, and have passed on: they have asked for more. */
  readonly #told: JobStatus[] = [];
  #listeners: (() => void)[] = [];
  #waiters: (() => void)[] = [];

  /** Does what a worker would. */
  change(id: string, change: Change): void {
    const status = this.jobs.get(id);
    if (status === undefined) throw new Error(`there is no ${id}`);
    this.jobs.set(id, { ...status, ...change });
    for (const wake of this.#waiters.splice(0)) wake();
  }

  progress(id: string, progress: Progress): void {
    this.change(id, { state: 'active', progress });
  }

  /** Leaves a restore as a worker does that wants its plan confirmed. */
  unconfirm(id: string, digest: string): void {
    this.change(id, { state: 'unconfirmed', result: { unconfirmed: { plan: { digest, source: { label: 'p1' }, target: { name: 'spare' }, actions: { update: 1 }, update: ['ConfigMap shop/prices'], warnings: [] } } } });
  }

  submit(job: Job): Promise<boolean> {
    if (this.failing !== undefined) return Promise.reject(this.failing);
    if (this.jobs.has(job.id)) return Promise.resolve(false);
    this.jobs.set(job.id, { job, state: 'waiting', steps: 0 });
    return Promise.resolve(true);
  }

  status(id: string): Promise<JobStatus | undefined> {
    return this.failing === undefined ? Promise.resolve(this.jobs.get(id)) : Promise.reject(this.failing);
  }

  list(filter: { readonly kind?: Job['kind']; readonly state?: JobState; readonly limit?: number } = {}): Promise<readonly JobStatus[]> {
    if (this.failing !== undefined) return Promise.reject(this.failing);
    const { kind, limit = Infinity, state } = filter;
    const found = [...this.jobs.values()].toReversed().filter(({ job, state: is }) => (kind === undefined || job.kind === kind) && (state === undefined || is === state));
    return Promise.resolve(found.slice(0, limit));
  }

  async *follow(id: string, signal: AbortSignal): AsyncGenerator<JobStatus> {
    let last: JobStatus | undefined;
    while (!signal.aborted) {
      const status = this.jobs.get(id);
      if (status === undefined) return;
      if (status !== last) {
        yield status;
        this.#told.push(status);
        for (const wake of this.#listeners.splice(0)) wake();
      }
      last = status;
      if (ENDED.has(status.state)) return;
      if (this.jobs.get(id) !== status) continue;
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  /** Resolves when somebody who follows a job has been told that it is in this state. */
  async told(id: string, state: JobState): Promise<void> {
    while (!this.#told.some((status) => status.job.id === id && status.state === state)) {
      await new Promise<void>((resolve) => this.#listeners.push(resolve));
    }
  }

  cancel(id: string): Promise<boolean> {
    const status = this.jobs.get(id);
    if (status === undefined || ENDED.has(status.state)) return Promise.resolve(false);
    this.change(id, { state: 'canceled' });
    return Promise.resolve(true);
  }

  confirm(id: string, { by, digest }: { readonly digest: string; readonly by: string }): Promise<void> {
    const status = this.jobs.get(id);
    const result = status?.result as { readonly unconfirmed?: { readonly plan: { readonly digest: string } } } | undefined;
    if (status?.job.kind !== 'restore' || result?.unconfirmed?.plan.digest !== digest) return Promise.reject(new LifeboatError('LB_CONFIRMATION', 'The digest is not that of the plan', { where: id }));
    this.jobs.set(id, { ...status, job: { ...status.job, confirmed: { digest, by } } });
    this.change(id, { state: 'waiting' });
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
