import { createRoute } from '@hono/zod-openapi';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { NOT_FOUND, REFUSALS, SECURED } from '../answers.ts';
import { plansDocument, pointsDocument } from '../documents.ts';
import { looked } from '../guard.ts';
import { planOverviews } from '../overview.ts';
import type { AppEnv, AppParts, Guard } from '../parts.ts';
import { requireName } from './names.ts';

const POINTS = '/v1/points';
const PLANS = '/v1/plans';
const tags = ['Points and plans'];

/** What is protected, and what there is to restore. */
export function addPoints(app: OpenAPIHono<AppEnv>, parts: AppParts, guard: Guard): void {
  const points = createRoute({
    method: 'get',
    path: POINTS,
    operationId: 'listPoints',
    tags,
    ...SECURED,
    summary: 'The recovery points of a plan',
    description: 'Takes the role viewer. With `before` and `limit=1`: the one that was the newest at a moment.',
    middleware: guard('viewer', POINTS),
    request: {
      query: z.object({
        plan: z.string().min(1).max(63),
        before: z.iso.datetime().optional().describe('Only points of this moment or before.'),
        after: z.iso.datetime().optional().describe('Only points after this moment.'),
        limit: z.coerce.number().int().min(1).max(1000).default(100),
      }),
    },
    responses: { 200: { description: 'Points.', content: { 'application/json': { schema: pointsDocument } } }, ...REFUSALS, ...NOT_FOUND },
  });
  app.openapi(points, async (context) => {
    const { after, before, limit, plan } = context.req.valid('query');
    requireName('plan', plan, parts.config.plans, 404);
    const all = await parts.points.ofPlan(plan, context.req.raw.signal);
    const [from, to] = [after === undefined ? -Infinity : Date.parse(after), before === undefined ? Infinity : Date.parse(before)];
    const chosen = before === undefined && after === undefined ? all : all.filter(({ at }) => at !== undefined && Date.parse(at) > from && Date.parse(at) <= to);
    await looked(context, parts, { plan });
    return context.json({ plan, points: chosen.slice(0, limit) }, 200);
  });

  const plans = createRoute({
    method: 'get',
    path: PLANS,
    operationId: 'listPlans',
    tags,
    ...SECURED,
    summary: 'Plans, their objectives, and their newest safe points',
    description: 'Takes the role viewer.',
    middleware: guard('viewer', PLANS),
    responses: { 200: { description: 'Plans.', content: { 'application/json': { schema: plansDocument } } }, ...REFUSALS },
  });
  app.openapi(plans, async (context) => {
    const found = await planOverviews(parts, context.req.raw.signal);
    await looked(context, parts, {});
    return context.json({ plans: found.slice() }, 200);
  });
}
