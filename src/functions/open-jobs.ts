import type { JobService } from '../jobs/service.ts';
import type { QueueAccess } from './surroundings.ts';

/** The queue, for those who ask for jobs: connects, and loads nothing that does them. Throws `LB_QUEUE_…`, `LB_KEY_MISSING`. */
export async function openJobs(access: QueueAccess): Promise<JobService> {
  const [{ openJobs: open }, { surroundingsOf }] = await Promise.all([import('../jobs/open.ts'), import('./job-surroundings.ts')]);
  return open(surroundingsOf(access), access.tracing);
}
