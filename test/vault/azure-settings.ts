import type { AzureVaultConfig } from '../../src/vault/config.ts';

type AzureSettings = Omit<AzureVaultConfig, 'name'>;

/** Where a test server is, and how to sign in. */
export interface AzureAccount {
  readonly endpoint: string;
  readonly account: string;
  readonly accountKey: string;
}

/** The settings of a vault in a container of a test server. Its key is put into this process's environment. */
export function azureSettings(server: AzureAccount, container: string, more: Partial<AzureSettings> = {}): AzureSettings {
  const { account, endpoint } = server;
  const accountKeyEnv = `TEST_KEY_${account}`;
  process.env[accountKeyEnv] = server.accountKey;
  return { type: 'azure', account, endpoint, container, credentials: { accountKeyEnv }, ...more };
}
