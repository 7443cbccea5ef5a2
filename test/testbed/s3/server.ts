import { randomBytes } from 'node:crypto';
import { S3Client, CreateBucketCommand, DeleteObjectCommand, PutBucketVersioningCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { TestbedError } from '../errors.ts';
import { openOwnedFolder } from '../keeper/owned-folder.ts';
import type { OwnedFolder, OwnedProcess, Program } from '../keeper/owned-folder.ts';
import { freePorts } from '../ports.ts';

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
export interface S3Server extends AsyncDisposable {
  /** `SeaweedFS 4.48`. */
  readonly product: string;
  /** `http://127.0.0.1:12345`: buckets stand in the path. */
  readonly endpoint: string;
  /** May do everything. */
  readonly credentials: S3Credentials;
  /** Creates a bucket with a name of its own, and gives the name. */
  createBucket(options?: BucketOptions): Promise<string>;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, on the same address with the same data, and waits until it is ready. */
  restart(): Promise<void>;
  /** Ends it and removes all it stored. */
  stop(): Promise<void>;
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

const ATTEMPTS = 5;
const READY_MS = 60_000;
const PAUSE_MS = 100;

/** Starts a server and gives it when objects can be stored. Throws a `TestbedError` with its log when it does not get there. */
export async function startS3Server(product: S3Product): Promise<S3Server> {
  for (let attempt = 1; ; attempt += 1) {
    const folder = await openOwnedFolder(product.label);
    const server = new RunningServer(product, folder, await freePorts(product.ports));
    try {
      await server.restart();
      return server;
    } catch (error) {
      await server.stop();
      if (!/address already in use/.test(String(error)) || attempt === ATTEMPTS) throw error;
    }
  }
}

class RunningServer implements S3Server {
  readonly product: string;
  readonly endpoint: string;
  readonly credentials: S3Credentials = {
    accessKeyId: `key${randomBytes(8).toString('hex')}`,
    secretAccessKey: randomBytes(20).toString('hex'),
  };
  readonly #how: S3Product;
  readonly #folder: OwnedFolder;
  readonly #ports: readonly number[];
  readonly #client: S3Client;
  #process: OwnedProcess | undefined;

  constructor(how: S3Product, folder: OwnedFolder, ports: readonly number[]) {
    this.product = how.product;
    this.endpoint = `http://127.0.0.1:${ports[0] ?? 0}`;
    this.#how = how;
    this.#folder = folder;
    this.#ports = ports;
    this.#client = new S3Client({
      endpoint: this.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: this.credentials,
      maxAttempts: 1,
    });
  }

  async createBucket({ label = 'bucket', lock = false, versions = false }: BucketOptions = {}): Promise<string> {
    const Bucket = `${label}-${randomBytes(6).toString('hex')}`;
    await this.#client.send(new CreateBucketCommand({ Bucket, ...(lock ? { ObjectLockEnabledForBucket: true } : {}) }));
    if (versions) {
      const VersioningConfiguration = { Status: 'Enabled' } as const;
      await this.#client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    }
    return Bucket;
  }

  async kill(): Promise<void> {
    await this.#process?.kill('SIGKILL');
  }

  async restart(): Promise<void> {
    const program = await this.#how.program(this.#folder.path, this.#ports, this.credentials);
    this.#process = await this.#folder.start(program);
    await this.#ready(this.#process);
  }

  async stop(): Promise<void> {
    this.#client.destroy();
    await this.#folder.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** A server may answer long before it can store anything, so that is what is tried. */
  async #ready(process: OwnedProcess): Promise<void> {
    const deadline = Date.now() + READY_MS;
    let bucket: string | undefined;
    for (;;) {
      try {
        bucket ??= await this.createBucket({ label: 'ready' });
        const object = { Bucket: bucket, Key: 'ready' };
        await this.#client.send(new PutObjectCommand({ ...object, Body: 'ready' }));
        await this.#client.send(new DeleteObjectCommand(object));
        return;
      } catch (error) {
        if (process.end === undefined && Date.now() < deadline) {
          await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
          continue;
        }
        const log = await process.logTail();
        throw new TestbedError(`${this.product} did not get ready:\n${log}`, { cause: error });
      }
    }
  }
}
