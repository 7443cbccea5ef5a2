import { z } from 'zod';
import { flag, int, text, texts, time } from './parts.ts';

export const auditInitDocument = z.strictObject({
  ok: z.literal(true).describe('It is made.'),
  server: text('What the trail is called in the vaults.'),
  file: text('Where the key is.'),
  publicKey: text('What checks the trail.'),
});

export const auditVerifyDocument = z.strictObject({
  ok: flag('Whole and genuine in every vault.'),
  servers: z
    .array(
      z.strictObject({
        server: text('Its name in the vaults.'),
        chains: int('Chains: one for each time that a server was started.'),
        objects: int('Objects in the vaults.'),
        records: int('Records in them.'),
        first: time('When the first object was made.').optional(),
        last: time('When the last object was made.').optional(),
      }),
    )
    .describe('Servers whose key is known.'),
  findings: z
    .array(
      z.strictObject({
        kind: z
          .enum(['forged', 'damaged', 'unreadable', 'missing', 'order', 'fork', 'unknown-server', 'absent'])
          .describe('`missing`: an object that others follow is in no vault. `order`: records or objects do not follow each other. `fork`: two objects claim one place. `absent`: this vault lacks what others have.'),
        server: text('Its name in the vaults.'),
        object: text('Its key.').optional(),
        vault: text('In this vault.').optional(),
        message: text('For people.'),
      }),
    )
    .describe('What is not as the server left it.'),
});

const record = z.strictObject({
  seq: int('Its place in its chain.'),
  previous: text('SHA-256 of the record before it.'),
  at: time('When.'),
  who: z
    .strictObject({
      kind: z.enum(['token', 'certificate', 'nobody']).describe('`nobody`: no credential was accepted.'),
      subject: text('`sub` of the token, or common name of the certificate.').optional(),
      issuer: text('Of the token or certificate.').optional(),
      fingerprint: text('SHA-256 of the certificate.').optional(),
      role: z.enum(['viewer', 'operator', 'admin']).describe('Their role.').optional(),
    })
    .describe('Who asked.'),
  from: text('The address that it came from.'),
  what: z
    .strictObject({
      method: text('Of HTTP.'),
      route: text('As `/openapi.json` has it.'),
      ids: z.record(z.string(), z.string()).describe('What it was about.'),
    })
    .describe('What was asked for.'),
  outcome: z.enum(['begun', 'done', 'failed', 'refused', 'answered']).describe('`begun`: permitted, and about to be done.'),
  status: int('Of the answer.').optional(),
  code: text('Why not.').optional(),
  digest: text('SHA-256 of the body.').optional(),
  of: int('`seq` of the record that says that it begun.').optional(),
  unrecorded: int('Refusals before it that have no record.').optional(),
});

export const auditListDocument = z.strictObject({
  ok: z.literal(true).describe('It could be read.'),
  records: z.array(record).describe('The oldest of them first.'),
});

export const remoteAcceptedDocument = z.strictObject({
  ok: z.literal(true).describe('The server has it.'),
  id: text('What it is followed by.'),
  created: flag('False: it was there already.'),
  mayNeedConfirmation: flag('It may wait for an admin to confirm its plan.'),
});

const job = {
  id: text('Of the restore.'),
  kind: z.literal('restore').describe('Always that.'),
  state: text('`done`.'),
  requestedBy: text('Who asked for it.'),
  at: time('When.'),
  steps: int('Steps it took.'),
  finishedAt: time('When it ended.').optional(),
  progress: z.unknown().describe('Where it was last.').optional(),
};

export const remoteRestoreDocument = z.strictObject({
  ok: flag('Everything is restored; of a dry run: there is no conflict.'),
  restore: z
    .strictObject({
      ...job,
      request: z.record(z.string(), z.unknown()).describe('What was asked for.'),
      confirmed: z.strictObject({ digest: text('Of the plan.'), by: text('Who did.') }).describe('Who confirmed which plan.').optional(),
      plan: z
        .strictObject({
          digest: text('What a confirmation names.'),
          source: z.record(z.string(), z.unknown()).describe('The point.'),
          target: z.record(z.string(), z.unknown()).describe('The site.'),
          actions: z.record(z.string(), z.number()).describe('Objects of each action.'),
          update: texts('Objects that would be changed.').optional(),
          conflict: texts('Objects that differ.').optional(),
          unsupported: texts('Objects that the target cannot have.').optional(),
          warnings: z.array(z.unknown()).describe('What else is to be known.').optional(),
        })
        .describe('Of a dry run.')
        .optional(),
      report: z.record(z.string(), z.unknown()).describe('What `lifeboat restore` prints, shortened.').optional(),
    })
    .describe('The restore, as the server has it.'),
});
