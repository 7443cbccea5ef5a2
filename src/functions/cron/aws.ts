import type { ScheduleConfig } from '../../config/schedule-schema.ts';
import { parseDuration } from '../../core/duration.ts';
import { LifeboatError } from '../../core/errors.ts';
import { fieldsOf, WEEKDAYS } from './fields.ts';
import type { CronFields } from './fields.ts';

/** A schedule in the words of EventBridge Scheduler: all of the expressions together. */
export interface AwsSchedule {
  readonly expressions: readonly string[];
  readonly timezone: string;
}

const MINUTE = 60_000;

/**
 * `cron(…)` where a cron expression says it, which rings at the very slots of lifeboat; else `rate(…)`, which rings as often and counts from
 * the deployment. Throws `LB_CONFIG_INVALID` for what AWS cannot say: seconds, and the cron signs `W` and `#`.
 */
export function awsSchedule(schedule: ScheduleConfig, where: string): AwsSchedule {
  const timezone = schedule.timezone ?? 'UTC';
  const fields = fieldsOf(schedule);
  if (fields !== undefined) return { expressions: fields.map(cronExpression), timezone };
  if (schedule.cron !== undefined) {
    throw inexpressible(schedule.cron, where, 'Use minutes, hours, days, months and days of the week, and `L` for the last day of the month; seconds, `W` and `#` have no equal there.');
  }
  const minutes = (parseDuration(schedule.every ?? '') ?? 0) / MINUTE;
  if (!Number.isInteger(minutes) || minutes < 1) throw inexpressible(schedule.every ?? '', where, 'Use whole minutes: `every: 1m` or more.');
  return { expressions: [rateExpression(minutes)], timezone };
}

function inexpressible(text: string, where: string, hint: string): LifeboatError {
  return new LifeboatError('LB_CONFIG_INVALID', `\`${text}\` cannot be said in the schedules of AWS`, { where, hint });
}

function rateExpression(minutes: number): string {
  const [count, unit] = minutes % 1440 === 0 ? [minutes / 1440, 'day'] : minutes % 60 === 0 ? [minutes / 60, 'hour'] : [minutes, 'minute'];
  return `rate(${count} ${unit}${count === 1 ? '' : 's'})`;
}

/** Minute, hour, day of the month, month, day of the week, year. One of the two kinds of days must be `?`. */
function cronExpression({ minutes, hours, days, months, weekdays }: CronFields): string {
  const day = days === 'any' ? (weekdays === 'any' ? '*' : '?') : days === 'last' ? 'L' : list(days, 1, 31);
  const weekday = weekdays === 'any' ? '?' : weekdays.length === 7 ? '*' : weekdays.map((one) => WEEKDAYS[one]).join(',');
  return `cron(${list(minutes, 0, 59)} ${list(hours, 0, 23)} ${day} ${months === 'any' ? '*' : list(months, 1, 12)} ${weekday} *)`;
}

/** `*`, `0/15`, or the values. */
function list(values: readonly number[], least: number, most: number): string {
  const [first = least, second = first] = values;
  const step = second - first;
  if (values.length === most - least + 1) return '*';
  const even = values.every((value, index) => value === first + index * step);
  return values.length > 2 && even && first + values.length * step > most ? `${first}/${step}` : values.join(',');
}
