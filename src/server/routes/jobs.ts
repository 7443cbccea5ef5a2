import { createRoute } from '@hono/zod-openapi';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { LifeboatError } from '../../core/errors.ts';
import { jobSchema } from '../../jobs/job.ts';
import { NOT_FOUND, REFUSALS, SECURED, UNFIT } from '../answers.ts';
import { permits } from '../auth/principal.ts';
import { acceptedDocument, canceledDocument, JOB_KINDS, JOB_STATES, jobDocument, jobRequest, jobsDocument } from '../documents.ts';
import { changing } from '../guard.ts';
import type { AppEnv, AppParts, Guard } from '../parts.ts';
import { ApiError } from '../problem.ts';
import { jobView } from '../views.ts';
import { idempotencyHeader, idParameter, jobOf, newJobId, submitOnce } from './ids.ts';
import { requireName } from './names.ts';

const JOBS = '/v1/jobs';
const JOB = '/v1/jobs/{id}';
const tags = ['Jobs'];

/** Everything else that can be asked for, and what became of all jobs. */
export function addJobs(app: OpenAPIHono<AppEnv>, parts: AppParts, guard: Guard): void {
  const { clock, config, jobs } = parts;

  const submit = createRoute({
    method: 'post',
    path: JOBS,
    operationId: 'createJob',
    tags,
    ...SECURED,
    summary: 'Ask for a backup, drill, verification, replication or clean-up',
    description: 'Takes the role operator. It does what lifeboat.yaml says, only now. Restores have `POST /v1/restores`.',
    middleware: guard('operator', JOBS),
    request: { headers: idempotencyHeader, body: { required: true, content: { 'application/json': { schema: jobRequest } } } },
    responses: {
      202: {
        description: 'It is on its way.',
        headers: z.object({ location: z.string().describe('Where it can be looked at.') }),
        content: { 'application/json': { schema: acceptedDocument } },
      },
      ...REFUSALS,
      ...UNFIT,
    },
  });
  app.openapi(submit, async (context) => {
    const { kind, plan, point } = context.req.valid('json');
    const principal = context.var.principal;
    if ((kind === 'retain') !== (plan === undefined)) throw unfit(kind === 'retain' ? '`retain` is of all plans together' : `\`${kind}\` needs a plan`, 'plan');
    if (point !== undefined && kind !== 'drill') throw unfit('Only drills are of a point', 'point');
    if (plan !== undefined) requireName('plan', plan, config.plans);
    const now = clock.now();
    const id = newJobId(kind, plan, principal, context.req.valid('header')['idempotency-key'], now);
    const job = jobSchema.parse({ kind, id, requestedBy: principal.name, at: new Date(now).toISOString(), ...(plan !== undefined && { plan }), ...(point !== undefined && { point }) });
    const created = await changing(context, parts, { ids: { job: id, ...(plan !== undefined && { plan }) }, status: 202 }, () => submitOnce(jobs, job));
    context.header('location', `${JOBS}/${id}`);
    return context.json({ id, created, mayNeedConfirmation: false }, 202);
  });

  const list = createRoute({
    method: 'get',
    path: JOBS,
    operationId: 'listJobs',
    tags,
    ...SECURED,
    summary: 'The newest jobs',
    description: 'Takes the role viewer.',
    middleware: guard('viewer', JOBS),
    request: {
      query: z.object({
        kind: z.enum(JOB_KINDS).optional(),
        state: z.enum(JOB_STATES).optional(),
        limit: z.coerce.number().int().min(1).max(500).default(50),
      }),
    },
    responses: { 200: { description: 'Jobs, without their results.', content: { 'application/json': { schema: jobsDocument } } }, ...REFUSALS },
  });
  app.openapi(list, async (context) => {
    const { kind, limit, state } = context.req.valid('query');
    const found = await jobs.list({ limit, ...(kind !== undefined && { kind }), ...(state !== undefined && { state }) });
    return context.json({ jobs: found.map((status) => jobView(status, { result: false })) }, 200);
  });

  const read = createRoute({
    method: 'get',
    path: JOB,
    operationId: 'getJob',
    tags,
    ...SECURED,
    summary: 'What became of a job',
    description: 'Takes the role viewer.',
    middleware: guard('viewer', JOB),
    request: { params: idParameter },
    responses: { 200: { description: 'The job.', content: { 'application/json': { schema: jobDocument } } }, ...REFUSALS, ...NOT_FOUND },
  });
  app.openapi(read, async (context) => context.json(jobView(await jobOf(jobs, context.req.valid('param').id), { result: true }), 200));

  const cancel = createRoute({
    method: 'delete',
    path: JOB,
    operationId: 'cancelJob',
    tags,
    ...SECURED,
    summary: 'Cancel a job',
    description: 'Takes the role operator for what one asked for oneself, admin for everything else. A restore that was stopped leaves what it has written; asked for again, it goes on from there.',
    middleware: guard('operator', JOB),
    request: { params: idParameter },
    responses: { 200: { description: 'It is stopped, or had ended.', content: { 'application/json': { schema: canceledDocument } } }, ...REFUSALS, ...NOT_FOUND },
  });
  app.openapi(cancel, async (context) => {
    const { id } = context.req.valid('param');
    const { name, role } = context.var.principal;
    const { job } = await jobOf(jobs, id);
    if (job.requestedBy !== name && !permits(role, 'admin')) {
      throw new LifeboatError('LB_API_FORBIDDEN', 'Somebody else asked for this job', { where: id, hint: 'It takes an admin to cancel it.' });
    }
    const canceled = await changing(context, parts, { ids: { job: id }, status: 200 }, () => jobs.cancel(id, name));
    return context.json({ id, canceled }, 200);
  });
}

function unfit(message: string, where: string): ApiError {
  return new ApiError(422, 'LB_API_REQUEST', message, { where });
}
