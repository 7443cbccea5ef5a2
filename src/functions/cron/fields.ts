import type { ScheduleConfig } from '../../config/schedule-schema.ts';
import { parseDuration } from '../../core/duration.ts';

/** A cron expression, field by field, as the values it allows. Days of the week: Sunday is 0. */
export interface CronFields {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  /** `last`: the last day of the month, whichever that is. */
  readonly days: readonly number[] | 'any' | 'last';
  readonly months: readonly number[] | 'any';
  readonly weekdays: readonly number[] | 'any';
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
export const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const MINUTE = 60_000;
const DAY = 1440;
/** Of a period that is not so many whole hours: expressions that are still worth it. */
const MOST_EXPRESSIONS = 4;

/**
 * The fields of a schedule, as it stands in its time zone; several, where one expression cannot say it. Undefined for what five fields
 * of plain values cannot say: seconds, `W`, `#`, and periods that do not come out even in a day.
 */
export function fieldsOf({ every, cron }: ScheduleConfig): readonly CronFields[] | undefined {
  if (cron !== undefined) {
    const fields = parseCron(cron);
    return fields && apart(fields);
  }
  const minutes = (parseDuration(every ?? '') ?? 0) / MINUTE;
  return Number.isInteger(minutes) && minutes > 0 && DAY % minutes === 0 ? periodic(minutes) : undefined;
}

/** Every so many minutes, from midnight on. */
function periodic(minutes: number): readonly CronFields[] | undefined {
  const hoursByMinute = new Map<number, number[]>();
  for (let at = 0; at < DAY; at += minutes) {
    const hours = hoursByMinute.get(at % 60) ?? [];
    hoursByMinute.set(at % 60, [...hours, Math.floor(at / 60)]);
  }
  const groups = new Map<string, { minutes: number[]; hours: readonly number[] }>();
  for (const [minute, hours] of hoursByMinute) {
    const group = groups.get(hours.join()) ?? { minutes: [], hours };
    group.minutes.push(minute);
    groups.set(hours.join(), group);
  }
  if (groups.size > MOST_EXPRESSIONS) return undefined;
  return [...groups.values()].map((group) => ({ minutes: group.minutes.toSorted((a, b) => a - b), hours: group.hours, days: 'any', months: 'any', weekdays: 'any' }));
}

/** Day of the month or day of the week, either will do, is how cron reads both; elsewhere that takes an expression for each. */
function apart(fields: CronFields): readonly CronFields[] {
  if (fields.days === 'any' || fields.weekdays === 'any') return [fields];
  return [
    { ...fields, weekdays: 'any' },
    { ...fields, days: 'any' },
  ];
}

function parseCron(cron: string): CronFields | undefined {
  const parts = cron.trim().toUpperCase().split(/\s+/);
  // Six begin with seconds. The first second of a minute is what the others mean too.
  if (parts.length === 6 && /^0+$/.test(parts[0] ?? '')) parts.shift();
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = parts;
  if (parts.length !== 5) return undefined;
  const minutes = values(minute, 0, 59);
  const hours = values(hour, 0, 23);
  const days = day === '*' ? 'any' : day === 'L' ? 'last' : values(day, 1, 31);
  const months = month === '*' ? 'any' : values(month, 1, 12, MONTHS, 1);
  const weekdays = weekday === '*' ? 'any' : values(weekday, 0, 7, WEEKDAYS, 0);
  if (minutes === undefined || hours === undefined || days === undefined || months === undefined || weekdays === undefined) return undefined;
  return { minutes, hours, days, months, weekdays: weekdays === 'any' ? 'any' : sorted(weekdays.map((one) => one % 7)) };
}

const PART = /^(?:\*|([\dA-Z]+)(?:-([\dA-Z]+))?)(?:\/(\d+))?$/;

/** The values of a field, or undefined for what is not plain. */
function values(field: string, least: number, most: number, names: readonly string[] = [], offset = 0): readonly number[] | undefined {
  const found: number[] = [];
  for (const part of field.split(',')) {
    const match = PART.exec(part);
    if (match === null) return undefined;
    const [, first, last, step] = match;
    const from = first === undefined ? least : number(first, names, offset);
    const open = first === undefined || (last === undefined && step !== undefined);
    const to = open ? (most === 7 && first === undefined ? 6 : most) : number(last ?? first, names, offset);
    const by = Number(step ?? 1);
    if (from === undefined || to === undefined || by < 1 || from < least || to > most || from > to) return undefined;
    for (let value = from; value <= to; value += by) found.push(value);
  }
  return sorted(found);
}

function number(text: string, names: readonly string[], offset: number): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const index = names.indexOf(text);
  return index < 0 ? undefined : index + offset;
}

function sorted(numbers: readonly number[]): readonly number[] {
  return [...new Set(numbers)].toSorted((a, b) => a - b);
}
