import { z } from 'zod';
import { dryRun, flag, int, number, objectFailure, ok, text, texts, time, unopened, vaultFailure, warnings } from './parts.ts';

const REASONS = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly', 'within', 'newest', 'ahead', 'everything'] as const;

const amounts = { points: int('Points.'), packs: int('Packs.'), bytes: int('Bytes.') };

export const replicateDocument = z.strictObject({
  ok,
  dryRun,
  unopened,
  runs: z
    .array(
      z.strictObject({
        plans: texts('The plans; none when only addresses were given.'),
        repository: text('Its id.'),
        vaults: z
          .array(
            z.strictObject({
              name: text('The vault.'),
              state: z.enum(['level', 'behind', 'failed']).describe('`behind`: something is to be had nowhere.'),
              lacked: z.strictObject(amounts).describe('What it lacked.'),
              copied: z.strictObject({ ...amounts, objects: int('Objects of any kind.') }).describe('What was copied to it.'),
              failure: z.strictObject({ code: text('As in docs/errors.md.'), message: text('For people.') }).describe('With `failed`.').optional(),
            }),
          )
          .describe('Vaults that were to be brought level.'),
        problems: z
          .array(
            z.strictObject({
              vault: text('Where it was met.'),
              object: text('Its key in the vault.'),
              kind: z.enum(['missing', 'damaged', 'forged', 'unreadable']).describe('What is wrong with it.'),
              message: text('For people.'),
            }),
          )
          .describe('What was met on the way and not copied; 1,000 at most.'),
        moreProblems: int('How many more there were.'),
      }),
    )
    .describe('One for each set of plans that share their vaults.'),
  warnings,
});

export const verifyDocument = z.strictObject({
  ok: flag('Nothing was found, or all of it was healed.'),
  vaults: z
    .array(
      z.strictObject({
        name: text('The vault.'),
        objects: int('Objects in it.'),
        bytesRead: int('Bytes that were read of it.'),
        points: int('Points in it.'),
        intactPoints: int('Those that nothing was found wrong with.'),
        lastVerified: time('When its data were last read with the read key.').optional(),
        fullyVerified: time('All that points needed then was read, and was intact, since.').optional(),
      }),
    )
    .describe('Vaults that were looked at.'),
  findings: z
    .array(
      z.strictObject({
        vault: text('Its name.'),
        object: text('Its key in the vault; empty for the whole vault.'),
        kind: z
          .enum(['missing', 'damaged', 'forged', 'truncated', 'unreadable', 'chain', 'disputed', 'shadowed'])
          .describe('`chain`: a point is gone, or not the one that another follows; `disputed`: different points have its id; `shadowed`: something was put over it.'),
        message: text('For people.'),
        points: texts('Points that cannot be restored from this vault because of it.'),
      }),
    )
    .describe('What was found, as it was before healing.'),
  unreferenced: int('Objects that no point needs, left by backups that were interrupted: harmless.'),
  depth: z.enum(['structure', 'data', 'data-opened']).describe('Names, sizes and signatures; every byte; every byte, opened with the read key.'),
  data: z
    .strictObject({
      objects: int('Objects that were read.'),
      totalObjects: int('Objects there are to read.'),
      bytes: int('Bytes of those that were read.'),
      totalBytes: int('Bytes of all of them.'),
    })
    .describe('Where data were read.')
    .optional(),
  repairs: z
    .array(
      z.strictObject({
        vault: text('The vault that has, or had, something wrong.'),
        object: text('Its key there.'),
        outcome: z.enum(['healed', 'possible', 'lost', 'kept', 'waiting', 'failed']).describe('What became of it: docs/cli.md, "Verifying".'),
        from: text('The vault that it came from.').optional(),
        message: text('For people.').optional(),
        points: texts('Points that cannot be restored from this vault without it.'),
      }),
    )
    .describe('With `--heal`.')
    .optional(),
  seconds: number('How long it took.'),
  unopened,
  warnings,
});

export const retainDocument = z.strictObject({
  ok,
  dryRun,
  points: z
    .array(
      z.strictObject({
        site: text('The site it is of.'),
        id: text('Sorts by time.'),
        committedAt: time('When it was there; absent when no vault has it intact.').optional(),
        complete: flag('Whether everything that was selected could be read.').optional(),
        vaults: texts('Vaults that have it.'),
        fate: z
          .enum(['kept', 'goes', 'removed', 'locked', 'unreadable', 'failed'])
          .describe('`goes`: it would be removed, were this not a dry run. `locked`: no rule keeps it, and a lock does. `unreadable`: no vault has it intact, so it stays.'),
        reasons: z
          .array(z.enum(REASONS))
          .describe('Rules that keep it. `newest`: the newest complete, or safe, point always stays. `ahead`: it is from the future. `everything`: a plan of its site has no `retention`.'),
        removal: z
          .strictObject({
            site: text('As above.'),
            id: text('As above.'),
            vaults: texts('Vaults that know that it was removed.'),
            failed: z.array(vaultFailure).describe('Vaults that do not yet; the next run tries again.'),
            lockedUntil: time('With `locked`: until then.').optional(),
          })
          .describe('What was done to remove it.')
          .optional(),
        problem: text('With `unreadable` and `failed`.').optional(),
      }),
    )
    .describe('Every point of the sites concerned, oldest first.'),
  locks: z
    .array(
      z.strictObject({
        vault: text('Its name.'),
        objects: int('Objects that kept points need there.'),
        extended: int('Those whose lock was made longer.'),
        failed: z.array(objectFailure).describe('Those whose lock could not be.'),
      }),
    )
    .describe('Where a plan locks.'),
  unopened,
  warnings,
});

export const sweepDocument = z.strictObject({
  ok,
  dryRun,
  marked: int('Objects that were found to be needed by nothing, and were marked now.'),
  waiting: int('Marked objects, those included, that a later sweep deletes.'),
  next: time('When the first of them may be deleted.').optional(),
  vaults: z
    .array(
      z.strictObject({
        vault: text('Its name.'),
        deleted: int('Objects that were deleted, or would be.'),
        bytes: int('Bytes of the packs and index objects among them.'),
        locked: int('Objects that a lock holds.'),
        failed: z.array(objectFailure).describe('Objects that could not be deleted.'),
      }),
    )
    .describe('Every vault.'),
  warnings,
});
