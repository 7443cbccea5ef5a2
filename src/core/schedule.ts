import { createHash } from 'node:crypto';
import { Cron } from 'croner';

/** When something is due: by a cron expression in a time zone, or every so many milliseconds, counted from `offsetMs` after the beginning of 1970. */
export type Schedule = { readonly cron: string; readonly timezone: string } | { readonly everyMs: number; readonly offsetMs?: number };

/**
 * Where in its period something of this name is due: the same place always, and another one for other names, so that what happens equally often does not
 * happen all at once. Whole seconds.
 */
export function offsetOf(name: string, everyMs: number): number {
  const hash = createHash('sha256').update(name).digest().readUInt32BE(0);
  return Math.floor(((hash / 2 ** 32) * everyMs) / 1000) * 1000;
}

/** What is wrong with a cron expression or time zone, or undefined. Five fields; six begin with seconds. */
export function cronProblem(cron: string, timezone: string): string | undefined {
  if (!isTimezone(timezone)) return 'is not a time zone such as `Europe/Berlin`';
  const fields = cron.trim().split(/\s+/).length;
  if (fields !== 5 && fields !== 6) return 'is not a cron expression of five fields such as `30 2 * * *`';
  try {
    const next = cronOf(cron, timezone).nextRun();
    return next === null ? 'never comes' : undefined;
  } catch (error) {
    return `is not a cron expression: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function everySlot({ everyMs, offsetMs = 0 }: Extract<Schedule, { readonly everyMs: number }>, now: number, more: number): number {
  return (Math.floor((now - offsetMs) / everyMs) + more) * everyMs + offsetMs;
}

function cronOf(cron: string, timezone: string): Cron {
  return new Cron(cron, { timezone, paused: true });
}

/** The newest slot at or before `now`, ms since 1970: when something was last due. Undefined before the first of a cron expression that names a year. */
export function slotBefore(schedule: Schedule, now: number): number | undefined {
  if ('everyMs' in schedule) return everySlot(schedule, now, 0);
  // A slot counts from its very millisecond on, and what is asked for is strictly before.
  return cronOf(schedule.cron, schedule.timezone).previousRuns(1, new Date(now + 1))[0]?.getTime();
}

/** The first slot after `now`, ms since 1970. Undefined when there is none. */
export function slotAfter(schedule: Schedule, now: number): number | undefined {
  if ('everyMs' in schedule) return everySlot(schedule, now, 1);
  return cronOf(schedule.cron, schedule.timezone).nextRun(new Date(now))?.getTime();
}

const SLOT_NAME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** What `slotName` was given, in whole seconds. Undefined when it is none. */
export function slotOfName(name: string): number | undefined {
  const time = Date.parse(name.replace(SLOT_NAME, '$1-$2-$3T$4:$5:$6Z'));
  return SLOT_NAME.test(name) && !Number.isNaN(time) ? time : undefined;
}

/** A slot as part of a job's id: `20261126T140000Z`. */
export function slotName(slot: number): string {
  return `${new Date(slot).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}
