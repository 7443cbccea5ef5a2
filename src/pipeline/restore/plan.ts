import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../../adapt/canonical.ts';
import { restoreOptionsSchema } from './options.ts';

/**
 * What will be done about one object:
 * `create`; `change`: create it, changed by the rules named; `keep`: it is there and equal; `skip`: it is there, differs,
 * and stays as it is; `update`: it is there, differs, and is brought to the backup's state; `drop`: it is not restored,
 * the rule named says why; `conflict`: it is there and differs, and the restore was told to fail then;
 * `unsupported`: the target does not serve its type, `reason` says more.
 */
export const PLAN_ACTIONS = ['create', 'change', 'keep', 'skip', 'update', 'drop', 'conflict', 'unsupported'] as const;
export type PlanAction = (typeof PLAN_ACTIONS)[number];

const ownerSchema = z
  .object({
    /** The owner, when this plan restores it: its place in `entries`. */
    entry: z.int().min(0).exactOptional(),
    /** Its UID, when it is in the target already. */
    uid: z.string().exactOptional(),
    apiVersion: z.string(),
    kind: z.string(),
    name: z.string(),
    controller: z.boolean(),
    blockOwnerDeletion: z.boolean(),
  })
  .strict();

const entrySchema = z
  .object({
    /** Its type: the place in `types`. */
    type: z.int().min(0),
    /** Where it goes; `''` for cluster-scoped objects. */
    namespace: z.string(),
    name: z.string(),
    /** The namespace it comes from, or the name of a Namespace, when that gets another name. */
    from: z.string().exactOptional(),
    action: z.enum(PLAN_ACTIONS),
    /** The rules that drop or change it; docs/restore.md explains each. */
    rules: z.array(z.string()).readonly().exactOptional(),
    reason: z.string().exactOptional(),
    wave: z.int().min(0),
    /** Digest of what is compared of it, `''` if it is not restored. Made with a key of this process: good for this run alone. */
    digest: z.string(),
    owners: z.array(ownerSchema).readonly().exactOptional(),
    /** `dependency`: not selected, but needed by what is. `made-up`: needed, and not in the source: made from its name alone. */
    because: z.enum(['dependency', 'made-up']).exactOptional(),
    /** It is there and equal, but has no owners yet: they are put in. */
    relink: z.literal(true).exactOptional(),
  })
  .strict();

const typeSchema = z
  .object({
    group: z.string(),
    /** The version it was read in. */
    version: z.string(),
    resource: z.string(),
    kind: z.string(),
    namespaced: z.boolean(),
    /** The version it is created in; `''` if the target cannot have it. */
    targetVersion: z.string(),
  })
  .strict();

const warningSchema = z.object({ kind: z.string(), message: z.string(), where: z.string().exactOptional() }).strict();

/** A restore plan as a JSON document. */
export const restorePlanSchema = z
  .object({
    format: z.literal(1),
    source: z.object({ label: z.string(), at: z.string(), revision: z.string(), clusterUid: z.string(), kubernetesVersion: z.string() }).strict(),
    target: z.object({ name: z.string(), server: z.string() }).strict(),
    options: restoreOptionsSchema,
    types: z.array(typeSchema).readonly(),
    /** In the order of the waves. */
    entries: z.array(entrySchema).readonly(),
    warnings: z.array(warningSchema).readonly(),
    /** SHA-256 over all of the above: what is applied is what was shown. */
    digest: z.string(),
  })
  .strict();

export type RestorePlan = z.output<typeof restorePlanSchema>;
export type PlanEntry = z.output<typeof entrySchema>;
export type PlanType = z.output<typeof typeSchema>;
export type PlanOwner = z.output<typeof ownerSchema>;

/** The digest of a plan's contents. Reads entry by entry, so that no text of the whole plan is made. */
export function planDigest(plan: Omit<RestorePlan, 'digest'>): string {
  const { entries, ...head } = plan;
  const hash = createHash('sha256').update(canonicalJson(head));
  for (const entry of entries) hash.update('\n').update(canonicalJson(entry));
  return hash.digest('hex');
}

/**
 * A digest of what a plan would do, the same in every process and whenever the plan comes out the same: what a person confirms who has
 * looked at it. Leaves out what is different each time it is made.
 */
export function confirmationDigest(plan: RestorePlan): string {
  const { source, target, options, types, entries } = plan;
  const hash = createHash('sha256').update(canonicalJson({ source, target, options, types }));
  for (const { digest: _digest, owners: _owners, ...entry } of entries) hash.update('\n').update(canonicalJson(entry));
  return hash.digest('hex');
}

/** How many entries there are of each action. */
export function countActions(plan: Pick<RestorePlan, 'entries'>): Record<PlanAction, number> {
  const counts = Object.fromEntries(PLAN_ACTIONS.map((action) => [action, 0])) as Record<PlanAction, number>;
  for (const entry of plan.entries) counts[entry.action] += 1;
  return counts;
}
