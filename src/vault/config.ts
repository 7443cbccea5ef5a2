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

const prefix = z
  .string()
  .regex(
    /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/,
    'use segments of letters, digits and "._-" joined by "/"',
  )
  .max(256)
  .optional()
  .describe('Put everything below this prefix, so that several vaults can share one bucket or container. No "/" at either end.');

const endpoint = (description: string) =>
  z
    .url({ protocol: /^https?$/, error: 'use a URL that starts with https:// (or http://)' })
    .refine((value) => isPlain(value), 'use a URL without user name, `?` and `#`: credentials do not belong here')
    .optional()
    .describe(description);

function isPlain(address: string): boolean {
  const url = URL.parse(address);
  return url === null || url.username + url.password + url.search + url.hash === '';
}

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

const s3 = z
  .strictObject({
    type: z.literal('s3').describe('A bucket of Amazon S3 or of a store that speaks its protocol.'),
    bucket: z.string().min(3).max(255).describe('The bucket. It must exist.'),
    prefix,
    region: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Region of the bucket. By default that of the AWS configuration (AWS_REGION, the profile), and `us-east-1` ' +
          'for an endpoint of your own.',
      ),
    endpoint: endpoint('Address of a store other than Amazon S3, such as `https://s3.example.net`.'),
    pathStyle: z
      .boolean()
      .optional()
      .describe('Put the bucket in the path of the URL instead of the host name. Default: true with `endpoint`, false without.'),
    credentials: s3Credentials.optional(),
    ...lock,
    ...everyVault,
  })
  .describe('A vault in an S3 bucket.');

const gcsCredentials = z
  .union([
    z
      .strictObject({
        keyFile: z
          .string()
          .min(1)
          .describe('File with the key of a service account, or the configuration of workload identity federation, relative to this file.'),
      })
      .describe('Credentials from a JSON file as Google Cloud gives them out.'),
    z
      .strictObject({
        keyEnv: envName.describe('Name of the environment variable that holds what would be in the file: JSON.'),
      })
      .describe('Credentials from an environment variable of your choice.'),
  ])
  .describe(
    'Where the credentials come from. Without this, Application Default Credentials: GOOGLE_APPLICATION_CREDENTIALS, those of ' +
      '`gcloud auth application-default login`, workload identity, the service account of the machine. With an `endpoint` that is ' +
      'not below googleapis.com, none: tokens are sent to Google alone unless credentials are named.',
  );

const gcs = z
  .strictObject({
    type: z.literal('gcs').describe('A bucket of Google Cloud Storage.'),
    bucket: z.string().min(3).max(222).describe('The bucket. It must exist.'),
    prefix,
    endpoint: endpoint('Another address of the JSON API, such as `https://storage-backup.p.googleapis.com`.'),
    credentials: gcsCredentials.optional(),
    ...lock,
    ...everyVault,
  })
  .describe('A vault in a Google Cloud Storage bucket.');

const azureCredentials = z
  .union([
    z
      .strictObject({
        sasEnv: envName.describe('Name of the environment variable that holds a shared access signature (`sv=…&sig=…`).'),
      })
      .describe('A shared access signature for the container: can be limited to creating, reading and listing.'),
    z
      .strictObject({
        accountKeyEnv: envName.describe('Name of the environment variable that holds a key of the account.'),
      })
      .describe('A key of the account. It may do everything; anything else is better.'),
    z
      .strictObject({
        connectionStringEnv: envName.describe('Name of the environment variable that holds a connection string.'),
      })
      .describe('A connection string, with an account key or a shared access signature in it.'),
  ])
  .describe(
    'Where the credentials come from. Without this, the usual places are tried in the usual order: AZURE_* environment variables, ' +
      'workload identity, managed identity, the Azure command line.',
  );

const azure = z
  .strictObject({
    type: z.literal('azure').describe('A container of Azure Blob Storage.'),
    account: z
      .string()
      .regex(/^[a-z0-9]{3,24}$/, 'the name of a storage account is 3 to 24 lower-case letters and digits')
      .describe('The storage account.'),
    container: z
      .string()
      .regex(/^[a-z0-9](-?[a-z0-9]){2,62}$/, 'the name of a container is 3 to 63 lower-case letters, digits and single "-"')
      .describe('The container. It must exist.'),
    prefix,
    endpoint: endpoint(
      'Address of the account where it is not `https://ACCOUNT.blob.core.windows.net`, such as `https://ACCOUNT.blob.core.chinacloudapi.cn`.',
    ),
    credentials: azureCredentials.optional(),
    ...lock,
    ...everyVault,
  })
  .describe('A vault in an Azure Blob Storage container.');

/** One vault of `lifeboat.yaml`, where it stands under its name. Unknown fields are mistakes. */
export const vaultConfigSchema = z.discriminatedUnion('type', [directory, s3, gcs, azure]);

/** A vault as it stands in the file, checked. */
export type VaultSettings = z.infer<typeof vaultConfigSchema>;
/** A vault and what it is called. */
export type VaultConfig = VaultSettings & { readonly name: string };
export type S3VaultConfig = Extract<VaultConfig, { type: 's3' }>;
export type GcsVaultConfig = Extract<VaultConfig, { type: 'gcs' }>;
export type AzureVaultConfig = Extract<VaultConfig, { type: 'azure' }>;
