import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CacheOptions } from '../cache.ts';
import { startHttpServer } from '../http-server.ts';
import type { HttpServer } from '../http-server.ts';
import { goTool } from '../tools.ts';

const VERSION = 'v1.56.1';

/** Path of fake-gcs-server's binary, built when it is not in the cache. */
export async function findFakeGcs(options: CacheOptions = {}): Promise<string> {
  return await goTool('fake-gcs-server', `github.com/fsouza/fake-gcs-server@${VERSION}`, options);
}

/** A running fake-gcs-server. It asks nobody for credentials. */
export interface GcsServer extends HttpServer {
  /** Creates a bucket with a name of its own, and gives the name. */
  createBucket(options?: { readonly versions?: boolean }): Promise<string>;
}

/** `memory`, unlike a folder, keeps versions. */
export type GcsBackend = 'filesystem' | 'memory';

/** Starts fake-gcs-server, over a folder if nothing else is said. */
export async function startFakeGcs(backend: GcsBackend = 'filesystem', options: CacheOptions = {}): Promise<GcsServer> {
  const command = await findFakeGcs(options);
  const server = await startHttpServer({
    product: `fake-gcs-server ${VERSION}`,
    label: 'fake-gcs-server',
    ports: 1,
    program: async (folder, [port]) => {
      const data = join(folder, 'data');
      await mkdir(data, { recursive: true });
      const address = `127.0.0.1:${port}`;
      const listen = ['-scheme', 'http', '-host', '127.0.0.1', '-port', String(port)];
      const own = ['-public-host', address, '-external-url', `http://${address}`];
      const store = backend === 'memory' ? ['-backend', 'memory'] : ['-backend', 'filesystem', '-filesystem-root', data];
      return { name: 'fake-gcs-server', command, args: [...listen, ...own, ...store, '-log-level', 'error'] };
    },
    tryOut: (url) => createBucket(url, 'ready', false).then(() => undefined),
  });
  return {
    product: server.product,
    url: server.url,
    createBucket: ({ versions = false } = {}) => createBucket(server.url, 'bucket', versions),
    kill: () => server.kill(),
    restart: () => server.restart(),
    stop: () => server.stop(),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

async function createBucket(url: string, label: string, versions: boolean): Promise<string> {
  const name = `${label}-${randomBytes(6).toString('hex')}`;
  const answer = await fetch(`${url}/storage/v1/b?project=test`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, ...(versions ? { versioning: { enabled: true } } : {}) }),
  });
  if (!answer.ok) throw new Error(`the bucket could not be created: HTTP ${answer.status}`);
  await answer.arrayBuffer();
  return name;
}
