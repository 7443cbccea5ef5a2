import { expect, it } from 'vitest';
import { seldom } from '../../src/jobs/seldom.ts';

it('what is said again and again is told once a minute, and what is new at once', () => {
  let now = 1000;
  const told: string[] = [];
  const tell = seldom((text) => told.push(text), () => now);
  for (let i = 0; i < 50; i++) {
    tell('away');
    now += 1000;
  }
  tell('refused');
  expect(told).toEqual(['away', 'refused']);
  now += 20_000;
  tell('away');
  tell('refused');
  expect(told).toEqual(['away', 'refused', 'away']);
});
