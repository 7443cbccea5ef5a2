/** Periods of the calendar, in UTC. */
export type Period = 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly';

const DAY = 24 * 60 * 60 * 1000;
/** Characters of an ISO 8601 time that name the period. */
const LENGTH: Readonly<Record<Exclude<Period, 'weekly'>, number>> = { hourly: 13, daily: 10, monthly: 7, yearly: 4 };

/** A name for the period that a moment is in; weeks begin on Monday and are named by it. Names sort by time. */
export function calendarPeriod(ms: number, period: Period): string {
  if (period !== 'weekly') return new Date(ms).toISOString().slice(0, LENGTH[period]);
  const sinceMonday = (new Date(ms).getUTCDay() + 6) % 7;
  return new Date(ms - sinceMonday * DAY).toISOString().slice(0, LENGTH.daily);
}
