import type { Job } from '../job.ts';
import type { Step, StepOutcome } from '../step.ts';

/** Does a step of any job; loads only what its kind needs. Throws what that throws. */
export async function workOn(job: Job, step: Step): Promise<StepOutcome> {
  switch (job.kind) {
    case 'backup':
      return (await import('./backup.ts')).backupJob(job, step);
    case 'replicate':
      return (await import('./replicate.ts')).replicateJob(job, step);
    case 'verify':
      return (await import('./verify.ts')).verifyJob(job, step);
    case 'retain':
      return (await import('./retain.ts')).retainJob(job, step);
    case 'restore':
      return (await import('./restore.ts')).restoreJob(job, step);
    case 'drill':
      return (await import('./drill.ts')).drillJob(job, step);
    default:
      return job satisfies never;
  }
}
