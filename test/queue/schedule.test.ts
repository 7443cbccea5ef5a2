import { describe, expect, it } from 'vitest';
import { slotAfter } from '../../src/core/schedule.ts';
import { fromPattern, slotId, toPattern } from '../../src/queue/schedule.ts';

const at = (text: string): number => Date.parse(text);
const text = (time: number): string => new Date(time).toISOString();

describe('slots of a schedule', () => {
  it('come once a day also on the night on which their time does not exist', () => {
    const when = { cron: '30 2 * * *', timezone: 'Europe/Zurich' };
    const spring = [1, 2, 3].reduce<number[]>((slots) => [...slots, slotAfter(when, slots.at(-1) ?? at('2026-03-27T12:00:00Z')) ?? 0], []);
    expect(new Set(spring.map((slot) => text(slot).slice(0, 10))).size).toBe(3);
  });

  it('give ids that can be ids, and name the schedule and the time', () => {
    expect(slotId('backup.shop', at('2026-11-26T14:00:00Z'))).toBe('backup.shop.20261126T140000Z');
  });

  it('are remembered by the server as they were said', () => {
    for (const when of [{ everyMs: 60_000, offsetMs: 7000 }, { cron: '0 3 * * *', timezone: 'Asia/Tokyo' }]) {
      const { pattern, tz } = toPattern(when);
      expect(fromPattern(pattern, tz)).toEqual(when);
    }
  });
});
