import { z } from 'zod';
import { scheduleSchema } from '../config/schedule-schema.ts';
import { restoreRequestSchema } from '../jobs/job.ts';
import type { JobKind } from '../jobs/job.ts';
import type { JobState } from '../jobs/service.ts';
import { problemSchema } from './problem.ts';

/** What the API takes and gives. The document at /openapi.json is made of these. */

export const JOB_KINDS = ['backup', 'replicate', 'verify', 'retain', 'drill', 'restore'] as const satisfies readonly JobKind[];
export const JOB_STATES = ['waiting', 'active', 'unconfirmed', 'done', 'failed', 'canceled'] as const satisfies readonly JobState[];

const time = z.iso.datetime();
const count = z.int().min(0);

const progress = z
  .object({
    phase: z.string().describe('`discover`, `plan`, `apply` …'),
    done: count.describe('Units finished so far.'),
    total: count.optional(),
    unit: z.string(),
    bytes: count.optional(),
    detail: z.string().optional(),
  })
  .describe('How far it is.');

const failure = z
  .object({
    code: z.string().describe('A code of docs/errors.md.'),
    message: z.string(),
    hint: z.string().optional(),
    where: z.string().optional(),
  })
  .describe('Why it was given up.');

const jobFields = {
  id: z.string(),
  kind: z.enum(JOB_KINDS),
  state: z.enum(JOB_STATES).describe('`unconfirmed`: its plan is to be confirmed. `failed`: given up.'),
  requestedBy: z.string().describe('`schedule`, `event`, or who asked for it: `token:SUBJECT`, `certificate:COMMON NAME`.'),
  at: time.describe('When it was asked for.'),
  steps: count.describe('Steps taken so far.'),
  finishedAt: time.optional(),
  progress: progress.optional(),
  failure: failure.optional(),
};

export const jobDocument = z
  .object({
    ...jobFields,
    plan: z.string().optional(),
    result: z.unknown().optional().describe('What it came to; depends on the kind. Restores have it at `/v1/restores/{id}`.'),
  })
  .meta({ id: 'Job', description: 'A job and what became of it.' });

export const jobsDocument = z.object({ jobs: z.array(jobDocument).describe('The newest first.') }).meta({ id: 'Jobs' });

/** What a worker says of a plan: src/jobs/work/restore.ts. */
export const planDocument = z
  .object({
    digest: z.string().describe('What a confirmation names.'),
    source: z.record(z.string(), z.unknown()).describe('The point that is restored.'),
    target: z.record(z.string(), z.unknown()).describe('The site that it is restored into.'),
    actions: z.record(z.string(), count).describe('How many objects there are of each action; docs/restore.md explains them.'),
    update: z.array(z.string()).optional().describe('Objects that are there and would be changed; the first 200.'),
    conflict: z.array(z.string()).optional().describe('Objects that are there and differ; the first 200.'),
    unsupported: z.array(z.string()).optional().describe('Objects that the target cannot have; the first 200.'),
    warnings: z.array(z.object({ kind: z.string(), message: z.string(), where: z.string().optional() })).optional(),
  })
  .meta({ id: 'RestorePlan', description: 'What a restore will do.' });

export const restoreDocument = z
  .object({
    ...jobFields,
    kind: z.literal('restore'),
    request: z.record(z.string(), z.unknown()).describe('What was asked for, with defaults put in.'),
    confirmed: z.object({ digest: z.string(), by: z.string() }).optional().describe('Who confirmed which plan.'),
    plan: planDocument.optional().describe('While it is to be confirmed, and of a dry run.'),
    report: z.record(z.string(), z.unknown()).optional().describe('What it did: docs/json.md, `lifeboat restore`.'),
  })
  .meta({ id: 'Restore', description: 'A restore and what became of it.' });

export const acceptedDocument = z
  .object({
    id: z.string(),
    created: z.boolean().describe('False: it was there already, and is not done twice.'),
    mayNeedConfirmation: z.boolean().describe('It may become `unconfirmed`, and then waits for an admin to confirm its plan.'),
  })
  .meta({ id: 'Accepted' });

export const jobRequest = z
  .strictObject({
    kind: z.enum(['backup', 'drill', 'verify', 'replicate', 'retain']),
    plan: z.string().min(1).max(63).optional().describe('The plan; not for `retain`, which is of all plans.'),
    point: z.string().min(1).max(100).optional().describe('With `drill`: the point. Default: as the plan says.'),
  })
  .meta({ id: 'JobRequest' });

export const restoreRequest = restoreRequestSchema.meta({ id: 'RestoreRequest' });

export const confirmationRequest = z
  .strictObject({ digest: z.string().regex(/^[0-9a-f]{64}$/).describe('The digest of the plan that is meant.') })
  .meta({ id: 'Confirmation' });

export const confirmedDocument = z.object({ id: z.string(), digest: z.string() }).meta({ id: 'Confirmed' });
export const canceledDocument = z.object({ id: z.string(), canceled: z.boolean().describe('False: it had ended already.') }).meta({ id: 'Canceled' });

const point = z
  .object({
    id: z.string(),
    site: z.string(),
    at: time.optional().describe('The moment it shows.'),
    committedAt: time.optional(),
    complete: z.boolean().optional().describe('Whether every type could be read.'),
    safe: z.boolean().describe('Whether as many vaults hold all of it as the plan says.'),
    vaults: z.array(z.string()).describe('Vaults that hold all of it.'),
    problem: z.string().optional(),
  })
  .meta({ id: 'Point' });

export const pointsDocument = z.object({ plan: z.string(), points: z.array(point).describe('The newest first.') }).meta({ id: 'Points' });

const planOverview = z.object({
  name: z.string(),
  site: z.string(),
  vaults: z.array(z.string()),
  copies: count.describe('How many vaults must hold a point for it to be safe.'),
  schedule: scheduleSchema.optional(),
  nextBackup: time.optional(),
  objectives: z.object({ rpo: z.string().optional(), rto: z.string().optional() }).optional(),
  newestSafePoint: z.object({ id: z.string(), at: time, ageSeconds: z.number() }).optional(),
  rpoMet: z.boolean().optional().describe('Whether the newest safe point is younger than the RPO.'),
  problem: z.string().optional().describe('Why nothing is known of its points.'),
});

export const plansDocument = z.object({ plans: z.array(planOverview) }).meta({ id: 'Plans' });

export const statusDocument = z
  .object({
    ok: z.boolean().describe('The queue answers, and every plan meets its objective.'),
    at: time,
    version: z.string(),
    queue: z.object({ ok: z.boolean(), code: z.string().optional() }),
    jobs: z.object({ waiting: count, active: count, unconfirmed: count, done: count, failed: count, canceled: count }).describe('The newest 500 jobs, by state.'),
    plans: z.array(planOverview),
  })
  .meta({ id: 'Status' });

export const readyDocument = z.object({ ok: z.boolean() }).meta({ id: 'Ready' });

/** Everything that has a name in the document. */
export const REQUESTS = [jobRequest, restoreRequest, confirmationRequest];
export const ANSWERS = [
  problemSchema,
  jobDocument,
  jobsDocument,
  restoreDocument,
  planDocument,
  acceptedDocument,
  confirmedDocument,
  canceledDocument,
  point,
  pointsDocument,
  plansDocument,
  statusDocument,
  readyDocument,
];

export type JobDocument = z.output<typeof jobDocument>;
export type RestoreDocument = z.output<typeof restoreDocument>;
export type PointDocument = z.output<typeof point>;
export type PlanOverview = z.output<typeof planOverview>;
