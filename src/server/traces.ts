import type { MiddlewareHandler } from 'hono';
import { NO_TRACING } from '../telemetry/traces/tracing.ts';
import type { AppEnv, AppParts } from './parts.ts';

/**
 * A span for each request, in the trace of whoever asks (`traceparent`). It is called as the document calls what was asked for, so nothing of a
 * body or an address gets into it.
 */
export function spanned({ tracing = NO_TRACING }: Pick<AppParts, 'tracing'>): MiddlewareHandler<AppEnv> {
  return async (context, next) => {
    const { method } = context.req;
    const span = tracing.begin(method, { kind: 'server', parent: context.req.header('traceparent'), attributes: { 'http.request.method': method } });
    try {
      await span.run(next);
      const { error, res, var: { requestId, route } } = context;
      span.rename(`${method} ${route}`);
      span.set({ 'http.route': route, 'http.response.status_code': res.status, 'lifeboat.request.id': requestId });
      // What was refused is the client's failure, and no failure of the server.
      if (error !== undefined && res.status >= 500) span.fail(error);
    } finally {
      span.end();
    }
  };
}
