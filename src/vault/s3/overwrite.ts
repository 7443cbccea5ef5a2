import type { S3VaultConfig } from '../config.ts';
import { contentMd5 } from '../md5.ts';
import type { OtherSoftware } from '../other-software.ts';
import { DEFAULT_LIMITS } from '../remote.ts';
import { S3Bucket } from './bucket.ts';
import { configureClient } from './client.ts';

/** Stores without asking whether there is something, and deletes without naming versions. */
export async function openS3Overwriter(config: S3VaultConfig): Promise<OtherSoftware> {
  const configured = await configureClient(config, process.env);
  const prefix = config.prefix === undefined ? '' : `${config.prefix}/`;
  const bucket = new S3Bucket(config.name, config.bucket, prefix, configured, DEFAULT_LIMITS);
  const { client, sdk } = configured;
  return {
    overwrite: async (key, Body, signal) => {
      const input = { Bucket: config.bucket, Key: bucket.fullKey(key), Body, ContentMD5: contentMd5(Body) };
      await bucket.explained({ doing: 'storing', key, signal }, (abortSignal) => client.send(new sdk.PutObjectCommand(input), { abortSignal }));
    },
    hide: async (key, signal) => {
      const input = { Bucket: config.bucket, Key: bucket.fullKey(key) };
      await bucket.explained({ doing: 'deleting', key, signal }, (abortSignal) => client.send(new sdk.DeleteObjectCommand(input), { abortSignal }));
    },
    close: async () => client.destroy(),
  };
}
