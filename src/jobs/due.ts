import type { Config } from '../config/load.ts';
import type { ScheduleConfig } from '../config/schedule-schema.ts';
import { parseDuration } from '../core/duration.ts';
import { offsetOf, slotBefore } from '../core/schedule.ts';
import type { Schedule } from '../core/schedule.ts';
import { slotJob } from './job.ts';
import type { Job, SlotKind } from './job.ts';

/** Something that happens by itself. */
export interface Recurring {
  readonly kind: SlotKind;
  /** Undefined: of all plans together. */
  readonly plan: string | undefined;
  /** What is limited together; undefined where no site is touched. */
  readonly site: string | undefined;
  readonly schedule: Schedule;
}

/** Everything that lifeboat.yaml has happen by itself. */
export function recurringOf(config: Config): readonly Recurring[] {
  const found: Recurring[] = [];
  for (const [plan, { site, schedule, drill, verify }] of config.plans) {
    if (schedule !== undefined) found.push({ kind: 'backup', plan, site, schedule: scheduleOf(schedule, `backup.${plan}`) });
    if (verify !== undefined) found.push({ kind: 'verify', plan, site: undefined, schedule: scheduleOf(verify.schedule, `verify.${plan}`) });
    if (drill?.schedule !== undefined) found.push({ kind: 'drill', plan, site: undefined, schedule: scheduleOf(drill.schedule, `drill.${plan}`) });
  }
  if (config.maintenance !== undefined) found.push({ kind: 'retain', plan: undefined, site: undefined, schedule: scheduleOf(config.maintenance, 'retain') });
  return found;
}

/** A schedule of lifeboat.yaml, which was checked, of something of this name. */
export function scheduleOf({ every, cron, timezone }: ScheduleConfig, name: string): Schedule {
  if (cron !== undefined) return { cron, timezone: timezone ?? 'UTC' };
  const everyMs = parseDuration(every ?? '') ?? 0;
  return { everyMs, offsetMs: offsetOf(name, everyMs) };
}

/**
 * The jobs of the newest slots: what would be there if nobody had missed them. Whatever was done already finds that out from the vaults, so
 * that they can be added whenever it is not known what became of them: at the start, and when the queue was lost.
 */
export function newestDue(recurring: readonly Recurring[], now: number): readonly Job[] {
  return recurring.flatMap(({ kind, plan, schedule }) => {
    const slot = slotBefore(schedule, now);
    return slot === undefined ? [] : [slotJob(kind, plan, slot, now)];
  });
}
