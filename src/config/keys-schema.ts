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

const kmsSchema = z
  .strictObject({
    key: text(
      'The key, with the service it is in: `aws-kms:ARN`, `vault-transit:https://HOST/ENGINE/KEY`, `gcp-kms:projects/…/cryptoKeys/KEY` or `azure-key-vault:https://NAME.vault.azure.net/keys/KEY`. As `lifeboat keys list` shows it.',
    ).regex(/^(?:aws-kms|vault-transit|gcp-kms|azure-key-vault):/, 'must begin with `aws-kms:`, `vault-transit:`, `gcp-kms:` or `azure-key-vault:`'),
    profile: text('AWS: a profile of ~/.aws/config or ~/.aws/credentials. Default: the usual places, in the usual order.').optional(),
    endpoint: z
      .url({ protocol: /^https?$/, error: 'use a URL that starts with https:// (or http://)' })
      .describe('AWS and Google: address of the service, for a private endpoint.')
      .optional(),
    tokenFile: text('OpenBao and Vault: file with the token, relative to this file. Default: `VAULT_TOKEN`, `BAO_TOKEN`, `~/.vault-token`.').optional(),
    tokenEnv: text('OpenBao and Vault: environment variable that holds the token.').optional(),
    namespace: text('OpenBao and Vault: the namespace. Default: `VAULT_NAMESPACE`, `BAO_NAMESPACE`.').optional(),
    domain: failureDomainSchema.optional(),
  })
  .refine((entry) => entry.tokenFile === undefined || entry.tokenEnv === undefined, {
    error: 'has both `tokenFile` and `tokenEnv`',
    params: { hint: 'keep one of the two' },
  })
  .describe('A key of a key service that may be called to open the slots it locks.');

/** What gives the keys of a role: what opens a key slot that holds them, or an exported key. */
const openers = (role: 'read' | 'maintain') =>
  z.strictObject({
    identityFile: text('File with one or more age identities (`AGE-SECRET-KEY-…`), relative to this file.').optional(),
    identityEnv: text('Environment variable that holds an age identity.').optional(),
    passphraseFile: text('File whose first line is the passphrase, relative to this file.').optional(),
    passphraseEnv: text('Environment variable that holds the passphrase.').optional(),
    kms: z
      .array(kmsSchema)
      .min(1, 'needs at least one key')
      .describe('Keys of key services that lock slots. No other key service is ever called, whatever the slots in a vault say.')
      .optional(),
    file: text(
      `File that holds the ${role} key alone, as \`lifeboat keys export --role ${role}\` writes it, relative to this file.`,
    ).optional(),
    env: text(`Environment variable that holds the ${role} key alone.`).optional(),
  });

const SOURCES = '`identityFile`, `identityEnv`, `passphraseFile`, `passphraseEnv`, `kms`, `file` and `env`';

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
    'What signs removals; it can neither read points nor add any. Needed by `retain`, `sweep` and `keys remove`. Without it, what `read` names is used, if it opens everything.',
  );

const wayInSchema = z
  .strictObject({
    kind: z
      .enum(['age', 'passphrase', 'aws-kms', 'gcp-kms', 'azure-key-vault', 'vault-transit'])
      .describe('What opens it: something that people keep (`age`, `passphrase`), or a key service.'),
    name: text('What it is called in reports. Default: its kind.').optional(),
    key: text('Of a key service: its key, as `lifeboat keys list` shows it (`aws-kms:arn:…`). What its name tells of where it stands need not be written.').optional(),
    domain: failureDomainSchema.optional(),
  })
  .refine((way) => way.key === undefined || way.key.startsWith(`${way.kind}:`), {
    error: '`key` is not a key of this `kind`',
    params: { hint: 'write it as `lifeboat keys list` shows it: the kind, a colon, and its name in the service' },
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
/** A key of a key service, and how the service is reached. */
export type KmsConfig = z.output<typeof kmsSchema>;
