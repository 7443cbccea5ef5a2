import { z } from 'zod';
import type { Job } from '../jobs/job.ts';
import type { JobStatus } from '../jobs/service.ts';
import { planDocument } from './documents.ts';
import type { JobDocument, RestoreDocument } from './documents.ts';

/** What a worker leaves of a restore: src/jobs/work/restore.ts, src/jobs/handler.ts. */
const restoreResult = z.object({
  plan: planDocument.optional(),
  unconfirmed: z.object({ plan: planDocument }).optional(),
  report: z.record(z.string(), z.unknown()).optional(),
});

/** What may take back objects that exist, or write into the cluster that the point is of, may have to be confirmed. */
export function mayNeedConfirmation({ existing, intoSource, dryRun }: { readonly existing: string; readonly intoSource: boolean; readonly dryRun: boolean }): boolean {
  return !dryRun && (existing === 'update' || intoSource);
}

/** A job as the API shows it. */
export function jobView(status: JobStatus, options: { readonly result: boolean }): JobDocument {
  const { job, result } = status;
  const plan = planOf(job);
  return {
    ...common(status),
    ...(plan !== undefined && { plan }),
    ...(options.result && job.kind !== 'restore' && result !== undefined && { result }),
  };
}

/** A restore as the API shows it. Undefined when the job is none. */
export function restoreView(status: JobStatus): RestoreDocument | undefined {
  const { job, result } = status;
  if (job.kind !== 'restore') return undefined;
  const parsed = restoreResult.safeParse(result ?? {});
  const { report, unconfirmed, plan = unconfirmed?.plan } = parsed.success ? parsed.data : {};
  return {
    ...common(status),
    kind: 'restore',
    request: job.request,
    ...(job.confirmed !== undefined && { confirmed: job.confirmed }),
    ...(plan !== undefined && { plan }),
    ...(report !== undefined && { report }),
  };
}

function common({ job, state, steps, progress, failure, finishedAt }: JobStatus): Omit<JobDocument, 'plan' | 'result'> {
  const { id, kind, requestedBy, at } = job;
  return {
    id,
    kind,
    state,
    requestedBy,
    at,
    steps,
    ...(progress !== undefined && { progress }),
    ...(failure !== undefined && { failure }),
    ...(finishedAt !== undefined && { finishedAt }),
  };
}

function planOf(job: Job): string | undefined {
  if (job.kind === 'retain') return undefined;
  return job.kind === 'restore' ? job.request.plan : job.plan;
}
