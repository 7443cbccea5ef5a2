import { z } from 'zod';
import { done, flag, header, int, number, selection, text, texts, time, vaultFailure, warnings } from './parts.ts';

export const backupDocument = z.strictObject({
  ok: flag('Everything that was selected was read, and the point is safe.'),
  plan: text('The plan.'),
  point: header.describe('The point.'),
  objects: int('Objects in it.'),
  seconds: number('How long it took.'),
  vaults: texts('Vaults that hold the point and all it needs.'),
  copies: int('How many must, for the point to be safe.'),
  safe: flag('Whether as many do.'),
  absent: texts('All other vaults of the plan.'),
  behind: z
    .array(z.strictObject({ vault: text('Its name.'), packs: int('Packs that it lacks of the point.'), bytes: int('Bytes of all that it lacks.') }))
    .describe('Those of them that were too slow: `lifeboat replicate` brings them level.'),
  failed: z.array(vaultFailure).describe('Those of them that failed.'),
  notExact: z
    .array(
      z.strictObject({
        type: text('`deployments.apps`.'),
        fidelity: z.enum(['inconsistent', 'missing']).describe('Read whole, but at another moment; or not read.'),
        reason: text('Why.').optional(),
      }),
    )
    .describe('Types that are not as they were at the moment of the point.'),
  warnings,
});

const copy = z.strictObject({
  vault: text('Its name.'),
  state: z.enum(['complete', 'partial', 'damaged']).describe('With all it needs; without some of its packs; itself unreadable or not genuine.'),
  missing: int('Packs that it lacks there; with `partial`.').optional(),
  problem: text('What is wrong; with `damaged`.').optional(),
  lockedUntil: time('Until when the point itself is locked there; absent when it is not.').optional(),
  shadowed: int('How many objects of it, the point and its packs, something was put over.').min(1).optional(),
});

export const pointsDocument = z.strictObject({
  ok: flag('Every point is complete in every vault that shows it, and none is disputed or shadowed.'),
  points: z
    .array(
      z.strictObject({
        id: text('Sorts by time.'),
        site: text('The site it is of.'),
        vaults: texts('Vaults that list it.'),
        copies: z.array(copy).describe('How it is in each of them. More states may come.'),
        disputed: z
          .array(z.array(z.string()))
          .min(2)
          .describe('When different points have this id: the vaults of each, the one to be believed first. `far (put over it)`: put over another there.')
          .optional(),
        safe: flag('Whether it is complete in as many vaults of a plan as that asks for; absent without a plan for the site.').optional(),
        header: header.describe('Absent when no vault has it intact.').optional(),
        problem: text('Why there is no header.').optional(),
      }),
    )
    .describe('Oldest first, without those that were removed.'),
  verified: z
    .array(
      z.strictObject({
        vault: text('Its name.'),
        last: time('When data of it were last read; absent for never.').optional(),
        full: time('All that points needed then was read since; absent for never.').optional(),
        lastRun: z
          .strictObject({ objects: int('Objects that were read.'), bytes: int('Bytes of them.'), seconds: number('How long it took, all vaults together.'), findings: int('What was found.') })
          .describe('What that last verification did in it.')
          .optional(),
        problem: text('Why it cannot be said.').optional(),
      }),
    )
    .describe('When each vault was verified.'),
  warnings,
});

export const removedPointsDocument = z.strictObject({
  ok: done,
  removed: z
    .array(
      z.strictObject({
        id: text('Sorts by time.'),
        site: text('The site it was of.'),
        removedAt: time('When it was removed.'),
        reason: text('Why, for people: `retention`.'),
        vaults: texts('Vaults that know of it.'),
        holding: texts('Vaults that hold it still, until a sweep; none when it was swept.'),
      }),
    )
    .describe('Oldest first.'),
  warnings,
});

const cutType = z.strictObject({
  group: text('Empty for the core group.'),
  version: text('The version it was read in.'),
  resource: text('`deployments`.'),
  kind: text('`Deployment`.'),
  namespaced: flag('Whether its objects are in namespaces.'),
  count: int('Objects.'),
  bytes: int('Bytes of them.'),
  fidelity: z.enum(['exact', 'inconsistent', 'missing']).describe('At the moment of the point; whole, but at another; not read.'),
  reason: text('Why, unless `exact`.').optional(),
});

export const showDocument = z.strictObject({
  ok: done,
  point: header.describe('The point.'),
  vaults: texts('Vaults that hold it.'),
  summary: z
    .strictObject({
      revision: text('The etcd revision it was read at.'),
      at: time('When that was.'),
      kubernetesVersion: text('Of the cluster.'),
      clusterUid: text('UID of its namespace kube-system; empty when it could not be read.'),
      selection: selection.describe('What was selected; empty for everything.'),
      types: z.array(cutType).describe('Every type that was selected.'),
      skipped: z.array(z.strictObject({ group: text('Its group.'), resource: text('`*` for a whole group.'), reason: text('Why.') })).describe('Types that hold no objects of their own.').optional(),
    })
    .describe('What it holds.'),
  warnings,
});

export const objectsDocument = z.strictObject({
  ok: done,
  point: text('Its id.'),
  objects: z
    .array(z.strictObject({ type: text('`deployments.apps`.'), namespace: text('Absent for cluster-scoped objects.').optional(), name: text('Its name.') }))
    .describe('Every selected object.'),
  warnings,
});

export const objectDocument = z.strictObject({
  ok: done,
  point: text('Its id.'),
  object: z.record(z.string(), z.unknown()).describe('The object as the API server sent it; of Secrets, names of data only, unless `--reveal` was said.'),
});
