import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAzurite } from '../testbed/azure/azurite.ts';
import { startFakeGcs } from '../testbed/gcs/fake-gcs-server.ts';
import type { S3Server } from '../testbed/s3/server.ts';
import { startSeaweedfs } from '../testbed/s3/seaweedfs.ts';
import { startVersitygw } from '../testbed/s3/versitygw.ts';
import { describeVault } from './contract.ts';
import type { Storage } from './contract.ts';
import { azureSettings } from './azure-settings.ts';
import { gcsSettings } from './gcs-settings.ts';
import { s3Settings } from './s3-settings.ts';

async function folders(): Promise<Storage> {
  const root = await mkdtemp(join(tmpdir(), 'lifeboat-vaults-'));
  return {
    create: async () => ({ type: 'directory', path: await mkdtemp(join(root, 'vault-')) }),
    stop: () => rm(root, { recursive: true }),
  };
}

async function buckets(start: () => Promise<S3Server>): Promise<Storage> {
  const server = await start();
  let n = 0;
  const bucket = await server.createBucket();
  return {
    // Many buckets are slow in some servers, so each vault has a prefix; every third has a bucket of its own.
    create: async () => {
      n += 1;
      return n % 3 === 0 ? s3Settings(server, await server.createBucket()) : s3Settings(server, bucket, { prefix: `vaults/n-${n}` });
    },
    stop: () => server.stop(),
  };
}

async function gcsBuckets(): Promise<Storage> {
  const server = await startFakeGcs('memory');
  let n = 0;
  const bucket = await server.createBucket();
  return {
    create: async () => {
      n += 1;
      return n % 3 === 0 ? gcsSettings(server, await server.createBucket()) : gcsSettings(server, bucket, { prefix: `vaults/n-${n}` });
    },
    stop: () => server.stop(),
  };
}

async function containers(): Promise<Storage> {
  const server = await startAzurite();
  let n = 0;
  const container = await server.createContainer();
  return {
    create: async () => {
      n += 1;
      return n % 3 === 0
        ? azureSettings(server, await server.createContainer())
        : azureSettings(server, container, { prefix: `vaults/n-${n}` });
    },
    stop: () => server.stop(),
  };
}

describeVault('a directory', folders);
describeVault('a Google Cloud Storage bucket of fake-gcs-server', gcsBuckets, 2200);
describeVault('an Azure container of Azurite', containers);
describeVault('an S3 bucket of SeaweedFS', () => buckets(startSeaweedfs));
describeVault('an S3 bucket of versitygw', () => buckets(startVersitygw));
