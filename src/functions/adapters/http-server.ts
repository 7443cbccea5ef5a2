import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Config } from '../../config/load.ts';
import { isLifeboatError, LifeboatError } from '../../core/errors.ts';
import type { ErrorCode } from '../../core/error-codes.ts';
import { cloudEventOf, objectsFrom, scheduleFrom } from '../events/cloud-event.ts';
import { logFailure } from '../failure.ts';
import { api } from '../handlers/api.ts';
import { replicate } from '../handlers/replicate.ts';
import { SCHEDULED_KINDS, scheduled } from '../handlers/scheduled.ts';
import { work } from '../handlers/work.ts';
import { headersOf } from '../headers.ts';
import type { HttpOutcome } from '../outcome.ts';
import type { FunctionSurroundings } from '../surroundings.ts';
import type { HttpTrigger } from '../trigger.ts';
import { workSeconds } from './work-seconds.ts';

/** No event and no order is larger. */
const MOST_BYTES = 256 * 1024;

const STATUS: Partial<Record<ErrorCode, number>> = {
  LB_API_REQUEST: 400,
  LB_EVENT_INVALID: 400,
  LB_API_UNAUTHENTICATED: 401,
  LB_API_FORBIDDEN: 403,
  LB_API_NOT_FOUND: 404,
};

/**
 * All functions on one HTTP server, for Knative or a container. `POST /events/{backup|drill|verify|retain|replicate|work}` takes CloudEvents, in binary
 * or structured mode, from those who have a token of an operator, or from anybody with `LIFEBOAT_TRUST_NETWORK=1`: where the network lets
 * only the right ones in. `GET /healthz` says that it runs. Everything else is the API.
 */
export function functionServer(surroundings: FunctionSurroundings): Server {
  return createServer((request, response) => {
    void answer(request, surroundings).then((outcome) => send(response, outcome));
  });
}

function send(response: ServerResponse, { status, headers, body }: HttpOutcome): void {
  response.writeHead(status, headers);
  response.end(body);
}

async function answer(request: IncomingMessage, surroundings: FunctionSurroundings): Promise<HttpOutcome> {
  const at = surroundings.now();
  try {
    const headers = headersOf(request.headers);
    const url = new URL(request.url ?? '/', `http://${headers['host'] ?? 'localhost'}`);
    if (url.pathname === '/healthz') return json(200, { ok: true });
    const address = request.socket.remoteAddress ?? 'unknown';
    const detail = { method: request.method ?? '', url: url.href, headers, body: await bodyOf(request), address };
    const trigger: HttpTrigger = { trigger: 'http', id: headers['x-request-id'] ?? `request-${at}`, at, detail };
    const name = /^\/events\/([a-z]+)$/.exec(url.pathname)?.[1];
    if (name === undefined || detail.method !== 'POST') return await api(trigger, surroundings);
    return json(200, await taken(name, trigger, surroundings));
  } catch (error) {
    logFailure(error, request.url ?? '', surroundings);
    return refusal(error);
  }
}

/** What will never be understood is refused with 400, which brokers do not try again; what may pass with 503. */
function refusal(error: unknown): HttpOutcome {
  const known = isLifeboatError(error) ? error : new LifeboatError('LB_INTERNAL', 'Something happened that nobody thought of');
  const status = STATUS[known.code] ?? (known.retriable ? 503 : 500);
  return json(status, { code: known.code, detail: known.message, ...(known.hint !== undefined && { hint: known.hint }) });
}

function json(status: number, body: unknown): HttpOutcome {
  return { status, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' }, body: JSON.stringify(body) };
}

async function taken(name: string, { id, at, detail }: HttpTrigger, surroundings: FunctionSurroundings): Promise<unknown> {
  if (surroundings.env['LIFEBOAT_TRUST_NETWORK'] !== '1') await requireOperator(detail.headers['authorization'], detail.address, await surroundings.config());
  if (name === 'work') return work({ trigger: 'work', id, at, detail: { deadline: at + workSeconds(surroundings.env) * 1000 } }, surroundings);
  const kind = SCHEDULED_KINDS.find((one) => one === name);
  if (kind === undefined && name !== 'replicate') throw new LifeboatError('LB_API_NOT_FOUND', `There is no function \`${name}\``);
  const event = cloudEventOf(detail.headers, detail.body);
  return kind === undefined ? replicate(objectsFrom(event, at), surroundings) : scheduled(kind)(scheduleFrom(event, at), surroundings);
}

async function requireOperator(authorization: string | undefined, address: string, { server }: Config): Promise<void> {
  const [{ authenticator }, { permits }, { systemClock }] = await Promise.all([import('../../server/auth/authenticate.ts'), import('../../server/auth/principal.ts'), import('../../core/clock.ts')]);
  if (server === undefined) throw new LifeboatError('LB_API_UNAUTHENTICATED', 'lifeboat.yaml names nobody who gives tokens', { hint: 'Add `server`, or set LIFEBOAT_TRUST_NETWORK=1 where the network lets only the right ones in.' });
  const { role } = await authenticator(server, systemClock)(authorization, { address });
  if (!permits(role, 'operator')) throw new LifeboatError('LB_API_FORBIDDEN', 'Events are taken from operators');
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MOST_BYTES) throw new LifeboatError('LB_API_REQUEST', `The body is larger than ${MOST_BYTES / 1024} KB`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}
