import { z } from 'zod';
import { difference, flag, int, number, selection, text, texts, time, warning, warnings } from './parts.ts';

const owner = z.strictObject({
  entry: int('Its place in `entries`, when this plan restores it.').optional(),
  uid: text('Its UID, when it is in the target already.').optional(),
  apiVersion: text('Of the owner.'),
  kind: text('Of the owner.'),
  name: text('Of the owner.'),
  controller: flag('As in the backup.'),
  blockOwnerDeletion: flag('As in the backup.'),
});

export const planDocument = z.strictObject({
  ok: flag('There is no conflict.'),
  plan: z
    .strictObject({
      format: z.literal(1).describe('Of the plan.'),
      source: z
        .strictObject({
          label: text('For people.'),
          at: time('The moment that is restored.'),
          revision: text('Its etcd revision.'),
          clusterUid: text('The cluster it is from.'),
          kubernetesVersion: text('Of that cluster.'),
        })
        .describe('What is restored.'),
      target: z.strictObject({ name: text('For people.'), server: text('Its address.') }).describe('Where to.'),
      options: z
        .strictObject({
          selection: selection.describe('Which objects.'),
          objects: texts('Single objects.'),
          renameNamespaces: z.record(z.string(), z.string()).describe('New names by old ones.'),
          existing: z.enum(['skip', 'update', 'fail']).describe('What is done about objects that are there and differ.'),
          concurrency: int('Requests under way at once.'),
          patienceMs: int('How long refused objects are tried again, ms.'),
          waitMs: int('How long workloads are waited for, ms.'),
          verify: flag('Whether the target is compared at the end.'),
        })
        .describe('How.'),
      types: z
        .array(
          z.strictObject({
            group: text('Empty for the core group.'),
            version: text('The version it was read in.'),
            resource: text('`deployments`.'),
            kind: text('`Deployment`.'),
            namespaced: flag('Whether its objects are in namespaces.'),
            targetVersion: text('The version it is created in; empty if the target cannot have it.'),
          }),
        )
        .describe('Types of the objects.'),
      entries: z
        .array(
          z.strictObject({
            type: int('Its place in `types`.'),
            namespace: text('Where it goes; empty for cluster-scoped objects.'),
            name: text('Its name.'),
            from: text('The namespace that it comes from, where that gets another name.').optional(),
            action: z.enum(['create', 'change', 'keep', 'skip', 'update', 'drop', 'conflict', 'unsupported']).describe('What will be done: docs/restore.md.'),
            rules: texts('Rules that change or drop it: docs/restore.md.').optional(),
            reason: text('Why.').optional(),
            wave: int('Waves are applied one after the other.'),
            digest: text('Of what is compared; good for this run alone.'),
            owners: z.array(owner).describe('Its owners.').optional(),
            because: z.enum(['dependency', 'made-up']).describe('Not selected, but needed; needed, and made from its name alone.').optional(),
            relink: z.literal(true).describe('It is there, and gets its owners.').optional(),
          }),
        )
        .describe('Every object, in the order of waves.'),
      warnings: z.array(warning).describe('What the plan warns of.'),
      digest: text('SHA-256 of all of it.'),
    })
    .describe('The plan.'),
  warnings,
});

const OUTCOMES = ['created', 'updated', 'unchanged', 'kept', 'dropped', 'conflict', 'failed', 'unsupported'] as const;
const reported = z.strictObject({ object: text('`Deployment shop/web`.'), outcome: z.enum(OUTCOMES).describe('What became of it.'), reason: text('Why.') }).meta({ id: 'object of a restore' });

export const restoreDocument = z.strictObject({
  ok: flag('Every object is in the target as the backup has it, and what was waited for is ready.'),
  source: text('What was restored.'),
  at: time('The moment that was restored.'),
  target: text('Where to.'),
  plan: text('Digest of the plan that was carried out.'),
  startedAt: time('When it began.'),
  finishedAt: time('When it ended.'),
  phases: z
    .array(z.strictObject({ name: z.enum(['load', 'discover', 'plan', 'apply', 'wait', 'verify']).describe('What was done.'), seconds: number('How long.') }))
    .describe('Parts of it.'),
  waves: z
    .array(z.strictObject({ wave: int('Its number: docs/restore.md.'), name: text('Its name.'), objects: int('Objects that were written, or tried to.'), seconds: number('How long.') }))
    .describe('The parts of `apply`.'),
  seconds: number('All of them together: the recovery time.'),
  objects: z.record(z.enum(OUTCOMES), z.int()).describe('Objects by outcome: docs/restore.md.'),
  types: z
    .array(z.strictObject({ type: text('`deployments.apps`.'), objects: z.partialRecord(z.enum(OUTCOMES), z.int()).describe('Objects by outcome.') }))
    .describe('The same by type.'),
  dropped: z.record(z.string(), z.int()).describe('Dropped objects by rule: docs/restore.md.'),
  failures: z.array(reported).describe('Every object that failed, conflicts or is unsupported.'),
  kept: z.array(reported).describe('Every object that is there, differs, and was left as it is.'),
  verify: z
    .strictObject({
      checked: int('Objects that were looked at again.'),
      equal: int('As in the backup.'),
      different: int('Not so.'),
      missing: int('Not there.'),
      details: z
        .array(z.strictObject({ object: text('`Deployment shop/web`.'), missing: flag('It is not there.'), differences: z.array(difference).describe('Where it differs: `a` is the backup, `b` the target.') }))
        .describe('The first 100 of them.'),
    })
    .describe('The comparison at the end.')
    .optional(),
  workloads: z
    .strictObject({ ready: int('Workloads that are ready.'), notReady: texts('The first of those that are not.'), notReadyCount: int('How many are not.') })
    .describe('With `--wait`.')
    .optional(),
  warnings: z.array(warning).describe('What was warned of.'),
});

const side = z
  .strictObject({
    label: text('For people.'),
    at: time('The moment that it shows.'),
    revision: text('Its etcd revision.'),
    setAside: z.record(z.string(), z.int()).describe('Objects that are not compared, by rule: docs/restore.md.'),
  })
  .meta({ id: 'side of a comparison' });

export const diffDocument = z.strictObject({
  ok: flag('They are equal, and everything could be compared.'),
  equal: flag('No difference was found.'),
  a: side.describe('The first state.'),
  b: side.describe('The second.'),
  same: int('Objects on both sides, and equal.'),
  added: int('Only on the second.'),
  removed: int('Only on the first.'),
  changed: int('On both, and different.'),
  derived: int('Only on the second, and made there by controllers of what both have: no difference.'),
  types: z
    .array(z.strictObject({ type: text('`deployments.apps`.'), added: int('As above.'), removed: int('As above.'), changed: int('As above.') }))
    .describe('Types with differences.'),
  objects: z
    .array(
      z.strictObject({
        type: text('`deployments.apps`.'),
        object: text('`Deployment shop/web`.'),
        change: z.enum(['added', 'removed', 'changed']).describe('What is different.'),
        differences: z.array(difference).describe('With `changed`.').optional(),
      }),
    )
    .describe('The differences.'),
  truncated: flag('Whether there are more.'),
  notCompared: z.array(z.strictObject({ type: text('`deployments.apps`.'), reason: text('Why.') })).describe('Types that a side could not read.'),
  warnings,
});
