import { array, assert, constant, constantFrom, integer, oneof, pre, property, tuple } from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cronProblem, slotAfter } from '../../src/core/schedule.ts';
import type { Schedule } from '../../src/core/schedule.ts';
import { awsSchedule } from '../../src/functions/cron/aws.ts';
import { azureTimers } from '../../src/functions/cron/azure.ts';
import { rings } from './aws-cron.ts';

const MINUTE = 60_000;
const START = Date.parse('2027-12-20T00:00:00Z');

/** When a schedule is due, by lifeboat's own reckoning. */
function slots(schedule: Schedule, until: number, start = START): number[] {
  const found: number[] = [];
  for (let slot = slotAfter(schedule, start - 1); slot !== undefined && slot < until; slot = slotAfter(schedule, slot)) found.push(slot);
  return found;
}

/** When AWS rings. */
function ringing(expressions: readonly string[], until: number, start = START): number[] {
  const found: number[] = [];
  for (let at = start; at < until; at += MINUTE) if (expressions.some((one) => rings(one, new Date(at)))) found.push(at);
  return found;
}

const field = (least: number, most: number, names: readonly string[] = []): Arbitrary<string> => {
  const number = integer({ min: least, max: most });
  const range = tuple(number, number).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
  const part = oneof(
    number.map(String),
    range,
    tuple(range, integer({ min: 1, max: 20 })).map(([text, step]) => `${text}/${step}`),
    integer({ min: 1, max: 30 }).map((step) => `*/${step}`),
    ...(names.length > 0 ? [constantFrom(...names)] : []),
  );
  return oneof(constant('*'), array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(',')));
};

const MONTHS = ['JAN', 'FEB', 'mar', 'DEC'];
const WEEKDAYS = ['SUN', 'mon', 'FRI', 'SAT'];
const crons = tuple(field(0, 59), field(0, 23), oneof(field(1, 31), constant('L')), field(1, 12, MONTHS), field(0, 7, WEEKDAYS)).map((fields) => fields.join(' '));

describe('schedules in the words of AWS', () => {
  it('ring at the very slots of any cron expression of plain values', () => {
    const days = 24 * 60 * MINUTE;
    assert(
      property(crons, integer({ min: 0, max: 365 }), (cron, day) => {
        pre(cronProblem(cron, 'UTC') === undefined);
        const { expressions } = awsSchedule({ cron }, 'lifeboat.yaml:1');
        const start = START + day * days;
        const until = start + 8 * days;
        expect(ringing(expressions, until, start)).toEqual(slots({ cron, timezone: 'UTC' }, until, start));
      }),
      { numRuns: 15 },
    );
  });

  it.each([1, 5, 15, 30, 60, 90, 120, 240, 360, 480, 720, 1440])('ring at the very slots of `every: %dm`', (minutes) => {
    const until = START + 3 * 24 * 60 * MINUTE;
    const { expressions, timezone } = awsSchedule({ every: `${minutes}m` }, '');
    expect(timezone).toBe('UTC');
    expect(ringing(expressions, until)).toEqual(slots({ everyMs: minutes * MINUTE }, until));
  });

  it.each([
    ['7m', 'rate(7 minutes)'],
    ['25h', 'rate(25 hours)'],
    ['2d', 'rate(2 days)'],
    ['7d', 'rate(7 days)'],
  ])('say `every: %s` as %s: as often, counted from the deployment', (every, expression) => {
    expect(awsSchedule({ every }, '').expressions).toEqual([expression]);
  });

  it('keep the time zone', () => {
    expect(awsSchedule({ cron: '30 2 * * 1-5', timezone: 'Europe/Berlin' }, '')).toEqual({ expressions: ['cron(30 2 ? * MON,TUE,WED,THU,FRI *)'], timezone: 'Europe/Berlin' });
  });

  it('take two expressions where day of the month and day of the week are both said', () => {
    expect(awsSchedule({ cron: '30 2 1 * 0' }, '').expressions).toEqual(['cron(30 2 1 * ? *)', 'cron(30 2 ? * SUN *)']);
  });

  it.each([{ every: '30s' }, { every: '90s' }, { cron: '0 0 15W * *' }, { cron: '0 0 * * 5#2' }, { cron: '30 0 0 * * *' }])('are refused for %j, and it is said where', (schedule) => {
    expect(() => awsSchedule(schedule, 'lifeboat.yaml:12')).toThrow(expect.objectContaining({ code: 'LB_CONFIG_INVALID', where: 'lifeboat.yaml:12', hint: expect.stringMatching(/^Use /) as string }));
  });
});

describe('timers of Azure Functions', () => {
  it.each([
    [{ every: '15m' }, ['0 0,15,30,45 * * * *']],
    [{ every: '24h' }, ['0 0 0 * * *']],
    [{ cron: '30 2 * * 1-5' }, ['0 30 2 * * 1,2,3,4,5']],
    [{ cron: '30 2 1 * 0' }, ['0 30 2 1 * *', '0 30 2 * * 0']],
  ])('ring for %j', (schedule, expressions) => {
    expect(azureTimers(schedule)).toEqual({ expressions, look: false });
  });

  it.each([{ cron: '30 2 * * *', timezone: 'Europe/Berlin' }, { cron: '30 2 L * *' }, { every: '7m' }, { cron: '0 0 * * 5#2' }])('ring every minute, and look, for %j', (schedule) => {
    expect(azureTimers(schedule)).toEqual({ expressions: ['0 * * * * *'], look: true });
  });
});
