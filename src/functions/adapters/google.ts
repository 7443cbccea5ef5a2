import type { CloudEventFunction, HttpFunction } from '@google-cloud/functions-framework';
import { cloudEvent, objectsFrom, scheduleFrom } from '../events/cloud-event.ts';
import { logFailure, mayPass } from '../failure.ts';
import type { HttpHandler, ObjectsHandler, ScheduleHandler, WorkHandler } from '../handlers/handler.ts';
import type { HandedOver } from '../outcome.ts';
import type { FunctionSurroundings } from '../surroundings.ts';
import { headersOf } from '../headers.ts';
import { workSeconds } from './work-seconds.ts';

/** A function that Cloud Scheduler calls through Pub/Sub. */
export function googleSchedule(name: string, handler: ScheduleHandler, surroundings: FunctionSurroundings): CloudEventFunction {
  return taken(name, surroundings, (event) => handler(scheduleFrom(cloudEvent(event), surroundings.now()), surroundings));
}

/** A function that is called when objects appear in a bucket. */
export function googleObjects(name: string, handler: ObjectsHandler, surroundings: FunctionSurroundings): CloudEventFunction {
  return taken(name, surroundings, (event) => handler(objectsFrom(cloudEvent(event), surroundings.now()), surroundings));
}

/** Google delivers again for a week what a function throws for. What will never succeed is logged, and taken. */
function taken(name: string, surroundings: FunctionSurroundings, call: (event: unknown) => Promise<HandedOver>): CloudEventFunction {
  return async (event) => {
    try {
      await call(event);
    } catch (error) {
      logFailure(error, name, surroundings);
      if (mayPass(error)) throw error;
    }
  };
}

/** A function that is called by HTTP. */
export function googleHttp(handler: HttpHandler, surroundings: FunctionSurroundings): HttpFunction {
  return async (request, response) => {
    const body = request.rawBody?.toString() ?? '';
    const at = surroundings.now();
    const headers = headersOf(request.headers);
    const id = headers['function-execution-id'] ?? headers['x-cloud-trace-context'] ?? `request-${at}`;
    const url = `https://${headers['host'] ?? 'localhost'}${request.originalUrl}`;
    const detail = { method: request.method, url, headers, body, address: request.ip ?? 'unknown' };
    const outcome = await handler({ trigger: 'http', id, at, detail }, surroundings);
    response.set(outcome.headers).status(outcome.status).send(outcome.body);
  };
}

/** A function that works for `LIFEBOAT_WORK_SECONDS`. Only those whom IAM lets can call it. */
export function googleWork(name: string, handler: WorkHandler, surroundings: FunctionSurroundings): HttpFunction {
  return async (_request, response) => {
    const now = surroundings.now();
    try {
      response.json(await handler({ trigger: 'work', id: `work-${now}`, at: now, detail: { deadline: now + workSeconds(surroundings.env) * 1000 } }, surroundings));
    } catch (error) {
      logFailure(error, name, surroundings);
      response.status(mayPass(error) ? 503 : 500).json({});
    }
  };
}
