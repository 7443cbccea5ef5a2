import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import type { CacheOptions } from '../cache.ts';
import { run } from '../run.ts';
import { pythonPackage } from '../tools.ts';
import { startKmsServer } from './server.ts';

/** moto with what its KMS needs, and what a deployment by CloudFormation does; `moto[server]` would bring more. */
const SERVICES = ['kms', 'cloudformation', 'awslambda', 'events', 's3', 'iam', 'sqs', 'ssm', 'secretsmanager'];
const REQUIREMENT = `moto[${SERVICES.join(',')}]==5.2.5 flask==3.1.2 flask-cors==6.0.1`;

/** Asks with boto3, which moto brings along: AWS's own client, and none of the project's. */
const ASK = [
  'import boto3, json, sys',
  'calls = json.loads(sys.argv[1])',
  'print(json.dumps([getattr(boto3.client(service), call)(**args) for service, call, args in calls], default=str))',
].join('\n');

/** A call of AWS: the service, the method of boto3's client, and its arguments. */
export type AwsCall = readonly [service: string, method: string, args?: Readonly<Record<string, unknown>>];

/** The folder of moto's Python packages, installed when it is not in the cache. */
export async function findMoto(options: CacheOptions = {}): Promise<string> {
  return await pythonPackage('moto', REQUIREMENT, options);
}

/** A running moto. It takes any credentials. */
export interface Moto extends AsyncDisposable {
  readonly address: string;
  /** A new symmetric key in a region; gives its ARN. */
  createKey(region: string, options?: { readonly multiRegion?: boolean }): Promise<string>;
  /** What it answers to some calls, in one region. Rejects when one of them fails. */
  ask(region: string, calls: readonly AwsCall[]): Promise<readonly Record<string, unknown>[]>;
  stop(): Promise<void>;
}

/** Starts moto's server. */
export async function startMoto(options: CacheOptions = {}): Promise<Moto> {
  const packages = await findMoto(options);
  const { address, folder } = await startKmsServer(
    'moto',
    (port) => ({
      name: 'moto',
      command: 'python3',
      args: ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)],
      env: { PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' },
    }),
    async (at) => (await fetch(`${at}/moto-api/data.json`)).ok,
  );
  return {
    address,
    async createKey(region, { multiRegion = false } = {}) {
      const client = new KMSClient({ endpoint: address, region, credentials: { accessKeyId: 'any', secretAccessKey: 'any' } });
      const { KeyMetadata } = await client.send(new CreateKeyCommand({ MultiRegion: multiRegion }));
      client.destroy();
      return KeyMetadata?.Arn ?? '';
    },
    async ask(region, calls) {
      const args = JSON.stringify(calls.map(([service, method, given = {}]) => [service, method, given]));
      const env = { PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1', AWS_ENDPOINT_URL: address, AWS_DEFAULT_REGION: region, AWS_ACCESS_KEY_ID: 'any', AWS_SECRET_ACCESS_KEY: 'any' };
      return JSON.parse(await run('python3', ['-c', ASK, args], { env })) as Record<string, unknown>[];
    },
    stop: () => folder.close(),
    [Symbol.asyncDispose]: () => folder.close(),
  };
}
