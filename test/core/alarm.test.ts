import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Alarm } from '../../src/core/alarm.ts';
import { HaltingTime } from '../support/halting.ts';

const HOUR = 3_600_000;

let time: HaltingTime;
let rung: number;
const set = (ms: number): Alarm => new Alarm(ms, () => void rung++);
beforeEach(() => {
  time = new HaltingTime();
  rung = 0;
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('an alarm', () => {
  it('rings once, when the time is over', async () => {
    set(30_000);
    await time.pass(29_900);
    expect(rung).toBe(0);
    await time.pass(HOUR);
    expect(rung).toBe(1);
  });

  it('counts from when it was last restarted, also after it rang', async () => {
    const alarm = set(30_000);
    await time.pass(20_000);
    alarm.restart();
    await time.pass(20_000);
    expect(rung).toBe(0);
    await time.pass(10_000);
    expect(rung).toBe(1);
    alarm.restart();
    await time.pass(30_000);
    expect(rung).toBe(2);
  });

  it('does not ring when it was stopped', async () => {
    set(30_000).stop();
    await time.pass(HOUR);
    expect(rung).toBe(0);
  });

  it('waits for the full time again when the process was halted, as often as that happens', async () => {
    set(30_000);
    for (let halts = 0; halts < 3; halts++) {
      await time.pass(29_000);
      await time.halt(5 * HOUR);
      expect(rung).toBe(0);
    }
    await time.pass(29_900);
    expect(rung).toBe(0);
    await time.pass(100);
    expect(rung).toBe(1);
  });

  it('waits for the full time again when it rings too early, because the process was halted while it was set', async () => {
    time.haltBefore(29_000, () => set(30_000));
    await time.pass(29_900);
    expect(rung).toBe(0);
    await time.pass(1_100);
    expect(rung).toBe(1);
  });

  it('rings when it is no later than a busy process makes it', async () => {
    set(30_000);
    await time.halt(30_900);
    expect(rung).toBe(1);
  });
});
