import { z } from 'zod';

/** What several documents are made of. Every member has a description, and groups that several documents have an id: docs/json.md is made of them. */

export const text = (description: string): z.ZodString => z.string().describe(description);
export const time = (description: string): z.ZodISODateTime => z.iso.datetime().describe(description);
export const int = (description: string): z.ZodInt => z.int().describe(description);
export const number = (description: string): z.ZodNumber => z.number().describe(description);
export const flag = (description: string): z.ZodBoolean => z.boolean().describe(description);
export const texts = (description: string): z.ZodArray<z.ZodString> => z.array(z.string()).describe(description);

export const ok = flag('True exactly when the exit code is 0.');
export const done = z.literal(true).describe('Whatever did not work is an error.');
export const dryRun = flag('`--dry-run` was said: nothing was changed, and the document says what would have been.');
export const unopened = texts('Vaults that could not be opened.');

export const warning = z
  .strictObject({ kind: text('Stable name of what it is about.'), message: text('For people.'), where: text('Where it was met.').optional() })
  .meta({ id: 'warning' });
export const warnings = z.array(warning).describe('What was warned of, if anything.').optional();

/** Why something did not work in a vault. */
export const vaultFailure = z
  .strictObject({ vault: text('Its name.'), code: text('As in docs/errors.md.'), message: text('For people.') })
  .meta({ id: 'failure in a vault' });

export const objectFailure = z
  .strictObject({ object: text('Its key in the vault.'), code: text('As in docs/errors.md.'), message: text('For people.') })
  .meta({ id: 'failure with an object' });

export const header = z
  .strictObject({
    id: text('Sorts by time.'),
    site: text('The site it is of.'),
    at: time('The moment that it shows.'),
    startedAt: time('When the backup began.'),
    committedAt: time('When the point was there.'),
    previous: z.array(z.strictObject({ id: text('A point.'), sha256: text('Of the whole point object.') })).describe('The points that it follows.'),
    complete: flag('Whether everything that was selected could be read.'),
    stats: z
      .strictObject({
        recordsTotal: int('Objects.'),
        plaintextBytes: int('Bytes of them.'),
        newChunks: int('Chunks that no vault had before.'),
        newPlaintextBytes: int('Bytes of them before compression.'),
        packs: int('Packs that were written.'),
        storedBytes: int('What was added to each vault.'),
      })
      .describe('What the backup read and stored.'),
  })
  .meta({ id: 'header of a point' });

export const selection = z
  .strictObject({
    namespaces: texts('Only these.').optional(),
    excludeNamespaces: texts('Not these.').optional(),
    types: texts('Only these.').optional(),
    excludeTypes: texts('Not these.').optional(),
    labels: text('A label selector.').optional(),
    clusterScoped: flag('Whether cluster-scoped objects are meant.').optional(),
  })
  .meta({ id: 'selection' });
export const difference = z
  .strictObject({ path: text('The field.'), a: text('Its value on the first side, if any; of Secrets a digest.').optional(), b: text('Its value on the second side, if any.').optional() })
  .meta({ id: 'difference' });

export const errorDocument = z.strictObject({
  ok: z.literal(false).describe('An error has no other members of the command’s document.'),
  error: z
    .strictObject({
      code: z
        .string()
        .regex(/^LB_[A-Z_]+$/)
        .describe('Stable; docs/errors.md explains each.'),
      message: text('What failed.'),
      where: text('Where: a vault, a file, a server.').optional(),
      hint: text('What to do.').optional(),
      problems: z
        .array(
          z.strictObject({
            line: int('Line, from 1.'),
            column: int('Column, from 1.'),
            length: int('Characters that it is about.'),
            path: text('The field: `plans.prod.vaults.1`.'),
            message: text('What is wrong.'),
            hint: text('What was probably meant.').optional(),
          }),
        )
        .describe('The mistakes in lifeboat.yaml.')
        .optional(),
    })
    .describe('What ended the command.'),
  warnings,
});
