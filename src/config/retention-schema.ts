import { z } from 'zod';

const count = (description: string) => z.int().min(1, 'must be at least 1').describe(description).optional();

/** A time as people write it, of at least one unit: what `parseDuration` takes. */
export const durationText = (description: string) =>
  z
    .string()
    .regex(/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/, 'write a number and a unit: 12h, 30d, 1d12h')
    .describe(description);

/** Which recovery points are kept: `plans.<name>.retention`. */
export const retentionSchema = z
  .strictObject({
    last: count('Keep so many of the newest points.'),
    hourly: count('Keep the newest point of an hour, of so many hours that have one.'),
    daily: count('The same for days, in UTC.'),
    weekly: count('The same for weeks, from Monday.'),
    monthly: count('The same for months.'),
    yearly: count('The same for years.'),
    within: durationText('Keep every point that is younger: `48h`, `30d`.').optional(),
  })
  .refine((rules) => Object.values(rules).some((rule) => rule !== undefined), {
    error: 'has no rule, and would keep nothing',
    params: { hint: 'add one, such as `daily: 7`, or leave `retention` out to keep everything' },
  })
  .describe('Which recovery points `lifeboat retain` keeps: those that any of these rules keeps. Without it, all.');

export type RetentionConfig = z.output<typeof retentionSchema>;
