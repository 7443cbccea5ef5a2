import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import type { CacheOptions } from '../cache.ts';
import { startHttpServer } from '../http-server.ts';
import type { HttpServer } from '../http-server.ts';
import { npmPackage } from '../tools.ts';

const VERSION = '3.37.0';

/** Path of Azurite's blob server, a program for Node, installed when it is not in the cache. */
export async function findAzurite(options: CacheOptions = {}): Promise<string> {
  const folder = await npmPackage('azurite', `azurite@${VERSION}`, options);
  return join(folder, 'node_modules', 'azurite', 'dist', 'src', 'blob', 'main.js');
}

/** A running Azurite with one account. */
export interface AzureServer extends HttpServer {
  /** `http://127.0.0.1:12345/account`: containers stand below it. */
  readonly endpoint: string;
  readonly account: string;
  /** Base64, as Azure gives them out. May do everything. */
  readonly accountKey: string;
  /** Creates a container with a name of its own, and gives the name. */
  createContainer(): Promise<string>;
}

/** Starts Azurite's blob server over a folder. */
export async function startAzurite(options: CacheOptions = {}): Promise<AzureServer> {
  const script = await findAzurite(options);
  const account = `account${randomBytes(4).toString('hex')}`;
  const accountKey = randomBytes(64).toString('base64');
  const credential = new StorageSharedKeyCredential(account, accountKey);
  const createContainer = async (url: string, label: string): Promise<string> => {
    const service = new BlobServiceClient(`${url}/${account}`, credential, { retryOptions: { maxTries: 1 } });
    const name = `${label}-${randomBytes(6).toString('hex')}`;
    await service.getContainerClient(name).create();
    return name;
  };
  const server = await startHttpServer({
    product: `Azurite ${VERSION}`,
    label: 'azurite',
    ports: 1,
    program: async (folder, [port]) => {
      const data = join(folder, 'data');
      await mkdir(data, { recursive: true });
      const listen = ['--blobHost', '127.0.0.1', '--blobPort', String(port)];
      // It may know of the newest protocol version later than the client does.
      const rest = ['--location', data, '--silent', '--disableTelemetry', '--skipApiVersionCheck'];
      return {
        name: 'azurite',
        command: process.execPath,
        args: [script, ...listen, ...rest],
        env: { AZURITE_ACCOUNTS: `${account}:${accountKey}` },
      };
    },
    tryOut: async (url) => {
      await createContainer(url, 'ready');
    },
  });
  return {
    product: server.product,
    url: server.url,
    endpoint: `${server.url}/${account}`,
    account,
    accountKey,
    createContainer: () => createContainer(server.url, 'container'),
    kill: () => server.kill(),
    restart: () => server.restart(),
    stop: () => server.stop(),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
