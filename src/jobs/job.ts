import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { NAME_PATTERN } from '../config/schema.ts';
import { slotName } from '../core/schedule.ts';
import { EXISTING_POLICIES, selectionSchema } from '../pipeline/restore/options.ts';

/** Ids go into object keys and into queues: BullMQ takes no `:` and no whole numbers. */
const JOB_ID = /^[a-z]+\.[A-Za-z0-9][A-Za-z0-9._-]{0,160}$/;

const name = z.string().regex(NAME_PATTERN);

const common = {
  /** The idempotency key: two jobs with one id are the same job. */
  id: z.string().regex(JOB_ID),
  /** Who asked for it: `schedule`, `event`, or the subject of a token or certificate. */
  requestedBy: z.string().min(1).max(200),
  /** When it was asked for: ISO 8601, UTC. */
  at: z.iso.datetime(),
  /** The trace that it is a part of (W3C Trace Context), wherever it is worked on. No part of what the job is. */
  traceparent: z.string().regex(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/).exactOptional(),
};

/** What is restored, and into what; as the API takes it. */
export const restoreRequestSchema = z.strictObject({
  /** The plan whose vaults are read. */
  plan: name.describe('The plan whose points are restored.'),
  point: z.string().min(1).max(100).default('latest').describe('The id of a point, a unique beginning of one, or `latest`.'),
  before: z.iso.datetime().describe('With `latest`: the newest point of this moment or before.').exactOptional(),
  target: name.describe('The site to restore into: a name of lifeboat.yaml.'),
  selection: selectionSchema.default({}).describe('Which objects. Default: all.'),
  objects: z.array(z.string().min(1)).max(1000).readonly().default([]).describe('Single objects: `Kind/namespace/name`, or `Kind/name`.'),
  renameNamespaces: z.record(z.string(), z.string()).default({}).describe('Namespaces to rename: new names by old ones.'),
  existing: z.enum(EXISTING_POLICIES).default('fail').describe('What becomes of objects that are in the target and differ. `update` needs a confirmation.'),
  waitSeconds: z.int().min(0).max(3600).default(0).describe('How long to wait, at the end, for workloads to be ready.'),
  intoSource: z.boolean().default(false).describe('Allow the very cluster that the point was taken from. Needs a confirmation.'),
  dryRun: z.boolean().default(false).describe('Make the plan, and write nothing.'),
});

/** When it was due by its schedule, if it was: ISO 8601, UTC. */
const slot = z.iso.datetime().exactOptional();

/** That somebody has looked at the plan of a restore, and wants it carried out. */
const confirmationSchema = z.strictObject({
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  by: z.string().min(1).max(200),
});

/** A job: what is to be done, by ids alone. Holds no secret. */
export const jobSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('backup'), ...common, slot, plan: name }),
  /** Brings the vaults of a plan level. */
  z.strictObject({ kind: z.literal('replicate'), ...common, plan: name }),
  z.strictObject({ kind: z.literal('verify'), ...common, slot, plan: name }),
  /** Of all plans: a removal must be known in every vault. */
  z.strictObject({ kind: z.literal('retain'), ...common, slot }),
  z.strictObject({ kind: z.literal('drill'), ...common, slot, plan: name, point: z.string().min(1).max(100).exactOptional() }),
  /** `resumed`: it had begun to write when the queue was lost. */
  z.strictObject({ kind: z.literal('restore'), ...common, request: restoreRequestSchema, confirmed: confirmationSchema.exactOptional(), resumed: z.literal(true).exactOptional() }),
]);

export type Job = z.output<typeof jobSchema>;
export type JobKind = Job['kind'];
/** What schedules start. */
export const SLOT_KINDS = ['backup', 'verify', 'retain', 'drill'] as const;
export type SlotKind = (typeof SLOT_KINDS)[number];
export type JobOf<K extends JobKind> = Extract<Job, { readonly kind: K }>;

export type RestoreOrder = z.output<typeof restoreRequestSchema>;

/** The id of the job of a scheduled slot: `backup.prod.20261126T140000Z`. Whoever finds the slot due makes the same one. */
export function slotJobId(kind: JobKind, plan: string | undefined, slot: number): string {
  return [kind, ...(plan === undefined ? [] : [plan]), slotName(slot)].join('.');
}

/** The job of a scheduled slot. */
export function slotJob(kind: SlotKind, plan: string | undefined, slotTime: number, now: number): Job {
  return jobSchema.parse({
    kind,
    id: slotJobId(kind, plan, slotTime),
    requestedBy: 'schedule',
    at: new Date(now).toISOString(),
    slot: new Date(slotTime).toISOString(),
    ...(plan !== undefined && { plan }),
  });
}

/** The id of the job of an event, from whatever the event calls itself. The plan is part of it: one event may be about several. */
export function eventJobId(kind: JobKind, plan: string | undefined, event: string): string {
  const digest = createHash('sha256').update(event).digest('hex').slice(0, 32);
  return [kind, ...(plan === undefined ? [] : [plan]), `e${digest}`].join('.');
}

/** The id under which a restore goes on that somebody has confirmed. */
export function confirmedId(id: string): string {
  return `${id}.confirmed`;
}

/** An id for what a person asks for, once. */
export function requestJobId(kind: JobKind, now: number): string {
  return `${kind}.${slotName(now)}-${randomBytes(5).toString('hex')}`;
}
