import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { S3Server } from '../testbed/s3/server.ts';
import { startSeaweedfs } from '../testbed/s3/seaweedfs.ts';
import { startVersitygw } from '../testbed/s3/versitygw.ts';
import { describeVault } from './contract.ts';
import type { Storage } from './contract.ts';
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

describeVault('a directory', folders);
describeVault('an S3 bucket of SeaweedFS', () => buckets(startSeaweedfs));
describeVault('an S3 bucket of versitygw', () => buckets(startVersitygw));
