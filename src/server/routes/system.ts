import { createRoute } from '@hono/zod-openapi';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { isLifeboatError } from '../../core/errors.ts';
import type { JobStatus } from '../../jobs/service.ts';
import { NOT_FOUND, REFUSALS, SECURED } from '../answers.ts';
import { JOB_STATES, readyDocument, statusDocument } from '../documents.ts';
import { looked } from '../guard.ts';
import { planOverviews } from '../overview.ts';
import type { AppEnv, AppParts, Guard } from '../parts.ts';
import { ApiError } from '../problem.ts';

/** How long the queue may take to be called ready, ms: a probe waits for the answer. */
const READY = 2000;
/** Jobs that are counted. */
const COUNTED = 500;
const tags = ['The server itself'];

/** How the server and everything behind it is. */
export function addSystem(app: OpenAPIHono<AppEnv>, parts: AppParts, guard: Guard): void {
  const status = createRoute({
    method: 'get',
    path: '/v1/status',
    operationId: 'getStatus',
    tags,
    ...SECURED,
    summary: 'How everything is',
    description: 'Takes the role viewer.',
    middleware: guard('viewer', '/v1/status'),
    responses: { 200: { description: 'How everything is.', content: { 'application/json': { schema: statusDocument } } }, ...REFUSALS },
  });
  app.openapi(status, async (context) => {
    const [queue, plans] = await Promise.all([askQueue(parts), planOverviews(parts, context.req.raw.signal)]);
    await looked(context, parts, {});
    const counts = Object.fromEntries(JOB_STATES.map((state) => [state, queue.jobs.filter((job) => job.state === state).length]));
    return context.json(
      {
        ok: queue.code === undefined && plans.every(({ problem, rpoMet }) => problem === undefined && rpoMet !== false),
        at: new Date(parts.clock.now()).toISOString(),
        version: parts.version,
        queue: { ok: queue.code === undefined, ...(queue.code !== undefined && { code: queue.code }) },
        jobs: counts as Record<(typeof JOB_STATES)[number], number>,
        plans: plans.slice(),
      },
      200,
    );
  });

  const ready = { content: { 'application/json': { schema: readyDocument } } };
  app.openapi(
    createRoute({ method: 'get', path: '/healthz', operationId: 'isAlive', tags, summary: 'Whether the server is alive', responses: { 200: { description: 'It is.', ...ready } } }),
    (context) => context.json({ ok: true }, 200),
  );
  app.openapi(
    createRoute({
      method: 'get',
      path: '/readyz',
      operationId: 'isReady',
      tags,
      summary: 'Whether the server can take requests: its queue answers',
      responses: { 200: { description: 'It can.', ...ready }, 503: { description: 'It cannot.', ...ready } },
    }),
    async (context) => {
      const queue = parts.stopping?.aborted === true ? undefined : await Promise.race([askQueue(parts, 1), parts.clock.sleep(READY)]);
      return queue === undefined || queue.code !== undefined ? context.json({ ok: false }, 503) : context.json({ ok: true }, 200);
    },
  );

  const metrics = createRoute({
    method: 'get',
    path: '/metrics',
    operationId: 'getMetrics',
    tags,
    ...SECURED,
    summary: 'Metrics for Prometheus',
    description: 'Takes the role viewer.',
    middleware: guard('viewer', '/metrics'),
    responses: { 200: { description: 'Metrics.', content: { 'text/plain': { schema: z.string() } } }, ...REFUSALS, ...NOT_FOUND },
  });
  app.openapi(metrics, async (context) => {
    if (parts.metrics === undefined) throw new ApiError(404, 'LB_API_NOT_FOUND', 'This server has no metrics');
    const { contentType, text } = await parts.metrics.read();
    return context.text(text, 200, { 'content-type': contentType });
  });
}

async function askQueue({ jobs }: AppParts, limit = COUNTED): Promise<{ readonly jobs: readonly JobStatus[]; readonly code?: string }> {
  try {
    return { jobs: await jobs.list({ limit }) };
  } catch (error) {
    return { jobs: [], code: isLifeboatError(error) ? error.code : 'LB_INTERNAL' };
  }
}
