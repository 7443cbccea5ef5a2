import { randomBytes } from 'node:crypto';
import { S3Client, CreateBucketCommand, DeleteObjectCommand, PutBucketPolicyCommand, PutBucketVersioningCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { startHttpServer } from '../http-server.ts';
import type { HttpServer } from '../http-server.ts';
import type { Program } from '../../../src/drill/keeper/owned-folder.ts';

/** What a client needs to sign with. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** What kind of bucket is made. */
export interface BucketOptions {
  /** Beginning of its name. */
  readonly label?: string;
  /** With object lock, which also makes it keep versions. */
  readonly lock?: boolean;
  /** It keeps versions. */
  readonly versions?: boolean;
}

/** A running S3 server on loopback. It does not outlive the process that started it. */
export interface S3Server extends HttpServer {
  /** `http://127.0.0.1:12345`: buckets stand in the path. */
  readonly endpoint: string;
  /** May do everything. */
  readonly credentials: S3Credentials;
  /** Creates a bucket with a name of its own, and gives the name. */
  createBucket(options?: BucketOptions): Promise<string>;
}

/** One rule of a bucket's policy; it holds for the users that `Principal` names. */
export interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal: { readonly AWS: readonly string[] };
  readonly Action: string | readonly string[];
  readonly Resource: string;
}

/** How a server is run. */
export interface S3Product {
  readonly product: string;
  /** Lower-case letters, digits and `-`. */
  readonly label: string;
  /** Ports it needs; the first one is where it speaks S3. */
  readonly ports: number;
  /** Writes what it needs into the folder, and says how to start it. Called again for a restart. */
  readonly program: (folder: string, ports: readonly number[], credentials: S3Credentials) => Promise<Program>;
}

/** Starts a server and gives it when objects can be stored. Throws a `TestbedError` with its log when it does not get there. */
export async function startS3Server(how: S3Product): Promise<S3Server> {
  const credentials: S3Credentials = {
    accessKeyId: `key${randomBytes(8).toString('hex')}`,
    secretAccessKey: randomBytes(20).toString('hex'),
  };
  const clients = new Map<string, S3Client>();
  const clientFor = (endpoint: string): S3Client => {
    const settings = { endpoint, credentials, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1 };
    const client = clients.get(endpoint) ?? new S3Client(settings);
    clients.set(endpoint, client);
    return client;
  };
  const server = await startHttpServer({
    ...how,
    program: (folder, ports) => how.program(folder, ports, credentials),
    tryOut: (url) => storeSomething(clientFor(url)),
  });
  const stop = async (): Promise<void> => {
    for (const client of clients.values()) client.destroy();
    await server.stop();
  };
  return {
    product: server.product,
    url: server.url,
    endpoint: server.url,
    credentials,
    createBucket: (options = {}) => createBucket(clientFor(server.url), options),
    kill: () => server.kill(),
    restart: () => server.restart(),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function createBucket(client: S3Client, { label = 'bucket', lock = false, versions = false }: BucketOptions): Promise<string> {
  const Bucket = `${label}-${randomBytes(6).toString('hex')}`;
  await client.send(new CreateBucketCommand({ Bucket, ...(lock ? { ObjectLockEnabledForBucket: true } : {}) }));
  if (versions) {
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
  }
  return Bucket;
}

async function storeSomething(client: S3Client): Promise<void> {
  const object = { Bucket: await createBucket(client, { label: 'ready' }), Key: 'ready' };
  await client.send(new PutObjectCommand({ ...object, Body: 'ready' }));
  await client.send(new DeleteObjectCommand(object));
}

/** Gives a bucket a policy, in place of the one it had. */
export async function putBucketPolicy(server: S3Server, bucket: string, Statement: readonly PolicyStatement[]): Promise<void> {
  const { endpoint, credentials } = server;
  const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
  await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
  client.destroy();
}
