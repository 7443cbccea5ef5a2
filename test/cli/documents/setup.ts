import { z } from 'zod';
import { done, flag, ok, text, texts, warnings } from './parts.ts';

export const initDocument = z.strictObject({
  ok: done,
  config: text('The lifeboat.yaml that was written or was there.'),
  files: z.array(z.strictObject({ path: text('Absolute.'), kind: z.enum(['config', 'write-key', 'identity']).describe('What it is.') })).describe('Files that were written.'),
  vaults: z
    .array(z.strictObject({ name: text('As in lifeboat.yaml.'), location: text('Where it is.'), created: flag('False if it held the repository before.') }))
    .describe('Vaults that hold the repository now.'),
  repository: text('Its id; absent when there is no vault yet.').optional(),
  recipients: texts('age recipients of the identities that open it, made now or before.'),
  warnings,
});

export const doctorDocument = z.strictObject({
  ok,
  findings: z
    .array(
      z.strictObject({
        subject: text('What was looked at: `vault "far"`.'),
        check: text('Stable name of the check.'),
        status: z.enum(['ok', 'warn', 'fail']).describe('`fail`: a backup or a restore would not work.'),
        message: text('What was found.'),
        fix: text('What to do about it.').optional(),
      }),
    )
    .describe('Every check that was made.'),
  warnings,
});
