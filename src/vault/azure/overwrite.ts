import type { AzureVaultConfig } from '../config.ts';
import type { OtherSoftware } from '../other-software.ts';
import { DEFAULT_LIMITS } from '../remote.ts';
import { configureContainer } from './client.ts';
import { AzureContainer } from './container.ts';

/** Stores without asking whether there is something, and deletes without naming versions. */
export async function openAzureOverwriter(config: AzureVaultConfig): Promise<OtherSoftware> {
  const configured = await configureContainer(config, process.env);
  const prefix = config.prefix === undefined ? '' : `${config.prefix}/`;
  const container = new AzureContainer(config.name, config.container, prefix, configured, DEFAULT_LIMITS);
  return {
    overwrite: async (key, body, signal) => {
      await container.explained({ doing: 'storing', key, signal }, (abortSignal) =>
        container.blob(key).upload(body, body.byteLength, { abortSignal }),
      );
    },
    hide: async (key, signal) => {
      await container.explained({ doing: 'deleting', key, signal }, (abortSignal) => container.blob(key).delete({ abortSignal }));
    },
    close: async () => container.destroy(),
  };
}
