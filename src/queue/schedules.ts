import type { JobSchedulerJson } from 'bullmq';
import type { Schedule } from './queue.ts';
import { checkSchedule, toPattern } from './schedule.ts';
import type { TickData, TickQueue } from './tick.ts';

/** A tick so late was not only taken late: it is lost, and with it the chain of those after it. */
const LOST_MS = 60_000;

/** Makes the schedules on the server those that are wanted. One that is there already is not touched. */
export async function setSchedules(ticks: TickQueue, wanted: readonly Schedule[]): Promise<void> {
  for (const schedule of wanted) checkSchedule(schedule);
  const ids = new Set(wanted.map(({ id }) => id));
  const existing = new Map((await ticks.getJobSchedulers(0, -1)).map((one) => [one.key, one]));
  for (const key of existing.keys()) if (!ids.has(key)) await ticks.removeJobScheduler(key);
  for (const schedule of wanted) {
    const there = existing.get(schedule.id);
    if (there !== undefined && isSame(there, schedule) && !(await isLost(ticks, there))) continue;
    // Anything is done again where a worker died in between; a tick makes one job however often it comes.
    await ticks.upsertJobScheduler(schedule.id, toPattern(schedule.when), {
      name: 'tick',
      data: toData(schedule),
      opts: { attempts: 1_000_000, backoff: { type: 'fixed', delay: 1000 }, removeOnComplete: true },
    });
  }
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
