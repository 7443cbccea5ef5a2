/** Three clouds on one machine: for each the server that its object store is emulated by, and a key service in one of them. */
import { findAzurite, startAzurite } from '../test/testbed/azure/azurite.ts';
import type { AzureServer } from '../test/testbed/azure/azurite.ts';
import { findFakeGcs, startFakeGcs } from '../test/testbed/gcs/fake-gcs-server.ts';
import type { GcsServer } from '../test/testbed/gcs/fake-gcs-server.ts';
import { findMoto, startMoto } from '../test/testbed/kms/moto.ts';
import type { Moto } from '../test/testbed/kms/moto.ts';
import { findComponents } from '../test/testbed/kubernetes/components.ts';
import { findSeaweedfs, startSeaweedfs } from '../test/testbed/s3/seaweedfs.ts';
import type { S3Server } from '../test/testbed/s3/server.ts';
import type { Cleanup } from './cleanup.ts';
import { ENVIRONMENT, REGION } from './plan.ts';
import type { DemoPlaces } from './plan.ts';

/** What stands in the clouds beside the site. */
export interface Clouds {
  readonly s3: S3Server;
  readonly gcs: GcsServer;
  readonly azure: AzureServer;
  readonly kms: Moto;
}

/** Builds or installs what this machine lacks, one after another, showing how it goes on standard error. Nothing to do the next time. */
export async function prepare(signal: AbortSignal): Promise<void> {
  const options = { signal };
  await findSeaweedfs(options);
  await findAzurite(options);
  await findMoto(options);
  await findFakeGcs(options);
  await findComponents(['etcd', 'kube-apiserver', 'kube-controller-manager'], options);
}

/** Starts the servers of all clouds at once. */
export async function startClouds(signal: AbortSignal, cleanup: Cleanup): Promise<Clouds> {
  const [s3, gcs, azure, kms] = await Promise.all([
    cleanup.stopping(startSeaweedfs({ signal })),
    cleanup.stopping(startFakeGcs('filesystem', { signal })),
    cleanup.stopping(startAzurite({ signal })),
    cleanup.stopping(startMoto({ signal })),
  ]);
  return { s3, gcs, azure, kms };
}

/** Makes a bucket in each cloud, and a key in the site's; puts the credentials where lifeboat.yaml says. */
export async function furnish({ s3, gcs, azure, kms }: Clouds): Promise<DemoPlaces> {
  const [bucket, gcsBucket, container, key] = await Promise.all([s3.createBucket({ label: 'harbour' }), gcs.createBucket(), azure.createContainer(), kms.createKey(REGION)]);
  const { env } = process;
  env[ENVIRONMENT.accessKeyId] = s3.credentials.accessKeyId;
  env[ENVIRONMENT.secretAccessKey] = s3.credentials.secretAccessKey;
  env[ENVIRONMENT.accountKey] = azure.accountKey;
  // The key service is spoken to as the AWS SDK speaks to AWS, and this one takes any credentials: yours stay where they are.
  Object.assign(env, { AWS_ACCESS_KEY_ID: 'demo', AWS_SECRET_ACCESS_KEY: 'demo' });
  for (const name of ['AWS_SESSION_TOKEN', 'AWS_PROFILE']) delete env[name];
  return {
    s3: { endpoint: s3.endpoint, bucket },
    gcs: { endpoint: gcs.url, bucket: gcsBucket },
    azure: { endpoint: azure.endpoint, account: azure.account, container },
    kms: { endpoint: kms.address, key: `aws-kms:${key}` },
  };
}
