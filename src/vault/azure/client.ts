import { createAgents } from '../agents.ts';
import type { AzureVaultConfig } from '../config.ts';
import { credentialFrom } from '../environment.ts';
import { VaultError } from '../errors.ts';

/** Loads the SDK: much code, that only who opens such a vault is to load. */
const loadSdk = () => import('@azure/storage-blob');

type AzureSdk = Awaited<ReturnType<typeof loadSdk>>;
type ServiceClient = InstanceType<AzureSdk['BlobServiceClient']>;
export type ContainerClient = InstanceType<AzureSdk['ContainerClient']>;

/** A client for the configured container, and what it was told that must never be shown. */
export interface ConfiguredContainer {
  readonly container: ContainerClient;
  /** The address of the account, without credentials and without a `/` at its end. */
  readonly endpoint: string;
  /** False when it is certain that the credentials may create objects, but not send blocks, which counts as writing. */
  readonly sendsBlocks: boolean;
  /** Takes the credentials, and whatever looks like a signature, out of text from outside. */
  readonly redact: (text: string) => string;
  /** Closes its connections. */
  readonly destroy: () => void;
}

/**
 * Loads the SDK and makes a client. No request is sent. Throws `LB_VAULT_ACCESS` when an environment variable that is to hold
 * a credential is not set, or holds something else.
 */
export async function configureContainer(config: AzureVaultConfig, env: NodeJS.ProcessEnv): Promise<ConfiguredContainer> {
  const sdk = await loadSdk();
  const endpoint = (config.endpoint ?? `https://${config.account}.blob.core.windows.net`).replace(/\/$/, '');
  const agents = createAgents();
  const settings = {
    // The vault is retried as a whole, by one decorator for all drivers.
    retryOptions: { maxTries: 1 },
    agent: endpoint.startsWith('http:') ? agents.http : agents.https,
  };
  const secrets: string[] = [];
  const service = await openService(sdk, config, { env, endpoint, settings, secrets });
  return {
    container: service.getContainerClient(config.container),
    endpoint,
    // The address carries a shared access signature, if there is one, and that says what it permits.
    sendsBlocks: new URL(service.url).searchParams.get('sp')?.includes('w') ?? true,
    redact: (text) => redact(text, secrets),
    destroy: () => agents.destroy(),
  };
}

interface Opening {
  readonly env: NodeJS.ProcessEnv;
  readonly endpoint: string;
  readonly settings: object;
  readonly secrets: string[];
}

async function openService(sdk: AzureSdk, { credentials, name, account }: AzureVaultConfig, opening: Opening): Promise<ServiceClient> {
  const { env, endpoint, settings, secrets } = opening;
  const { BlobServiceClient, StorageSharedKeyCredential } = sdk;
  if (credentials === undefined) {
    const { DefaultAzureCredential } = await import('@azure/identity');
    return new BlobServiceClient(endpoint, new DefaultAzureCredential(), settings);
  }
  if ('sasEnv' in credentials) {
    const sas = credentialFrom(env, credentials.sasEnv, name).trim().replace(/^\?/, '');
    const signature = new URLSearchParams(sas).get('sig');
    if (signature === null) throw notACredential(name, credentials.sasEnv, 'a shared access signature: it has no `sig=`');
    secrets.push(sas, signature, encodeURIComponent(signature));
    return new BlobServiceClient(`${endpoint}?${sas}`, undefined, settings);
  }
  if ('accountKeyEnv' in credentials) {
    const key = credentialFrom(env, credentials.accountKeyEnv, name).trim();
    if (!/^[A-Za-z0-9+/]{40,}={0,2}$/.test(key)) throw notACredential(name, credentials.accountKeyEnv, 'the key of an account');
    secrets.push(key);
    return new BlobServiceClient(endpoint, new StorageSharedKeyCredential(account, key), settings);
  }
  const text = credentialFrom(env, credentials.connectionStringEnv, name).trim();
  secrets.push(text, ...connectionSecrets(text));
  return fromConnectionString(sdk, text, { vault: name, variable: credentials.connectionStringEnv, account, settings });
}

function fromConnectionString(
  { BlobServiceClient }: AzureSdk,
  text: string,
  { vault, variable, account, settings }: { vault: string; variable: string; account: string; settings: object },
): ServiceClient {
  let service: ServiceClient;
  try {
    service = BlobServiceClient.fromConnectionString(text, settings);
  } catch {
    throw notACredential(vault, variable, 'a connection string');
  }
  if (service.accountName === account) return service;
  throw new VaultError('LB_VAULT_ACCESS', vault, `The connection string in ${variable} is for the account ${service.accountName}`, {
    hint: `Correct it, or \`account\` of the vault, which is ${account}.`,
  });
}

/** The parts of a connection string that must not be shown: `AccountKey=…;SharedAccessSignature=…`. */
function connectionSecrets(text: string): string[] {
  const parts = text.split(';').map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)] as const);
  return parts.filter(([name, value]) => /^(AccountKey|SharedAccessSignature)$/i.test(name) && value !== '').map(([, value]) => value);
}

function notACredential(vault: string, variable: string, what: string): VaultError {
  return new VaultError('LB_VAULT_ACCESS', vault, `The environment variable ${variable} does not hold ${what}`, {
    hint: 'Copy the credential again, whole.',
  });
}

function redact(text: string, secrets: readonly string[]): string {
  let clean = text.replaceAll(/\b(sig|signature)=[^&\s"'<]+/gi, '$1=[redacted]');
  for (const secret of secrets) clean = clean.replaceAll(secret, '[redacted]');
  return clean;
}
