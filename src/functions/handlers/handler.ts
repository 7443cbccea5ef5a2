import type { HandedOver, HttpOutcome } from '../outcome.ts';
import type { Drained, FunctionSurroundings } from '../surroundings.ts';
import type { HttpTrigger, ObjectsTrigger, ScheduleTrigger, Trigger, WorkTrigger } from '../trigger.ts';

/** What is done about an event, on every platform alike. */
export type Handler<T extends Trigger, R> = (trigger: T, surroundings: FunctionSurroundings) => Promise<R>;

export type ScheduleHandler = Handler<ScheduleTrigger, HandedOver>;
export type ObjectsHandler = Handler<ObjectsTrigger, HandedOver>;
export type HttpHandler = Handler<HttpTrigger, HttpOutcome>;
export type WorkHandler = Handler<WorkTrigger, Drained>;
