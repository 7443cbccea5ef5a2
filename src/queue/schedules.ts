import { setTimeout as sleep } from 'node:timers/promises';
import { ErrorCode } from 'bullmq';
import type { JobSchedulerJson } from 'bullmq';
import { slotAfter } from '../core/schedule.ts';
import type { Schedule } from './queue.ts';
import { checkSchedule, toPattern } from './schedule.ts';
import type { TickData, TickQueue } from './tick.ts';

/** A tick so late was not only taken late: it is lost, and with it the chain of those after it. */
const LOST_MS = 60_000;
const TRIES = 50;
const TICK_MS = 100;
/** A slot that comes sooner is let pass. */
const NEAR_MS = 200;

/** Makes the schedules on the server those that are wanted. One that is there already is not touched. */
export async function setSchedules(ticks: TickQueue, wanted: readonly Schedule[]): Promise<void> {
  for (const schedule of wanted) checkSchedule(schedule);
  const ids = new Set(wanted.map(({ id }) => id));
  const existing = new Map((await ticks.getJobSchedulers(0, -1)).map((one) => [one.key, one]));
  for (const key of existing.keys()) if (!ids.has(key)) await ticks.removeJobScheduler(key);
  for (const schedule of wanted) if (!(await isSet(ticks, schedule, existing.get(schedule.id)))) await setSchedule(ticks, schedule);
}

/**
 * Makes one schedule, or makes it anew, when no tick of it runs or is about to. BullMQ would make the tick of the next slot: where that
 * runs, as another worker has set the same schedule or this machine's clock is behind, it is refused or put back, and may be lost.
 * Ticks are short, so it waits. It looks again each time, as another worker may have set it by then.
 */
async function setSchedule(ticks: TickQueue, schedule: Schedule): Promise<void> {
  for (let left = TRIES; !(await isSet(ticks, schedule, await ticks.getJobScheduler(schedule.id))); left -= 1) {
    const now = Date.now();
    const soon = (slotAfter(schedule.when, now) ?? Infinity) - now;
    if (soon < NEAR_MS) await sleep(soon);
    if (left > 0 && (await isTicking(ticks, schedule.id))) {
      await sleep(TICK_MS);
      continue;
    }
    try {
      // Anything is done again where a worker died in between; a tick makes one job however often it comes.
      await ticks.upsertJobScheduler(schedule.id, toPattern(schedule.when), {
        name: 'tick',
        data: toData(schedule),
        opts: { attempts: 1_000_000, backoff: { type: 'fixed', delay: 1000 }, removeOnComplete: true },
      });
      return;
    } catch (error) {
      if (left <= 0 || !isRefused(error)) throw error;
      await sleep(TICK_MS);
    }
  }
}

async function isTicking(ticks: TickQueue, id: string): Promise<boolean> {
  return (await ticks.getActive()).some(({ repeatJobKey }) => repeatJobKey === id);
}

/** Whether BullMQ did not make a tick because it is there. */
function isRefused(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === ErrorCode.SchedulerJobIdCollision || code === ErrorCode.SchedulerJobSlotsBusy;
}

async function isSet(ticks: TickQueue, schedule: Schedule, there: JobSchedulerJson<TickData> | undefined): Promise<boolean> {
  return there !== undefined && isSame(there, schedule) && !(await isLost(ticks, there));
}

function toData({ job: { kind, site, data, priority } }: Schedule): TickData {
  return { kind, data, ...(site === undefined ? {} : { site }), ...(priority === undefined ? {} : { priority }) };
}

function isSame(there: JobSchedulerJson<TickData>, schedule: Schedule): boolean {
  const { pattern, tz } = toPattern(schedule.when);
  const { kind, site, data, priority } = there.template?.data ?? {};
  const wanted = toData(schedule);
  return (
    there.pattern === pattern &&
    there.tz === tz &&
    kind === wanted.kind &&
    site === wanted.site &&
    priority === wanted.priority &&
    canonical(data ?? null) === canonical(wanted.data)
  );
}

/** PostgreSQL gives the names of an object back in another order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}

/** The next tick is made when one is taken. Where that was cut off, as when a server lost its last second, none would ever come again. */
async function isLost(ticks: TickQueue, { key, next }: JobSchedulerJson<TickData>): Promise<boolean> {
  if (next === undefined) return true;
  if (next > Date.now() - LOST_MS) return false;
  return (await ticks.getJob(`repeat:${key}:${next}`)) === undefined;
}
