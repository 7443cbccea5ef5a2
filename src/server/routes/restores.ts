import { createRoute } from '@hono/zod-openapi';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { LifeboatError } from '../../core/errors.ts';
import { CONFLICT, NOT_FOUND, REFUSALS, SECURED, UNFIT } from '../answers.ts';
import { acceptedDocument, confirmationRequest, confirmedDocument, planDocument, restoreDocument, restoreRequest } from '../documents.ts';
import { nothingMore, restoreEvents } from '../events.ts';
import { changing, looked } from '../guard.ts';
import type { AppEnv, AppParts, Guard } from '../parts.ts';
import { ApiError } from '../problem.ts';
import { mayNeedConfirmation, restoreView } from '../views.ts';
import { idempotencyHeader, idParameter, jobOf, newJobId, submitOnce } from './ids.ts';
import { requireName } from './names.ts';

const HEARTBEAT = 15_000;
const RESTORES = '/v1/restores';
const RESTORE = '/v1/restores/{id}';

const tags = ['Restores'];
const restoreAnswer = { 200: { description: 'The restore.', content: { 'application/json': { schema: restoreDocument } } } };

/** Restores on demand: asked for, followed, confirmed. */
export function addRestores(app: OpenAPIHono<AppEnv>, parts: AppParts, guard: Guard): void {
  const { clock, config, jobs, redact } = parts;

  const submit = createRoute({
    method: 'post',
    path: RESTORES,
    operationId: 'createRestore',
    tags,
    ...SECURED,
    summary: 'Ask for a restore',
    description: 'Takes the role operator. It is planned and carried out by a worker. One over objects that exist, or into the cluster that the point is of, waits until its plan is confirmed.',
    middleware: guard('operator', RESTORES),
    request: { headers: idempotencyHeader, body: { required: true, content: { 'application/json': { schema: restoreRequest } } } },
    responses: {
      202: {
        description: 'It is on its way.',
        headers: z.object({ location: z.string().describe('Where it can be followed.') }),
        content: { 'application/json': { schema: acceptedDocument } },
      },
      ...REFUSALS,
      ...UNFIT,
    },
  });
  app.openapi(submit, async (context) => {
    const request = context.req.valid('json');
    const principal = context.var.principal;
    requireName('plan', request.plan, config.plans);
    requireName('target', request.target, config.sites);
    const now = clock.now();
    const id = newJobId('restore', request.plan, principal, context.req.valid('header')['idempotency-key'], now);
    const job = { kind: 'restore' as const, id, requestedBy: principal.name, at: new Date(now).toISOString(), request };
    const ids = { job: id, plan: request.plan, target: request.target };
    const created = await changing(context, parts, { ids, status: 202 }, () => submitOnce(jobs, job));
    context.header('location', `${RESTORES}/${id}`);
    return context.json({ id, created, mayNeedConfirmation: mayNeedConfirmation(request) }, 202);
  });

  const read = createRoute({
    method: 'get',
    path: RESTORE,
    operationId: 'getRestore',
    tags,
    ...SECURED,
    summary: 'What became of a restore',
    description: 'Takes the role viewer. State, progress, the plan while it is to be confirmed, and the report.',
    middleware: guard('viewer', RESTORE),
    request: { params: idParameter },
    responses: { ...restoreAnswer, ...REFUSALS, ...NOT_FOUND },
  });
  app.openapi(read, async (context) => context.json(await viewOf(context.req.valid('param').id), 200));

  const follow = createRoute({
    method: 'get',
    path: `${RESTORE}/events`,
    operationId: 'followRestore',
    tags,
    ...SECURED,
    summary: 'Follow a restore',
    description:
      'Takes the role viewer. Server-sent events: `status` with what `GET /v1/restores/{id}` gives, now and whenever it changes; `end` when it has ended. A client that comes back sends `Last-Event-ID`, and is not told again what it knows.',
    middleware: guard('viewer', `${RESTORE}/events`),
    request: { params: idParameter, headers: z.object({ 'last-event-id': z.string().max(64).optional() }) },
    responses: {
      200: { description: 'Events, until it has ended.', content: { 'text/event-stream': { schema: z.string() } } },
      204: { description: 'It has ended, and the client knows.' },
      ...REFUSALS,
      ...NOT_FOUND,
    },
  });
  app.openapi(follow, async (context) => {
    const { id } = context.req.valid('param');
    const lastSeen = context.req.valid('header')['last-event-id'];
    const view = await viewOf(id);
    if (nothingMore(view, lastSeen, redact)) return context.body(null, 204);
    const signal = AbortSignal.any([context.req.raw.signal, ...(parts.stopping === undefined ? [] : [parts.stopping])]);
    const stream = restoreEvents(jobs, id, { lastSeen, heartbeat: parts.heartbeat ?? HEARTBEAT, signal, redact });
    return context.body(stream, 200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
  });

  const plan = createRoute({
    method: 'get',
    path: `${RESTORE}/plan`,
    operationId: 'getRestorePlan',
    tags,
    ...SECURED,
    summary: 'The plan of a restore',
    description: 'Takes the role viewer. There while it is to be confirmed, and of a dry run that has ended. Its digest is what a confirmation names.',
    middleware: guard('viewer', `${RESTORE}/plan`),
    request: { params: idParameter },
    responses: { 200: { description: 'The plan.', content: { 'application/json': { schema: planDocument } } }, ...REFUSALS, ...NOT_FOUND },
  });
  app.openapi(plan, async (context) => {
    const { id } = context.req.valid('param');
    const { plan: found } = await viewOf(id);
    if (found === undefined) throw new ApiError(404, 'LB_API_NOT_FOUND', 'There is no plan to look at', { where: id, hint: 'There is one while the restore is `unconfirmed`, and of a dry run that has ended.' });
    await looked(context, parts, { job: id });
    return context.json(found, 200);
  });

  const confirm = createRoute({
    method: 'post',
    path: `${RESTORE}/confirm`,
    operationId: 'confirmRestore',
    tags,
    ...SECURED,
    summary: 'Confirm the plan of a restore',
    description: 'Takes the role admin, and with `server.secondPerson` somebody else than who asked for the restore. The digest says which plan was looked at: when the target has changed since, the restore fails and writes nothing.',
    middleware: guard('admin', `${RESTORE}/confirm`),
    request: { params: idParameter, body: { required: true, content: { 'application/json': { schema: confirmationRequest } } } },
    responses: { 200: { description: 'It goes on.', content: { 'application/json': { schema: confirmedDocument } } }, ...REFUSALS, ...NOT_FOUND, ...CONFLICT, ...UNFIT },
  });
  app.openapi(confirm, async (context) => {
    const { id } = context.req.valid('param');
    const { digest } = context.req.valid('json');
    const { name } = context.var.principal;
    const status = await jobOf(jobs, id, 'restore');
    if (config.server?.secondPerson === true && status.job.requestedBy === name) {
      throw new LifeboatError('LB_API_FORBIDDEN', 'Another person than asked for the restore has to confirm it', { where: id, hint: 'Ask another admin to look at the plan.' });
    }
    if (status.state !== 'unconfirmed') {
      throw new ApiError(409, 'LB_CONFIRMATION', `The restore is ${status.state}: there is nothing to confirm`, { where: id });
    }
    await changing(context, parts, { ids: { job: id, plan: digest }, status: 200 }, () => jobs.confirm(id, { digest, by: name }));
    return context.json({ id, digest }, 200);
  });

  async function viewOf(id: string): Promise<z.output<typeof restoreDocument>> {
    const view = restoreView(await jobOf(jobs, id, 'restore'));
    if (view === undefined) throw new ApiError(404, 'LB_API_NOT_FOUND', 'There is no restore of this id', { where: id });
    return view;
  }
}
