import { z } from 'zod';
import { failureDomainSchema } from '../core/failure-domain.ts';

/** What every kind of vault has beside its own settings. */
const everyVault = { domain: failureDomainSchema.optional() };

const directory = z
  .strictObject({
    type: z.literal('directory').describe('A folder, on a local disk or a mounted one.'),
    path: z
      .string()
      .min(1)
      .describe('The folder. It must exist; `lifeboat init` creates it. Relative paths start at the folder of lifeboat.yaml.'),
    ...everyVault,
  })
  .describe('A vault in a folder.');

const envName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'this is not the name of an environment variable');

const s3Credentials = z
  .union([
    z
      .strictObject({
        accessKeyIdEnv: envName.describe('Name of the environment variable that holds the access key id.'),
        secretAccessKeyEnv: envName.describe('Name of the environment variable that holds the secret access key.'),
        sessionTokenEnv: envName
          .optional()
          .describe('Name of the environment variable that holds the session token, for temporary credentials.'),
      })
      .describe('Credentials from environment variables of your choice. The file names them and never holds them.'),
    z
      .strictObject({
        profile: z.string().min(1).describe('A profile of ~/.aws/config or ~/.aws/credentials.'),
      })
      .describe('Credentials from a named profile of the AWS configuration files.'),
  ])
  .describe(
    'Where the credentials come from. Without this, the usual places are tried in the usual order: AWS_* environment ' +
      'variables, the AWS configuration files, web identity (IRSA), the container or instance role.',
  );

/** Object lock, called and done differently in every cloud. */
const lock = {
  lock: z
    .boolean()
    .optional()
    .describe(
      'Objects are locked when they are stored, as long as the plan says: nobody can delete or change them before. The ' +
        'bucket must have been made for it. Default: false.',
    ),
  lockMode: z
    .enum(['compliance', 'governance'])
    .optional()
    .describe(
      '`compliance`: nobody can end a lock, not even the owner of the account. `governance`: whoever has a special right can. ' +
        'Default: `compliance`.',
    ),
};

const s3 = z
  .strictObject({
    type: z.literal('s3').describe('A bucket of Amazon S3 or of a store that speaks its protocol.'),
    bucket: z.string().min(3).max(255).describe('The bucket. It must exist.'),
    prefix: z
      .string()
      .regex(
        /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/,
        'use segments of letters, digits and "._-" joined by "/"',
      )
      .max(256)
      .optional()
      .describe(
        'Put everything below this prefix of the bucket, so that several vaults can share one. No "/" at either end.',
      ),
    region: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Region of the bucket. By default that of the AWS configuration (AWS_REGION, the profile), and `us-east-1` ' +
          'for an endpoint of your own.',
      ),
    endpoint: z
      .url({ protocol: /^https?$/, error: 'use a URL that starts with https:// (or http://)' })
      .optional()
      .describe('Address of a store other than Amazon S3, such as `https://s3.example.net`.'),
    pathStyle: z
      .boolean()
      .optional()
      .describe('Put the bucket in the path of the URL instead of the host name. Default: true with `endpoint`, false without.'),
    credentials: s3Credentials.optional(),
    ...lock,
    ...everyVault,
  })
  .describe('A vault in an S3 bucket.');

/** One vault of `lifeboat.yaml`, where it stands under its name. Unknown fields are mistakes. */
export const vaultConfigSchema = z.discriminatedUnion('type', [directory, s3]);

/** A vault as it stands in the file, checked. */
export type VaultSettings = z.infer<typeof vaultConfigSchema>;
/** A vault and what it is called. */
export type VaultConfig = VaultSettings & { readonly name: string };
export type S3VaultConfig = Extract<VaultConfig, { type: 's3' }>;
