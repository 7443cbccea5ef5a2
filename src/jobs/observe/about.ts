import type { Config } from '../../config/load.ts';
import type { Job } from '../job.ts';

/** What a job is about, for those who tell of it. */
export interface About {
  readonly plan: string | undefined;
  /** That is backed up or restored into; undefined where none is touched. */
  readonly site: string | undefined;
}

export function aboutOf(job: Job, config: Config | undefined): About {
  switch (job.kind) {
    case 'restore':
      return { plan: job.request.plan, site: job.request.target };
    case 'retain':
      return { plan: undefined, site: undefined };
    case 'backup':
    case 'replicate':
    case 'verify':
    case 'drill':
      return { plan: job.plan, site: config?.plans.get(job.plan)?.site };
    default:
      return job satisfies never;
  }
}

/** Somebody asked for it, and waits; else it comes by itself, and comes again. */
export function isAskedFor({ requestedBy }: Job): boolean {
  return requestedBy !== 'schedule' && requestedBy !== 'event';
}
