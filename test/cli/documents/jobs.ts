import { z } from 'zod';
import { flag, int, text, time } from './parts.ts';

const job = z.strictObject({
  job: z.looseObject({ id: text('Its id.'), kind: text('What it does.'), requestedBy: text('Who asked for it.'), at: time('When.') }).describe('What is to be done; more of it by kind.'),
  state: z.enum(['waiting', 'active', 'unconfirmed', 'done', 'failed', 'canceled']).describe('How it stands.'),
  steps: int('Steps taken so far.'),
  progress: z.looseObject({}).describe('Where it was last.').optional(),
  result: z.json().describe('What it came to, by kind; of a restore that waits for its confirmation, the plan.').optional(),
  failure: z.strictObject({ code: text('docs/errors.md.'), message: text('For people.'), where: text('Where.').optional(), hint: text('What to do.').optional() }).describe('Why it was given up.').optional(),
  finishedAt: time('When it ended.').optional(),
});

export const jobsDocument = z.strictObject({
  ok: z.literal(true).describe('True exactly when the exit code is 0.'),
  jobs: z.array(job).describe('Newest first.'),
});

export const jobDocument = z.strictObject({
  ok: flag('False when it is asked how a job stands that has failed.'),
  act: z.enum(['cancel', 'retry', 'drop']).describe('What was done with it.').optional(),
  job: job.describe('How it stands; not there when it is gone.').optional(),
});
