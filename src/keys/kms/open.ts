import type { KmsKey, KmsKind } from './address.ts';
import type { KmsOptions, KmsProvider } from './provider.ts';

/**
 * A key of a key service, ready for use. Nothing is loaded and nobody is called before it is used. Whoever opens one has
 * been told to by the user: a key that only a vault names must never be opened (docs/keys.md).
 */
export function openKms(key: KmsKey, options: KmsOptions = {}): KmsProvider {
  let opened: Promise<KmsProvider> | undefined;
  const driver = (): Promise<KmsProvider> => (opened ??= DRIVERS[key.kind](key, options));
  return {
    key,
    wrap: async (...args) => (await driver()).wrap(...args),
    unwrap: async (...args) => (await driver()).unwrap(...args),
  };
}

const DRIVERS: Readonly<Record<KmsKind, (key: KmsKey, options: KmsOptions) => Promise<KmsProvider>>> = {
  'aws-kms': async (key, options) => (await import('./aws.ts')).openAwsKms(key, options),
  'vault-transit': async (key, options) => (await import('./vault-transit.ts')).openVaultTransit(key, options),
  'gcp-kms': async (key, options) => (await import('./gcp.ts')).openGcpKms(key, options),
  'azure-key-vault': async (key) => (await import('./azure.ts')).openAzureKeyVault(key),
};
