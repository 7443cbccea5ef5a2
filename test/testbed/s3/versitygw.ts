import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CacheOptions } from '../cache.ts';
import { run } from '../run.ts';
import { goTool } from '../tools.ts';
import { putBucketPolicy, startS3Server } from './server.ts';
import type { PolicyStatement, S3Credentials, S3Server } from './server.ts';

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
      const versions = join(folder, 'versions');
      await mkdir(data, { recursive: true });
      await mkdir(iam, { recursive: true });
      await mkdir(versions, { recursive: true });
      return {
        name: 'versitygw',
        command,
        args: ['--port', `127.0.0.1:${port}`, '--keep-alive', '--quiet', '--iam-dir', iam, 'posix', '--versioning-dir', versions, data],
        env: { ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey },
      };
    },
  });
}

/**
 * Adds a user to a running versitygw that may do only these things with one bucket, such as `s3:PutObject`, and gives
 * what he signs with. Replaces what other users were allowed with that bucket.
 */
export async function addVersitygwUser(
  server: S3Server,
  bucket: string,
  actions: readonly string[],
): Promise<S3Credentials> {
  const user = await createVersitygwUser(server);
  const arn = `arn:aws:s3:::${bucket}`;
  const onBucket = actions.filter((action) => /List|Location/.test(action));
  const onObjects = actions.filter((action) => !onBucket.includes(action));
  const Principal = { AWS: [user.accessKeyId] };
  const allow = (Action: readonly string[], Resource: string): PolicyStatement => ({ Effect: 'Allow', Principal, Action, Resource });
  await putBucketPolicy(server, bucket, [allow(onBucket, arn), allow(onObjects, `${arn}/*`)].filter(({ Action }) => Action.length > 0));
  return user;
}

/** Adds a user that may do nothing until a bucket's policy says so. */
export async function createVersitygwUser(server: S3Server): Promise<S3Credentials> {
  const user = { accessKeyId: `user${randomBytes(6).toString('hex')}`, secretAccessKey: randomBytes(20).toString('hex') };
  const { accessKeyId, secretAccessKey } = server.credentials;
  const flags = ['--access', user.accessKeyId, '--secret', user.secretAccessKey, '--role', 'user'];
  const env = { ADMIN_ACCESS_KEY: accessKeyId, ADMIN_SECRET_KEY: secretAccessKey, ADMIN_ENDPOINT_URL: server.endpoint };
  await run(await findVersitygw(), ['admin', 'create-user', ...flags], { env });
  return user;
}
