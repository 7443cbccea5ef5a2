import { z } from 'zod';
import type { Config } from '../config/load.ts';
import { LifeboatError } from '../core/errors.ts';
import type { AddOptions, Job as QueuedJob, Schedule as QueuedSchedule } from '../queue/index.ts';
import { slotOfName } from '../core/schedule.ts';
import type { Recurring } from './due.ts';
import { jobSchema, slotJob, slotJobId, SLOT_KINDS } from './job.ts';
import type { Job, JobKind } from './job.ts';

/** What is taken first: 1 before 100. A restore is what somebody waits for. */
const PRIORITIES: Readonly<Record<JobKind, number>> = { restore: 10, backup: 30, replicate: 40, drill: 60, verify: 70, retain: 80 };

/** A job as the queue is given it. Throws `LB_JOB_INVALID` when the plan is not in lifeboat.yaml. */
export function toQueued(job: Job, config: Config): { readonly job: QueuedJob; readonly options: AddOptions } {
  const site = siteOf(job, config);
  return {
    job: { id: job.id, kind: job.kind, data: dataOf(job), ...(site !== undefined && { site }) },
    options: { priority: PRIORITIES[job.kind] },
  };
}

/** What the queue holds of a job, for `fromQueued`. */
export function dataOf(job: Job): QueuedJob['data'] {
  return JSON.parse(JSON.stringify(job)) as QueuedJob['data'];
}

/** What the queue's schedules make jobs of: the slot is in the id. */
const scheduledSchema = z.object({ scheduled: z.object({ kind: z.enum(SLOT_KINDS), plan: z.string().optional() }) });

/** What the queue makes jobs of, at their time: those that `toQueued` would give. */
export function toQueuedSchedule({ kind, plan, site, schedule }: Recurring): QueuedSchedule {
  const data = { scheduled: { kind, ...(plan !== undefined && { plan }) } };
  return {
    id: plan === undefined ? kind : `${kind}.${plan}`,
    when: schedule,
    job: { kind, data, priority: PRIORITIES[kind], ...(site !== undefined && { site }) },
  };
}

/** What the queue had of a job. Throws `LB_JOB_INVALID` when somebody else made it. */
export function fromQueued({ id, data }: QueuedJob): Job {
  const slot = slotOfName(id.split('.').at(-1) ?? '');
  const scheduled = scheduledSchema.safeParse(data).data?.scheduled;
  if (scheduled !== undefined && slot !== undefined && id === slotJobId(scheduled.kind, scheduled.plan, slot)) return slotJob(scheduled.kind, scheduled.plan, slot, slot);
  const parsed = jobSchema.safeParse(data);
  if (parsed.success && parsed.data.id === id) return parsed.data;
  throw new LifeboatError('LB_JOB_INVALID', `What the queue holds as job ${id} is not a job of this lifeboat`, {
    where: `job ${id}`,
    hint: 'Another version has made it, or somebody else writes into the queue. Update lifeboat everywhere, or drop the job.',
  });
}

/** What a site bears is limited; jobs that touch none are not. */
function siteOf(job: Job, config: Config): string | undefined {
  if (job.kind === 'restore') return job.request.target;
  return job.kind === 'backup' ? planSite(job.plan, config, job.id) : undefined;
}

function planSite(plan: string, config: Config, id: string): string {
  const site = config.plans.get(plan)?.site;
  if (site !== undefined) return site;
  throw new LifeboatError('LB_JOB_INVALID', `There is no plan \`${plan}\``, { where: `job ${id}`, hint: `${config.file} names ${[...config.plans.keys()].join(', ')}.` });
}
