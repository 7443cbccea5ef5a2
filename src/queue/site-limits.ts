/** What holds for each site. */
export interface SiteLimits {
  /** Jobs of one site at once, over all workers of the queue. */
  readonly concurrency: number;
  /** Steps of one site that begin within a time, for each worker process. No limit if not said. */
  readonly rate?: { readonly max: number; readonly perMs: number };
}

/** A job that has just become active. */
export interface Arrival {
  readonly id: string;
  readonly site: string;
  readonly priority: number;
  readonly addedAt: number;
  /** When it became active. */
  readonly since: number;
}
