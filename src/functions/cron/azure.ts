import type { ScheduleConfig } from '../../config/schedule-schema.ts';
import { fieldsOf } from './fields.ts';
import type { CronFields } from './fields.ts';

/** Rings every minute. */
const EVERY_MINUTE = '0 * * * * *';

/** How the timers of Azure Functions ring for a schedule. */
export interface AzureTimers {
  readonly expressions: readonly string[];
  /** True when the timer rings every minute, and whoever is rung has to look whether the time has come. */
  readonly look: boolean;
}

/** Timers count in UTC, and say less than cron does: where one cannot say a schedule, it rings every minute. */
export function azureTimers(schedule: ScheduleConfig): AzureTimers {
  const utc = schedule.timezone === undefined || schedule.timezone === 'UTC';
  const fields = utc ? fieldsOf(schedule) : undefined;
  if (fields === undefined || fields.some(({ days }) => days === 'last')) return { expressions: [EVERY_MINUTE], look: true };
  return { expressions: fields.map(expression), look: false };
}

/** Second, minute, hour, day of the month, month, day of the week. */
function expression({ minutes, hours, days, months, weekdays }: CronFields): string {
  const fields = [list(minutes, 60), list(hours, 24), list(days, 31), list(months, 12), list(weekdays, 7)];
  return ['0', ...fields].join(' ');
}

function list(values: readonly number[] | 'any' | 'last', all: number): string {
  return values === 'any' || values === 'last' || values.length === all ? '*' : values.join(',');
}
