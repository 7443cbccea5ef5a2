import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Budget } from '../../src/core/budget.ts';
import { LifeboatError } from '../../src/core/errors.ts';
import type { Job } from '../../src/jobs/job.ts';
import type { JobService, JobStatus } from '../../src/jobs/service.ts';

/** Stands for the queue where a test is about what reaches it: keeps jobs in a folder, one file each, and does none. */
export class JobServiceDouble implements JobService {
  readonly #folder: string;
  readonly #mark: (job: Job) => Job;
  readonly confirmed: { readonly id: string; readonly digest: string; readonly by: string }[] = [];

  /** `mark`: as the jobs' service on the queue has it. */
  constructor(folder: string, mark: (job: Job) => Job = (job) => job) {
    this.#folder = folder;
    this.#mark = mark;
  }

  async submit(job: Job): Promise<boolean> {
    await mkdir(this.#folder, { recursive: true });
    try {
      await writeFile(join(this.#folder, `${job.id}.json`), JSON.stringify(this.#mark(job)), { flag: 'wx' });
      return true;
    } catch {
      return false;
    }
  }

  /** Notes what `work` may use, beside the jobs. */
  async noteBudget(budget: Budget): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await writeFile(join(this.#folder, 'budget'), JSON.stringify({ ...budget, now: Date.now() }));
  }

  async jobs(): Promise<readonly Job[]> {
    const names = (await readdir(this.#folder).catch(() => [])).filter((name) => name.endsWith('.json'));
    return Promise.all(names.toSorted().map(async (name) => JSON.parse(await readFile(join(this.#folder, name), 'utf8')) as Job));
  }

  async status(id: string): Promise<JobStatus | undefined> {
    return (await this.list()).find(({ job }) => job.id === id);
  }

  async list(filter: { readonly kind?: Job['kind'] } = {}): Promise<readonly JobStatus[]> {
    const jobs = (await this.jobs()).filter(({ kind }) => filter.kind === undefined || kind === filter.kind);
    return jobs.map((job) => ({ job, state: 'waiting', steps: 0 }));
  }

  async *follow(): AsyncIterable<JobStatus> {
    yield* await this.list();
  }

  cancel(): Promise<boolean> {
    return Promise.resolve(false);
  }

  confirm(id: string, { digest, by }: { readonly digest: string; readonly by: string }): Promise<void> {
    if (digest !== 'the-digest') return Promise.reject(new LifeboatError('LB_CONFIRMATION', 'The digest is not that of the plan'));
    this.confirmed.push({ id, digest, by });
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
