import type { GcsVaultConfig } from '../../src/vault/config.ts';

type GcsSettings = Omit<GcsVaultConfig, 'name'>;

/** The settings of a vault in a bucket of a test server, which asks for no credentials. */
export function gcsSettings(server: { readonly url: string }, bucket: string, more: Partial<GcsSettings> = {}): GcsSettings {
  return { type: 'gcs', endpoint: server.url, bucket, ...more };
}
