import type { Config } from '../../config/load.ts';
import type { ScheduleConfig } from '../../config/schedule-schema.ts';
import { parseDuration } from '../../core/duration.ts';
import { slotBefore } from '../../core/schedule.ts';
import type { Schedule } from '../../core/schedule.ts';
import { slotJob } from '../../jobs/job.ts';
import { eventInvalid } from '../invalid.ts';
import { handOver } from '../outcome.ts';
import type { HandedOver } from '../outcome.ts';
import { spanned } from '../spanned.ts';
import type { ScheduleTrigger } from '../trigger.ts';
import type { ScheduleHandler } from './handler.ts';

/** What happens by schedules. */
export const SCHEDULED_KINDS = ['backup', 'drill', 'verify', 'retain'] as const;
export type ScheduledKind = (typeof SCHEDULED_KINDS)[number];

/** Timers may ring a little before the time, ms: clocks differ. */
const EARLY = 2_000;

/** A kind's schedules by plan; `retain` has one, of no plan. */
export function schedulesOf(config: Config, kind: ScheduledKind): ReadonlyMap<string | undefined, ScheduleConfig> {
  if (kind === 'retain') return new Map(config.maintenance === undefined ? [] : [[undefined, config.maintenance]]);
  const schedules = new Map<string, ScheduleConfig>();
  for (const [name, plan] of config.plans) {
    const schedule = { backup: plan.schedule, drill: plan.drill?.schedule, verify: plan.verify?.schedule }[kind];
    if (schedule !== undefined) schedules.set(name, schedule);
  }
  return schedules;
}

/** A schedule as the platform's timers ring it: what is to happen every so often is not spread, as a worker spreads it, but rings on whole multiples. */
export function rungSchedule({ every, cron, timezone }: ScheduleConfig): Schedule {
  if (cron !== undefined) return { cron, timezone: timezone ?? 'UTC' };
  return { everyMs: parseDuration(every ?? '') ?? 0 };
}

/** Hands the job of the slot over that has come: rung twice, it is the same job. Throws `LB_EVENT_INVALID`, `LB_QUEUE_UNAVAILABLE`. */
export function scheduled(kind: ScheduledKind): ScheduleHandler {
  return spanned<ScheduleTrigger, HandedOver>(kind, async (trigger, surroundings) => {
    const config = await surroundings.config();
    const plan = kind === 'retain' ? undefined : planOf(trigger, config, kind);
    const schedule = schedulesOf(config, kind).get(plan);
    const slot = schedule && slotBefore(rungSchedule(schedule), trigger.at + EARLY);
    if (slot === undefined) {
      const what = plan === undefined ? '`maintenance`' : `The plan \`${plan}\``;
      throw eventInvalid(`${what} has no schedule of this kind: ${kind}`, 'Deploy again, so that what rings fits lifeboat.yaml.');
    }
    return handOver([slotJob(kind, plan, slot, trigger.at)], surroundings);
  });
}

function planOf({ detail }: ScheduleTrigger, config: Config, kind: ScheduledKind): string {
  const known = [...schedulesOf(config, kind).keys()].filter((name) => name !== undefined);
  const plan = detail.plan ?? (known.length === 1 ? known[0] : undefined);
  if (plan === undefined) {
    const which = known.join(', ') || 'no plan has such a schedule';
    throw eventInvalid('The event does not say for which plan the time has come', `Send \`{"plan": "NAME"}\`: ${which}.`);
  }
  if (!config.plans.has(plan)) throw eventInvalid(`There is no plan \`${plan}\``, 'Deploy again, so that what rings fits lifeboat.yaml.');
  return plan;
}
