import type { EventGridHandler, HttpHandler as AzureHttpHandler, TimerHandler } from '@azure/functions';
import { slotBefore } from '../../core/schedule.ts';
import type { Schedule } from '../../core/schedule.ts';
import { azureTimers } from '../cron/azure.ts';
import { eventGridObjects } from '../events/event-grid.ts';
import { logFailure, mayPass } from '../failure.ts';
import { rungSchedule, SCHEDULED_KINDS, scheduled, schedulesOf } from '../handlers/scheduled.ts';
import type { HttpHandler, ObjectsHandler, WorkHandler } from '../handlers/handler.ts';
import type { FunctionSurroundings } from '../surroundings.ts';
import { workSeconds } from './work-seconds.ts';

/** A timer to be registered. */
export interface AzureTimer {
  readonly name: string;
  readonly schedule: string;
  readonly handler: TimerHandler;
}

/** Where a timer rings every minute: how long a slot is handed over, ms. Handed over again it is the same job. */
const LATE = 15 * 60_000;

/** Timers for all schedules of lifeboat.yaml: one or more for each. */
export async function azureSchedules(surroundings: FunctionSurroundings): Promise<readonly AzureTimer[]> {
  const config = await surroundings.config();
  return SCHEDULED_KINDS.flatMap((kind) =>
    [...schedulesOf(config, kind)].flatMap(([plan, schedule]) => {
      const { expressions, look } = azureTimers(schedule);
      const name = [kind, ...(plan === undefined ? [] : [plan])].join('-');
      const handle = scheduled(kind);
      const handler: TimerHandler = async () => {
        const now = surroundings.now();
        if (look && !isDue(rungSchedule(schedule), now)) return;
        const detail = plan === undefined ? {} : { plan };
        await logged(name, surroundings, () => handle({ trigger: 'schedule', id: `timer-${now}`, at: now, detail }, surroundings));
      };
      return expressions.map((expression, index) => ({ name: index === 0 ? name : `${name}-${index + 1}`, schedule: expression, handler }));
    }),
  );
}

function isDue(schedule: Schedule, now: number): boolean {
  const slot = slotBefore(schedule, now);
  return slot !== undefined && now - slot < LATE;
}

/** A function that Event Grid calls. What will never succeed is logged, and taken: it would be delivered for a day. */
export function azureObjects(name: string, handler: ObjectsHandler, surroundings: FunctionSurroundings): EventGridHandler {
  return async (event) => {
    try {
      await logged(name, surroundings, () => handler(eventGridObjects(event, surroundings.now()), surroundings));
    } catch (error) {
      if (mayPass(error)) throw error;
    }
  };
}

/** A function that is called by HTTP. */
export function azureHttp(handler: HttpHandler, surroundings: FunctionSurroundings): AzureHttpHandler {
  return async (request, context) => {
    // Routes begin with /api unless host.json says otherwise.
    const url = request.url.replace(/^(https?:\/\/[^/]+)\/api(?=\/)/, '$1');
    const headers = Object.fromEntries(request.headers.entries());
    const detail = { method: request.method, url, headers, body: await request.text(), address: headers['x-forwarded-for'] ?? 'unknown' };
    return { ...(await handler({ trigger: 'http', id: context.invocationId, at: surroundings.now(), detail }, surroundings)) };
  };
}

/** A timer that works for `LIFEBOAT_WORK_SECONDS`. */
export function azureWork(name: string, handler: WorkHandler, surroundings: FunctionSurroundings): TimerHandler {
  return async (_timer, context) => {
    const now = surroundings.now();
    const deadline = now + workSeconds(surroundings.env) * 1000;
    await logged(name, surroundings, () => handler({ trigger: 'work', id: context.invocationId, at: now, detail: { deadline } }, surroundings));
  };
}

async function logged<T>(name: string, surroundings: FunctionSurroundings, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    logFailure(error, name, surroundings);
    throw error;
  }
}
