import { z } from 'zod';

const text = (description: string) => z.string().describe(description);

/** What webhooks are posted: strict, so that nothing is renamed or appears unnoticed. docs/monitoring.md is made of it. */
export const messageBody = z.strictObject({
  version: z.literal(1).describe('Of this layout.'),
  event: z.enum(['failure', 'objective-missed', 'schedule-missed', 'drill', 'backup', 'restore']).describe('What it is about: as in `on`.'),
  id: text('The same for the same news: whoever got it before can leave it.'),
  ok: z.boolean().describe('False for what is wrong.'),
  text: z.string().startsWith('lifeboat: ').describe('For people, one line.'),
  at: z.iso.datetime().describe('When it was sent.'),
  plan: text('The plan.').optional(),
  site: text('What the plan protects; of a restore, the target.').optional(),
  job: z.strictObject({ id: text('Its id.'), kind: text('`backup`, `restore` …'), requestedBy: text('`schedule`, `event`, or who asked for it.') }).describe('The job it is of.').optional(),
  failure: z
    .strictObject({ code: text('docs/errors.md has each.'), message: text('What failed.'), where: text('Where.').optional(), hint: text('What to do.').optional() })
    .describe('With `failure`: why.')
    .optional(),
  details: z.record(z.string(), z.unknown()).describe('More, by event: see below.').optional(),
});
export type MessageBody = z.output<typeof messageBody>;
