import type { Job } from '../jobs/job.ts';
import type { FunctionSurroundings } from './surroundings.ts';

/** What came of an event: the jobs that are new, and those that were handed over before. */
export interface HandedOver {
  readonly new: readonly string[];
  readonly known: readonly string[];
  /** Why an event led to no job. */
  readonly ignored?: string;
}

/** An answer to a request. */
export interface HttpOutcome {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Hands jobs over, one after another. Throws `LB_QUEUE_UNAVAILABLE`; what was handed over then stays so, and is known the next time. */
export async function handOver(jobs: readonly Job[], surroundings: FunctionSurroundings): Promise<HandedOver> {
  const service = await surroundings.jobs();
  const fresh: string[] = [];
  const known: string[] = [];
  for (const job of jobs) {
    const added = await service.submit(job);
    (added ? fresh : known).push(job.id);
    surroundings.log({ message: added ? 'job handed over' : 'job was known', job: job.id, kind: job.kind, ...('plan' in job && { plan: job.plan }) });
  }
  return { new: fresh, known };
}
