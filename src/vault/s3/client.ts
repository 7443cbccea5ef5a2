import { LifeboatError } from '../../core/errors.ts';
import { createAgents } from '../agents.ts';
import type { S3VaultConfig } from '../config.ts';
import { credentialFrom } from '../environment.ts';

/** Loads the SDK: much code, that only who opens such a vault is to load. */
const loadSdk = () => import('@aws-sdk/client-s3');

/** The SDK, once it is loaded. */
export type S3Sdk = Awaited<ReturnType<typeof loadSdk>>;
type S3Client = InstanceType<S3Sdk['S3Client']>;
type S3ClientConfig = NonNullable<ConstructorParameters<S3Sdk['S3Client']>[0]>;

const CONNECT_MS = 10_000;
/** Where stores other than Amazon S3 mostly claim to be. */
const ANY_REGION = 'us-east-1';

/** A client for the configured bucket, and what it was told that must never be shown. */
export interface ConfiguredClient {
  readonly sdk: S3Sdk;
  readonly client: S3Client;
  /** Takes the credentials in use, and whatever looks like an AWS key id, out of text from outside. */
  readonly redact: (text: string) => string;
  /** Learns the credentials in use, so that `redact` knows them. Never fails. */
  readonly learnSecrets: () => Promise<void>;
}

/**
 * Loads the SDK and makes a client. No request is sent. Throws `LB_VAULT_ACCESS` when an environment variable that
 * is to hold a credential is not set, `LB_CONFIG_INVALID` when no region is known.
 */
export async function configureClient(config: S3VaultConfig, env: NodeJS.ProcessEnv): Promise<ConfiguredClient> {
  const sdk = await loadSdk();
  const secrets = new Set<string>();
  const { endpoint } = config;
  const region = config.region ?? (endpoint === undefined ? undefined : (env['AWS_REGION'] ?? ANY_REGION));
  const agents = createAgents();
  const settings: S3ClientConfig = {
    forcePathStyle: config.pathStyle ?? endpoint !== undefined,
    // The vault is retried as a whole, by one decorator for all drivers.
    maxAttempts: 1,
    // The SDK's own checksums are refused by some stores. Uploads carry a Content-MD5 and, in their signature, a SHA-256;
    // what is read is checked by the repository.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      httpAgent: agents.http,
      httpsAgent: agents.https,
    },
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...credentialSettings(config, env),
  };
  const client = new sdk.S3Client(settings);
  await checkRegion(config.name, client);
  return {
    sdk,
    client,
    redact: (text) => redact(text, secrets),
    learnSecrets: async () => {
      try {
        const { accessKeyId, secretAccessKey, sessionToken } = await client.config.credentials();
        for (const secret of [accessKeyId, secretAccessKey, sessionToken ?? '']) if (secret !== '') secrets.add(secret);
      } catch {
        // Without credentials there is nothing to hide.
      }
    },
  };
}

function credentialSettings(config: S3VaultConfig, env: NodeJS.ProcessEnv): Pick<S3ClientConfig, 'credentials' | 'profile'> {
  const { credentials, name } = config;
  if (credentials === undefined) return {};
  if ('profile' in credentials) return { profile: credentials.profile };
  const value = (variable: string): string => credentialFrom(env, variable, name);
  const { accessKeyIdEnv, secretAccessKeyEnv, sessionTokenEnv } = credentials;
  return {
    credentials: {
      accessKeyId: value(accessKeyIdEnv),
      secretAccessKey: value(secretAccessKeyEnv),
      ...(sessionTokenEnv === undefined ? {} : { sessionToken: value(sessionTokenEnv) }),
    },
  };
}

async function checkRegion(vault: string, client: S3Client): Promise<void> {
  try {
    await client.config.region();
  } catch (error) {
    client.destroy();
    throw new LifeboatError('LB_CONFIG_INVALID', 'The region of the bucket is not known', {
      where: `vault "${vault}"`,
      hint: 'Set `region` of the vault in lifeboat.yaml, or AWS_REGION.',
      cause: error,
    });
  }
}

function redact(text: string, secrets: ReadonlySet<string>): string {
  let clean = text.replaceAll(/\b(AKIA|ASIA)[A-Z0-9]{12,}\b/g, '[redacted]');
  for (const secret of secrets) clean = clean.replaceAll(secret, '[redacted]');
  return clean;
}
