import type { Context } from 'aws-lambda';
import { awsObjects, awsSchedule } from '../events/aws.ts';
import { logFailure } from '../failure.ts';
import type { ObjectsHandler, ScheduleHandler } from '../handlers/handler.ts';
import type { HandedOver } from '../outcome.ts';
import { processSurroundings } from '../process-surroundings.ts';
import type { FunctionSurroundings } from '../surroundings.ts';
import { metricLine } from './metric.ts';

export type Lambda<R> = (event: unknown, context: Context) => Promise<R>;

/** A function that a schedule calls. What fails is thrown: Lambda tries again, and then puts the event into the dead-letter queue. */
export function onSchedule(name: string, handler: ScheduleHandler): Lambda<HandedOver> {
  // Kept for as long as Lambda keeps the process.
  const surroundings = processSurroundings();
  return guarded(name, surroundings, async (event) => {
    const trigger = awsSchedule(event, surroundings.now());
    const outcome = await handler(trigger, surroundings);
    process.stdout.write(`${metricLine(name, trigger.detail.plan, surroundings.now())}\n`);
    return outcome;
  });
}

/** A function that is called when objects appear in a bucket. */
export function onObjects(name: string, handler: ObjectsHandler): Lambda<HandedOver> {
  const surroundings = processSurroundings();
  return guarded(name, surroundings, (event) => handler(awsObjects(event), surroundings));
}

/** What fails is logged, and thrown. */
export function guarded<R>(name: string, surroundings: FunctionSurroundings, call: Lambda<R>): Lambda<R> {
  return async (event, context) => {
    try {
      return await call(event, context);
    } catch (error) {
      logFailure(error, name, surroundings);
      throw error;
    }
  };
}
