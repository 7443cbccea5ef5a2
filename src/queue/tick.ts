import type { IQueueBackend, Job as BullJob, Queue, RepeatStrategy } from 'bullmq';
import type { Json } from './queue.ts';
import { slotAfter } from '../core/schedule.ts';
import { fromPattern } from './schedule.ts';

/** What a tick carries: of which schedule it is, and the job it makes. */
export interface TickData {
  readonly kind: string;
  readonly site?: string;
  readonly data: Json;
  readonly priority?: number;
}

export type TickJob = BullJob<TickData, null>;
export type TickQueue = Queue<TickData, null, string, TickData, null, string, IQueueBackend, string>;

/** When the next tick is, for BullMQ. Missed ones are not made up for: the next is the first after now. */
export const strategy: RepeatStrategy = (now, { pattern, tz }) => (pattern === undefined ? undefined : slotAfter(fromPattern(pattern, tz), now));
