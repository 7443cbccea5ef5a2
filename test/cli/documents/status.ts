import { z } from 'zod';
import { flag, int, number, ok, text, texts, time, warnings } from './parts.ts';

const point = { id: text('Its id.'), at: time('The moment that it shows.'), ageSeconds: number('How long ago that was.') };

const objective = (description: string, seconds: string) =>
  z
    .strictObject({
      objectiveSeconds: number('What is promised: `objectives` of the plan.').optional(),
      seconds: number(seconds).optional(),
      met: flag('Whether the promise is kept; absent where nothing is promised, or that cannot be said.').optional(),
    })
    .describe(description);

export const statusDocument = z.strictObject({
  ok,
  at: time('When it was looked.'),
  plans: z
    .array(
      z.strictObject({
        plan: text('Its name.'),
        site: text('What it protects.'),
        copies: int('In how many vaults a point is safe.'),
        safe: z.strictObject({ ...point, vaults: texts('Vaults that have it.') }).describe('The newest safe point; absent when there is none.').optional(),
        vaults: z
          .array(z.strictObject({ vault: text('Its name.'), point: z.strictObject(point).describe('The newest point there.').optional() }))
          .describe('The vaults of the plan.'),
        rpo: objective('How much would be lost now.', 'Age of the newest safe point.'),
        rto: objective('How long a restore takes.', 'What the restore of the last drill took.'),
        schedules: z
          .array(
            z.strictObject({
              kind: z.enum(['backup', 'verify', 'drill']).describe('What happens.'),
              slot: time('When it was last due and should be done with.').optional(),
              next: time('When it is due next.').optional(),
              met: flag('Whether it happened then or later; absent where that cannot be said.').optional(),
            }),
          )
          .describe('What happens by itself.'),
        drill: z
          .strictObject({ at: time('When it ended.'), ok: flag('Whether it passed.'), rtoSeconds: number('How long the restore took.').optional() })
          .describe('The last drill.')
          .optional(),
        onTime: flag('No schedule was missed, the newest safe point is as new as is promised, and enough vaults could be looked at.'),
        problem: text('Why it could not be looked at.').optional(),
      }),
    )
    .describe('In the order of lifeboat.yaml.'),
  vaults: z
    .array(
      z.strictObject({
        vault: text('Its name.'),
        reachable: flag('Whether it could be read.'),
        verified: z
          .strictObject({
            last: time('When data of it were last read by a verification.').optional(),
            full: time('All that points needed then was read since.').optional(),
            findings: int('What that last verification found.').optional(),
          })
          .describe('When it was verified; empty for never.')
          .optional(),
      }),
    )
    .describe('The vaults of these plans.'),
  warnings,
});
