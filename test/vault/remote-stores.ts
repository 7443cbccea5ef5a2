import { ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { openAzureVault } from '../../src/vault/azure.ts';
import type { RetryPolicy } from '../../src/vault/backoff.ts';
import { openGcsVault } from '../../src/vault/gcs.ts';
import type { RemoteLimits } from '../../src/vault/remote.ts';
import { openS3Vault } from '../../src/vault/s3.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { startAzurite } from '../testbed/azure/azurite.ts';
import type { SeenRequest } from '../testbed/fault-proxy.ts';
import { startFakeGcs } from '../testbed/gcs/fake-gcs-server.ts';
import { startSeaweedfs } from '../testbed/s3/seaweedfs.ts';
import type { S3Server } from '../testbed/s3/server.ts';
import { startVersitygw } from '../testbed/s3/versitygw.ts';
import { azureSettings } from './azure-settings.ts';
import { gcsSettings } from './gcs-settings.ts';
import { s3Settings } from './s3-settings.ts';

/** How a vault is opened in a test. */
export interface Opening {
  /** Where: the server itself, or a proxy before it. */
  readonly endpoint: string;
  readonly prefix: string;
  readonly limits: Partial<RemoteLimits>;
  readonly partRetry: RetryPolicy;
}

/** A running store with one bucket or container. */
export interface RunningStore {
  readonly url: string;
  /** A vault without retries of whole calls. */
  open(opening: Opening): Promise<Vault>;
  /** What is left of large uploads that were given up; undefined where it cannot be asked. */
  leftovers(prefix: string): Promise<readonly unknown[] | undefined>;
  stop(): Promise<void>;
}

type Is = (request: SeenRequest) => boolean;

/** A kind of store, and how its requests are told apart. */
export interface StoreKind {
  readonly name: string;
  readonly start: () => Promise<RunningStore>;
  /** Stores a small object. */
  readonly isPut: Is;
  /** Reads the bytes of one. */
  readonly isRead: Is;
  /** A page of a listing. */
  readonly isList: Is;
  /** Stores a part of a large object. */
  readonly isPart: Is;
  /** Makes the object appear. */
  readonly isCompletion: Is;
  /** Requests like it that come before, for an object in three parts. */
  readonly beforeCompletion: number;
  /** Gives a large upload up; undefined where there is no such request. */
  readonly isAbort: Is | undefined;
  /** Whether what is read is compared with a checksum of the store's. */
  readonly checksReads: boolean;
  /** Why an upload cannot be gone on with, where the server does not do what the real store does. */
  readonly cannotResume?: string;
}

const isMethod = (wanted: string, ...parts: string[]): Is => ({ method, url }) => method === wanted && parts.every((part) => url.includes(part));

const S3 = {
  isPut: isMethod('PUT'),
  isRead: isMethod('GET'),
  isList: isMethod('GET'),
  isPart: isMethod('PUT', 'partNumber='),
  isCompletion: isMethod('POST', 'uploadId='),
  beforeCompletion: 0,
  isAbort: isMethod('DELETE', 'uploadId='),
  checksReads: false,
};

async function s3Store(start: () => Promise<S3Server>): Promise<RunningStore> {
  const server = await start();
  const bucket = await server.createBucket();
  return {
    url: server.url,
    open: ({ endpoint, prefix, limits, partRetry }) => {
      const settings = s3Settings({ endpoint, credentials: server.credentials }, bucket, { prefix });
      return openS3Vault({ ...settings, name: 'remote' }, { limits, partRetry });
    },
    leftovers: async (Prefix) => {
      const { endpoint, credentials } = server;
      const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix }));
      client.destroy();
      return Uploads;
    },
    stop: () => server.stop(),
  };
}

async function gcsStore(): Promise<RunningStore> {
  const server = await startFakeGcs('memory');
  const bucket = await server.createBucket();
  return {
    url: server.url,
    open: ({ endpoint, prefix, limits, partRetry }) =>
      openGcsVault({ ...gcsSettings({ url: endpoint }, bucket, { prefix }), name: 'remote' }, { limits, partRetry }),
    leftovers: async () => undefined,
    stop: () => server.stop(),
  };
}

async function azureStore(): Promise<RunningStore> {
  const server = await startAzurite();
  const container = await server.createContainer();
  return {
    url: server.url,
    open: ({ endpoint, prefix, limits, partRetry }) => {
      const account = { ...server, endpoint: `${endpoint}/${server.account}` };
      return openAzureVault({ ...azureSettings(account, container, { prefix }), name: 'remote' }, { limits, partRetry });
    },
    // Azure removes blocks that belong to nothing by itself.
    leftovers: async () => undefined,
    stop: () => server.stop(),
  };
}

export const STORES: readonly StoreKind[] = [
  { name: 'SeaweedFS', start: () => s3Store(startSeaweedfs), ...S3 },
  { name: 'versitygw', start: () => s3Store(startVersitygw), ...S3 },
  {
    name: 'fake-gcs-server',
    start: gcsStore,
    isPut: isMethod('POST', 'uploadType=multipart'),
    isRead: isMethod('GET', 'alt=media'),
    isList: isMethod('GET', 'maxResults='),
    isPart: isMethod('PUT', 'upload_id='),
    // The last part is what completes it.
    isCompletion: isMethod('PUT', 'upload_id='),
    beforeCompletion: 2,
    isAbort: isMethod('DELETE', 'upload_id='),
    checksReads: true,
    cannotResume:
      'fake-gcs-server ends an upload when it is asked how far it has got; test/vault/gcs-resumable.test.ts shows this with a double of the protocol',
  },
  {
    name: 'Azurite',
    start: azureStore,
    isPut: isMethod('PUT'),
    isRead: isMethod('GET'),
    isList: isMethod('GET', 'comp=list'),
    isPart: isMethod('PUT', 'comp=block&'),
    isCompletion: isMethod('PUT', 'comp=blocklist'),
    beforeCompletion: 0,
    isAbort: undefined,
    checksReads: true,
  },
];
