import type { HttpOutcome } from '../outcome.ts';
import type { HttpHandler } from './handler.ts';

/** Answers only whole: what streams is for `lifeboat serve`. */
const STREAMS = /\/events$/;

/** The API of `lifeboat serve`, whatever carries the request: who asks, what they may do, and that it is put on record, is decided there alone. */
export const api: HttpHandler = async ({ detail }, surroundings) => {
  const { method, url, headers, body, address } = detail;
  if (STREAMS.test(new URL(url).pathname)) return noStreams;
  const fetchApi = await surroundings.api();
  const request = new Request(url, { method, headers, ...(body !== '' && method !== 'GET' && method !== 'HEAD' && { body }) });
  const response = await fetchApi(request, address);
  // The process may be frozen as soon as it has answered.
  await (await surroundings.tracing()).flush();
  return { status: response.status, headers: Object.fromEntries(response.headers.entries()), body: await response.text() };
};

const noStreams: HttpOutcome = {
  status: 404,
  headers: { 'content-type': 'application/problem+json' },
  body: JSON.stringify({ status: 404, code: 'LB_API_NOT_FOUND', detail: 'Functions do not stream', hint: 'Ask again for the status, or run `lifeboat serve`.' }),
};
