import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cronProblem, offsetOf, slotAfter, slotBefore, slotName, slotOfName } from '../../src/core/schedule.ts';
import type { Schedule } from '../../src/core/schedule.ts';

const at = (text: string): number => Date.parse(text);

describe('a schedule', () => {
  it('is due in the very moment of its slot, and not before', () => {
    const nightly: Schedule = { cron: '30 2 * * *', timezone: 'UTC' };
    expect(slotBefore(nightly, at('2026-11-26T02:30:00Z'))).toBe(at('2026-11-26T02:30:00Z'));
    expect(slotBefore(nightly, at('2026-11-26T02:29:59.999Z'))).toBe(at('2026-11-25T02:30:00Z'));
    expect(slotAfter(nightly, at('2026-11-26T02:30:00Z'))).toBe(at('2026-11-27T02:30:00Z'));
    const often: Schedule = { everyMs: 300_000 };
    expect(slotBefore(often, at('2026-11-26T02:35:00Z'))).toBe(at('2026-11-26T02:35:00Z'));
    expect(slotAfter(often, at('2026-11-26T02:35:00Z'))).toBe(at('2026-11-26T02:40:00Z'));
  });

  it('follows the clocks of its time zone', () => {
    const berlin: Schedule = { cron: '0 3 * * *', timezone: 'Europe/Berlin' };
    expect(slotAfter(berlin, at('2026-07-01T00:00:00Z'))).toBe(at('2026-07-01T01:00:00Z'));
    expect(slotAfter(berlin, at('2026-12-01T00:00:00Z'))).toBe(at('2026-12-01T02:00:00Z'));
  });

  it('has no slot between one and the next, whatever the moment', () => {
    const schedules: readonly Schedule[] = [
      { everyMs: 300_000 },
      { everyMs: 86_400_000, offsetMs: 12_345_000 },
      { cron: '*/7 * * * *', timezone: 'America/New_York' },
      { cron: '15 1 * * 0', timezone: 'Europe/Berlin' },
    ];
    fc.assert(
      fc.property(fc.constantFrom(...schedules), fc.integer({ min: at('2020-01-01'), max: at('2035-01-01') }), (schedule, now) => {
        const before = slotBefore(schedule, now) ?? Number.NaN;
        const after = slotAfter(schedule, now) ?? Number.NaN;
        expect(before).toBeLessThanOrEqual(now);
        expect(after).toBeGreaterThan(now);
        expect(slotBefore(schedule, after)).toBe(after);
        expect(slotBefore(schedule, after - 1)).toBe(before);
      }),
    );
  });

  it('spreads what happens equally often over the time between', () => {
    const offsets = Array.from({ length: 300 }, (_, n) => offsetOf(`backup.plan-${n}`, 300_000));
    expect(offsets.every((offset) => offset >= 0 && offset < 300_000 && offset % 1000 === 0)).toBe(true);
    const perHalfMinute = Array.from({ length: 10 }, (_, part) => offsets.filter((offset) => Math.floor(offset / 30_000) === part).length);
    expect(Math.max(...perHalfMinute)).toBeLessThan(60);
    expect(offsetOf('backup.prod', 300_000)).toBe(offsetOf('backup.prod', 300_000));
  });

  it('names its slots so that they can be part of an id', () => {
    expect(slotName(at('2026-11-26T14:00:00Z'))).toBe('20261126T140000Z');
    expect(slotOfName('20261126T140000Z')).toBe(at('2026-11-26T14:00:00Z'));
    expect(slotOfName('20261126T140000')).toBeUndefined();
  });

  it('says what is wrong with an expression or a time zone', () => {
    expect(cronProblem('30 2 * * *', 'UTC')).toBeUndefined();
    expect(cronProblem('30 2 * *', 'UTC')).toMatch(/five fields/);
    expect(cronProblem('99 2 * * *', 'UTC')).toMatch(/not a cron expression/);
    expect(cronProblem('0 0 30 2 *', 'UTC')).toMatch(/never/);
    expect(cronProblem('30 2 * * *', 'Mars/Olympus')).toMatch(/time zone/);
  });
});
