import { setTimeout } from 'node:timers/promises';
import type { Arrival } from './site-limits.ts';
import type { StoredJob, StoredQueue } from './stored.ts';

/** Jobs of which the site is remembered: it never changes. */
const REMEMBERED = 10_000;

/** Longer than it takes another worker to put back what its site has no room for. */
const PUT_BACK_MS = 100;

/** Which jobs are active in other processes, as the server has it. */
export class ActiveJobs {
  readonly #jobs: StoredQueue;
  /** The list of active jobs is in the order in which they became active. */
  readonly #inOrder: boolean;
  readonly #sites = new Map<string, string | undefined>();
  /** Jobs that are active here, or are just being put back. */
  readonly #mine = new Set<string>();

  constructor(jobs: StoredQueue, inOrder: boolean) {
    this.#jobs = jobs;
    this.#inOrder = inOrder;
  }

  here(id: string, site: string | undefined): void {
    this.#mine.add(id);
    // One whose end could not be recorded is never said to be gone.
    if (this.#mine.size > REMEMBERED) dropFirst(this.#mine);
    this.#remember(id, site);
  }

  gone(id: string): void {
    this.#mine.delete(id);
  }

  isHere(id: string): boolean {
    return this.#mine.has(id);
  }

  /** Undefined also when it is not remembered. */
  siteOf(id: string): string | undefined {
    return this.#sites.get(id);
  }

  /** As `GateServer.activeElsewhere`. */
  async elsewhere(job: Arrival, enough: number): Promise<number> {
    if (this.#inOrder) return await this.#count(job, enough, () => true);
    // By the clocks of the workers, in doubt before: those after it may be put back, because of it.
    const before = await this.#count(job, enough, (other) => (other.processedOn ?? 0) <= job.since);
    if (before >= enough) return before;
    const all = await this.#count(job, enough, () => true);
    if (all < enough) return all;
    // A clock does not say who saw whom: one that is later by it may have been on the server first, and run. Then it is still there.
    await setTimeout(PUT_BACK_MS);
    return await this.#count(job, enough, () => true);
  }

  async #count({ id, site }: Arrival, enough: number, matters: (other: StoredJob) => boolean): Promise<number> {
    let count = 0;
    for (const other of await this.#jobs.getRanges(['active'], 0, -1, true)) {
      if (other === id && this.#inOrder) break;
      if (this.#mine.has(other) || (this.#sites.has(other) && this.#sites.get(other) !== site)) continue;
      if (await this.#counts(other, site, matters)) count += 1;
      if (count >= enough) break;
    }
    return count;
  }

  async #counts(other: string, site: string, matters: (other: StoredJob) => boolean): Promise<boolean> {
    if (this.#inOrder && this.#sites.has(other)) return true;
    const job = await this.#jobs.getJob(other);
    this.#remember(other, job?.data.site);
    return job !== undefined && job.data.site === site && matters(job);
  }

  #remember(id: string, site: string | undefined): void {
    this.#sites.delete(id);
    this.#sites.set(id, site);
    if (this.#sites.size > REMEMBERED) dropFirst(this.#sites);
  }
}

function dropFirst(from: Set<string> | Map<string, unknown>): void {
  const [first] = from.keys();
  if (first !== undefined) from.delete(first);
}
