import type { PlanConfig } from '../config/schema.ts';
import { slotAfter, slotBefore } from '../core/schedule.ts';
import type { Schedule } from '../core/schedule.ts';
import { scheduleOf } from './due.ts';
import type { SlotKind } from './job.ts';

/** Something that happens by itself. */
export interface ScheduleState {
  readonly kind: Exclude<SlotKind, 'retain'>;
  /** The last time that should be done with by now, and the next: ISO 8601, UTC. */
  readonly slot?: string;
  readonly next?: string;
  /** Whether the vaults show that it happened then, or later. Absent where that cannot be said. */
  readonly met?: boolean;
}

/** A slot counts as missed after half the time to the next one, at least and at most so much, ms: work takes its time. */
const LEAST_GRACE = 60_000;
const MOST_GRACE = 3_600_000;

/** When something last happened: ISO 8601, UTC; `''`: never; undefined: that cannot be said. */
export type LastTimes = Readonly<Record<ScheduleState['kind'], string | undefined>>;

/** The schedules of a plan of this name, and whether each was kept. */
export function schedulesOf(name: string, plan: PlanConfig, now: number, last: LastTimes): readonly ScheduleState[] {
  const schedules = { backup: plan.schedule, verify: plan.verify?.schedule, drill: plan.drill?.schedule } as const;
  return (Object.keys(schedules) as ScheduleState['kind'][]).flatMap((kind) => {
    const config = schedules[kind];
    if (config === undefined) return [];
    const schedule = scheduleOf(config, `${kind}.${name}`);
    const slot = slotBefore(schedule, now - graceOf(schedule, now));
    const next = slotAfter(schedule, now);
    const happened = last[kind];
    return [
      {
        kind,
        ...(slot !== undefined && { slot: new Date(slot).toISOString() }),
        ...(next !== undefined && { next: new Date(next).toISOString() }),
        ...(slot !== undefined && happened !== undefined && { met: happened !== '' && Date.parse(happened) >= slot }),
      },
    ];
  });
}

/** How long after a slot it is waited for, ms. */
function graceOf(schedule: Schedule, now: number): number {
  const next = slotAfter(schedule, now);
  const after = next === undefined ? undefined : slotAfter(schedule, next);
  const interval = next === undefined || after === undefined ? MOST_GRACE : after - next;
  return Math.min(MOST_GRACE, Math.max(LEAST_GRACE, interval / 2));
}
