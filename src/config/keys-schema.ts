import { z } from 'zod';
import { failureDomainSchema } from '../core/failure-domain.ts';

/** A text that must not be empty. */
export const text = (description: string): z.ZodString => z.string().min(1, 'must not be empty').describe(description);

const writeKeySchema = z
  .strictObject({
    file: text('File that holds the write key, relative to this file.').optional(),
    env: text('Environment variable that holds the write key.').optional(),
  })
  .refine((key) => (key.file === undefined) !== (key.env === undefined), {
    error: 'needs exactly one of `file` and `env`',
    params: { hint: 'name the file the write key is kept in: `file: lifeboat-write.key`' },
  })
  .describe('The write key: adds recovery points, cannot read them. Needed by `backup`.');

/** What gives the keys of a role: what opens a key slot that holds them, or an exported key. */
const openers = (role: 'read' | 'maintain') =>
  z.strictObject({
    identityFile: text('File with one or more age identities (`AGE-SECRET-KEY-…`), relative to this file.').optional(),
    identityEnv: text('Environment variable that holds an age identity.').optional(),
    passphraseFile: text('File whose first line is the passphrase, relative to this file.').optional(),
    passphraseEnv: text('Environment variable that holds the passphrase.').optional(),
    file: text(
      `File that holds the ${role} key alone, as \`lifeboat keys export --role ${role}\` writes it, relative to this file.`,
    ).optional(),
    env: text(`Environment variable that holds the ${role} key alone.`).optional(),
  });

const SOURCES = '`identityFile`, `identityEnv`, `passphraseFile`, `passphraseEnv`, `file` and `env`';

function namesAny(key: object): boolean {
  return Object.values(key).some((value) => value !== undefined);
}

const readKeySchema = openers('read')
  .refine(namesAny, {
    error: `needs one of ${SOURCES}`,
    params: { hint: 'or leave `read` out: a machine that only makes backups needs no read key' },
  })
  .describe(
    'What opens the repository for reading. Needed by `restore`, `show`, `diff` and `keys`. Leave it out on machines that only make backups.',
  );

const maintainKeySchema = openers('maintain')
  .refine(namesAny, {
    error: `needs one of ${SOURCES}`,
    params: { hint: 'or leave `maintain` out: then `read` serves, where it opens everything' },
  })
  .describe(
    'What signs removals; it can neither read points nor add any. Needed by `keys remove`. Without it, what `read` names is used, if it opens everything.',
  );

const wayInSchema = z
  .strictObject({
    kind: z
      .enum(['age', 'passphrase', 'aws-kms', 'gcp-kms', 'azure-key-vault', 'vault-transit'])
      .describe('What opens it: something that people keep (`age`, `passphrase`), or a key service.'),
    name: text('What it is called in reports. Default: its kind.').optional(),
    domain: failureDomainSchema.optional(),
  })
  .describe(
    'One way to open the repository. What people keep is lost with nothing, unless a `domain` says where it is kept; a key service is lost with its `domain`.',
  );

/** The section `keys` of lifeboat.yaml. */
export const keysSchema = z
  .strictObject({
    write: writeKeySchema.optional(),
    read: readKeySchema.optional(),
    maintain: maintainKeySchema.optional(),
    openers: z
      .array(wayInSchema)
      .min(1, 'needs at least one way; leave it out if nothing is to be said')
      .describe('All that opens the repository, and what each depends on. Default: what `read` names, kept outside every failure domain.')
      .optional(),
  })
  .describe('Where the keys of the repository are found. Keys themselves are never written in this file.');

export type WriteKeyConfig = z.output<typeof writeKeySchema>;
/** Where the keys of the read or maintain role are found. */
export type OpenerConfig = z.output<typeof readKeySchema>;
/** One way to open the repository, and where it stands. */
export type WayInConfig = z.output<typeof wayInSchema>;
