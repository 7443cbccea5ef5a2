import { LifeboatError, messageOf } from '../core/errors.ts';
import { slotAfter, slotName } from '../core/schedule.ts';
import type { Schedule as When } from '../core/schedule.ts';
import { checkId } from './job-rules.ts';
import type { Schedule } from './queue.ts';

/** Below this, ticks would be the queue's main work, ms. */
const SHORTEST = 1000;

/** Throws `LB_JOB_INVALID` when a schedule is malformed. */
export function checkSchedule({ id, when }: Schedule): void {
  checkId(id, 'schedule');
  try {
    if ('everyMs' in when && (!Number.isInteger(when.everyMs) || when.everyMs < SHORTEST)) {
      throw new RangeError(`every ${when.everyMs} ms is not a whole number of at least ${SHORTEST}`);
    }
    slotAfter(when, 0);
  } catch (error) {
    throw new LifeboatError('LB_JOB_INVALID', `The schedule "${id}" cannot be used: ${messageOf(error)}.`, { cause: error });
  }
}

/** The id of the job of a schedule at a slot. Whoever makes it, by whatever trigger, makes the same. */
export function slotId(schedule: string, slot: number): string {
  return `${schedule}.${slotName(slot)}`;
}

const EVERY = /^every (\d+) after (\d+)$/;

/** A schedule as the queue's server remembers it, in the place of a cron expression. */
export function toPattern(when: When): { readonly pattern: string; readonly tz: string } {
  if ('everyMs' in when) return { pattern: `every ${when.everyMs} after ${when.offsetMs ?? 0}`, tz: 'UTC' };
  return { pattern: when.cron, tz: when.timezone };
}

/** What `toPattern` was given. */
export function fromPattern(pattern: string, timezone: string | undefined): When {
  const [, every, offset] = EVERY.exec(pattern) ?? [];
  if (every !== undefined) return { everyMs: Number(every), offsetMs: Number(offset) };
  return { cron: pattern, timezone: timezone ?? 'UTC' };
}
