import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import type { CacheOptions } from '../cache.ts';
import { pythonPackage } from '../tools.ts';
import { startKmsServer } from './server.ts';

/** moto with what its KMS needs; `moto[server]` would bring three times as much. */
const REQUIREMENT = 'moto[kms]==5.2.5 flask==3.1.2 flask-cors==6.0.1';

/** The folder of moto's Python packages, installed when it is not in the cache. */
export async function findMoto(options: CacheOptions = {}): Promise<string> {
  return await pythonPackage('moto', REQUIREMENT, options);
}

/** A running moto. It takes any credentials. */
export interface Moto extends AsyncDisposable {
  readonly address: string;
  /** A new symmetric key in a region; gives its ARN. */
  createKey(region: string, options?: { readonly multiRegion?: boolean }): Promise<string>;
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
    stop: () => folder.close(),
    [Symbol.asyncDispose]: () => folder.close(),
  };
}
