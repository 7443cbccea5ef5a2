import type { MiddlewareHandler } from 'hono';
import { ApiError } from './problem.ts';

/**
 * Refuses bodies of more bytes than this, also those whose length is not said beforehand: these are read first. Hono's own does not
 * do with the requests of its adapter for Node's server, out of which no `Request` can be made.
 */
export function limitedBody(most: number): MiddlewareHandler {
  const tooLong = (): ApiError => new ApiError(413, 'LB_API_REQUEST', `The body is longer than ${most / 1024} KiB`);
  return async (context, next) => {
    const { raw } = context.req;
    if (raw.body === null) return next();
    const { headers, method, signal, url } = raw;
    if (headers.has('content-length') && !headers.has('transfer-encoding')) {
      if (Number(headers.get('content-length')) > most) throw tooLong();
      return next();
    }
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of raw.body as AsyncIterable<Uint8Array>) {
      size += part.length;
      if (size > most) throw tooLong();
      parts.push(part);
    }
    context.req.raw = new Request(url, { method, headers, signal, ...(size > 0 && { body: Buffer.concat(parts) }) });
    return next();
  };
}
