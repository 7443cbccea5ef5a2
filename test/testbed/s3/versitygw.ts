import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CacheOptions } from '../cache.ts';
import { goTool } from '../tools.ts';
import { startS3Server } from './server.ts';
import type { S3Server } from './server.ts';

const VERSION = 'v1.8.0';

/** Path of versitygw's binary, built when it is not in the cache. */
export async function findVersitygw(options: CacheOptions = {}): Promise<string> {
  return await goTool('versitygw', `github.com/versity/versitygw/cmd/versitygw@${VERSION}`, options);
}

/** Starts versitygw over a folder: a bucket is a folder of it, an object a file. */
export async function startVersitygw(options: CacheOptions = {}): Promise<S3Server> {
  const command = await findVersitygw(options);
  return await startS3Server({
    product: `versitygw ${VERSION}`,
    label: 'versitygw',
    ports: 1,
    program: async (folder, [port], { accessKeyId, secretAccessKey }) => {
      const data = join(folder, 'data');
      const iam = join(folder, 'iam');
      await mkdir(data, { recursive: true });
      await mkdir(iam, { recursive: true });
      return {
        name: 'versitygw',
        command,
        args: ['--port', `127.0.0.1:${port}`, '--keep-alive', '--quiet', '--iam-dir', iam, 'posix', data],
        env: { ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey },
      };
    },
  });
}
