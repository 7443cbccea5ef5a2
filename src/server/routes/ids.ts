import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { eventJobId, requestJobId } from '../../jobs/job.ts';
import type { Job, JobKind } from '../../jobs/job.ts';
import type { JobService, JobStatus } from '../../jobs/service.ts';
import type { Principal } from '../auth/principal.ts';
import { ApiError } from '../problem.ts';

/** An id of a job, in a path. */
export const idParameter = z.object({ id: z.string().regex(/^[a-z]+\.[A-Za-z0-9][A-Za-z0-9._-]{0,160}$/, 'is not the id of a job') });

/** With it, the same request sent twice is one. */
export const idempotencyHeader = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, 'is 1 to 200 visible characters')
    .optional()
    .describe('What this request is called; sent again under the same name it is not done twice.'),
});

/** The id of what somebody asks for: by the name they give the request, or a new one. */
export function newJobId(kind: JobKind, plan: string | undefined, { name }: Principal, key: string | undefined, now: number): string {
  // One person's names are not another's.
  return key === undefined ? requestJobId(kind, now) : eventJobId(kind, plan, `request\n${name}\n${key}`);
}

/** Hands a job over. `false`: the same was there already. Throws `LB_API_CONFLICT` when it was another under the same key. */
export async function submitOnce(jobs: JobService, job: Job): Promise<boolean> {
  if (await jobs.submit(job)) return true;
  const there = await jobs.status(job.id);
  if (there === undefined || isDeepStrictEqual(asked(there.job), asked(job))) return false;
  throw new ApiError(422, 'LB_API_CONFLICT', 'Something else was asked for under this Idempotency-Key', { where: job.id, hint: 'Give each request a key of its own.' });
}

function asked(job: Job): unknown {
  if (job.kind !== 'restore') return { plan: 'plan' in job ? job.plan : undefined, point: 'point' in job ? job.point : undefined };
  const { point: _point, before: _before, ...request } = job.request;
  // One that goes on after the queue was lost names the very point that it began with.
  return job.resumed === true ? request : job.request;
}

/** The job of this id. Throws `LB_API_NOT_FOUND`. */
export async function jobOf(jobs: JobService, id: string, kind?: JobKind): Promise<JobStatus> {
  const status = await jobs.status(id);
  if (status !== undefined && (kind === undefined || status.job.kind === kind)) return status;
  throw new ApiError(404, 'LB_API_NOT_FOUND', `There is no ${kind ?? 'job'} of this id`, { where: id, hint: 'Those that ended are forgotten after a while: the audit trail and the vaults remember.' });
}
