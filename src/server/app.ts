import { randomUUID } from 'node:crypto';
import { OpenAPIHono } from '@hono/zod-openapi';
import { HTTPException } from 'hono/http-exception';
import { secureHeaders } from 'hono/secure-headers';
import type { MiddlewareHandler } from 'hono';
import { z } from 'zod';
import { isLifeboatError } from '../core/errors.ts';
import { limitedBody } from './body.ts';
import { guardOf, refused } from './guard.ts';
import { addDocument } from './openapi.ts';
import type { AppEnv, AppParts } from './parts.ts';
import { ApiError, PROBLEM_TYPE, problemOf } from './problem.ts';
import { addJobs } from './routes/jobs.ts';
import { addPoints } from './routes/points.ts';
import { addRestores } from './routes/restores.ts';
import { addSystem } from './routes/system.ts';
import { spanned } from './traces.ts';

/** Bytes of a body. A restore with a thousand named objects has some tens of kilobytes. */
const LARGEST_BODY = 256 * 1024;
/** Milliseconds. */
const PATIENCE = 30_000;

/**
 * The HTTP API. Whoever runs it calls `fetch(request, { peer })`, with the address and the checked certificate of the client:
 * `lifeboat serve` on its own, functions through an adapter. It needs nothing of Node's HTTP server.
 */
export function createApp(parts: AppParts): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>({ defaultHook: refuseMalformed });
  // Not those of probes and of Prometheus, which come all the time.
  app.use('/v1/*', spanned(parts));
  app.use('*', logged(parts));
  app.use('*', secureHeaders({ referrerPolicy: 'no-referrer', xFrameOptions: 'DENY', contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } }));
  app.use('*', async (context, next) => {
    await next();
    context.header('cache-control', 'no-store');
  });
  app.use('*', limitedBody(LARGEST_BODY));
  app.use('*', inTime(parts.patience ?? PATIENCE));

  const guard = guardOf(parts);
  addRestores(app, parts, guard);
  addJobs(app, parts, guard);
  addPoints(app, parts, guard);
  addSystem(app, parts, guard);
  addDocument(app, parts.version);

  app.notFound((context) => answer(context.get('requestId'), new ApiError(404, 'LB_API_NOT_FOUND', 'There is nothing here', { hint: '`/openapi.json` says what there is.' }), parts));
  app.onError(async (error, context) => {
    const known = error instanceof HTTPException ? fromHono(error) : error;
    // What is refused on the way is put on record in one place; too many at once are not.
    if (isLifeboatError(known, 'LB_API_UNAUTHENTICATED') || isLifeboatError(known, 'LB_API_FORBIDDEN')) await refused(context, parts, known);
    return answer(context.get('requestId'), known, parts);
  });
  return app;
}

function answer(requestId: string, error: unknown, { redact, log }: AppParts): Response {
  if (!isLifeboatError(error)) log?.({ id: requestId, method: '', route: '', status: 500, milliseconds: 0, code: 'LB_INTERNAL', error });
  const problem = problemOf(error, requestId);
  const headers = new Headers({ 'content-type': PROBLEM_TYPE });
  if (problem.status === 401) headers.set('www-authenticate', 'Bearer');
  if (error instanceof ApiError && error.retryAfter !== undefined) headers.set('retry-after', String(error.retryAfter));
  return new Response(redact(JSON.stringify(problem)), { status: problem.status, headers });
}

/** One line for each request; it names what was asked for as the document does, so nothing of a body or an address gets into it. */
function logged({ clock, log }: AppParts): MiddlewareHandler<AppEnv> {
  return async (context, next) => {
    const began = clock.now();
    const id = randomUUID();
    context.set('requestId', id);
    context.set('route', 'unknown');
    await next();
    context.header('x-request-id', id);
    const principal = context.get('principal') as AppEnv['Variables']['principal'] | undefined;
    const { error } = context;
    log?.({
      id,
      method: context.req.method,
      route: context.var.route,
      status: context.res.status,
      milliseconds: clock.now() - began,
      ...(principal !== undefined && { who: principal.name }),
      ...(isLifeboatError(error) && { code: error.code }),
    });
  };
}

/** Streams of events take as long as they take; everything else is answered in time. */
function inTime(patience: number): MiddlewareHandler<AppEnv> {
  return async (context, next) => {
    if (context.req.path.endsWith('/events')) return next();
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new ApiError(503, 'LB_API_UNAVAILABLE', `There was no answer within ${patience / 1000} s`, { hint: 'Try again; `/v1/status` says what does not answer.' })), patience);
    try {
      await Promise.race([next(), late.promise]);
    } finally {
      clearTimeout(timer);
    }
    return undefined;
  };
}

/** What the schema does not take: which member, and why, without what was sent. */
function refuseMalformed(result: { readonly target: string } & ({ readonly success: true } | { readonly success: false; readonly error: z.ZodError })): void {
  if (result.success) return;
  const [first] = result.error.issues;
  const where = [result.target, ...(first?.path.map(String) ?? [])].join('.');
  throw new ApiError(400, 'LB_API_REQUEST', z.prettifyError(result.error), { where, hint: '`/openapi.json` says what it takes.' });
}

function fromHono({ message, status }: HTTPException): ApiError {
  if (status === 400) return new ApiError(400, 'LB_API_REQUEST', 'The body is not JSON');
  return status < 500 ? new ApiError(status, 'LB_API_REQUEST', message) : new ApiError(500, 'LB_INTERNAL', 'Something unexpected happened');
}
