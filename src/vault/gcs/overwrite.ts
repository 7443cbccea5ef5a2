import type { GcsVaultConfig } from '../config.ts';
import type { OtherSoftware } from '../other-software.ts';
import { DEFAULT_LIMITS } from '../remote.ts';
import type { RemoteCall } from '../remote.ts';
import { GcsBucket } from './bucket.ts';
import { configureClient } from './client.ts';

/** Stores without asking whether there is something, and deletes without naming versions. */
export async function openGcsOverwriter(config: GcsVaultConfig): Promise<OtherSoftware> {
  const client = await configureClient(config, process.env);
  const prefix = config.prefix === undefined ? '' : `${config.prefix}/`;
  const bucket = new GcsBucket(config.name, config.bucket, prefix, client, DEFAULT_LIMITS);
  return {
    overwrite: async (key, body, signal) => {
      const call: RemoteCall = { doing: 'storing', key, signal };
      const params = { uploadType: 'media', name: bucket.fullKey(key) };
      const headers = { 'Content-Type': 'application/octet-stream' };
      try {
        await bucket.send(call, { method: 'POST', url: bucket.uploadPath(), params, headers, body });
      } catch (error) {
        throw await bucket.explain(error, call);
      }
    },
    hide: async (key, signal) => {
      const call: RemoteCall = { doing: 'deleting', key, signal };
      try {
        await bucket.send(call, { method: 'DELETE', url: bucket.path(key) });
      } catch (error) {
        throw await bucket.explain(error, call);
      }
    },
    close: async () => client.destroy(),
  };
}
