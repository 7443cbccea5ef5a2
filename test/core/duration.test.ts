import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../src/core/duration.ts';

describe('a duration', () => {
  it('is read as people write it', () => {
    expect(['0', '90s', '5m', '1h30m', '250ms', '1.5s', '2d'].map(parseDuration)).toEqual([0, 90_000, 300_000, 5_400_000, 250, 1500, 172_800_000]);
  });

  it('needs a unit, and nothing else beside', () => {
    expect(['', '5', '-5s', '5 s', 's', '5x', '5s!', '1e3s', 'Infinity'].map(parseDuration)).toEqual(Array.from({ length: 9 }, () => undefined));
  });

  it('is shown with two units at most', () => {
    expect([0, 449, 9949, 9950, 59_499, 59_600, 185_000, 7_800_000, 360_000_000].map(formatDuration)).toEqual([
      '0.0 s', '0.4 s', '9.9 s', '10 s', '59 s', '1 min 00 s', '3 min 05 s', '2 h 10 min', '4 d 4 h',
    ]);
  });
});
