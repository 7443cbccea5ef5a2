import type { RetryPolicy } from './backoff.ts';
import type { VaultConfig } from './config.ts';
import type { OtherSoftware } from './other-software.ts';
import { withRetry } from './retry.ts';
import type { Vault } from './vault.ts';

/** How a vault is opened. */
export interface OpenVaultOptions {
  /** Create a directory vault's folder where it is missing (default: no). Buckets are never created. */
  readonly create?: boolean;
  /** How calls are tried again that fail for a passing reason; `false` for not at all. */
  readonly retry?: Partial<RetryPolicy> | false;
}

/**
 * Opens the vault that a piece of configuration describes; its calls are retried. Only the driver that is needed is
 * loaded. Throws `LB_VAULT_*` when the vault is not there or cannot be used as configured.
 */
export async function openVault(config: VaultConfig, options: OpenVaultOptions = {}): Promise<Vault> {
  const vault = await openDriver(config, options);
  return options.retry === false ? vault : withRetry(vault, options.retry);
}

async function openDriver(config: VaultConfig, options: OpenVaultOptions): Promise<Vault> {
  let vault: Vault;
  switch (config.type) {
    case 'directory': {
      const { openDirectoryVault } = await import('./directory.ts');
      vault = await openDirectoryVault({ name: config.name, path: config.path, create: options.create ?? false });
      break;
    }
    case 's3': {
      const { openS3Vault } = await import('./s3.ts');
      vault = await openS3Vault(config);
      break;
    }
    case 'gcs': {
      const { openGcsVault } = await import('./gcs.ts');
      vault = await openGcsVault(config);
      break;
    }
    case 'azure': {
      const { openAzureVault } = await import('./azure.ts');
      vault = await openAzureVault(config);
      break;
    }
  }
  return vault;
}

/** For doctor, who looks what a thief could do. Undefined for a directory: who may write there may do anything. */
export async function openOtherSoftware(config: VaultConfig): Promise<OtherSoftware | undefined> {
  switch (config.type) {
    case 'directory':
      return undefined;
    case 's3': {
      const { openS3Overwriter } = await import('./s3/overwrite.ts');
      return openS3Overwriter(config);
    }
    case 'gcs': {
      const { openGcsOverwriter } = await import('./gcs/overwrite.ts');
      return openGcsOverwriter(config);
    }
    case 'azure': {
      const { openAzureOverwriter } = await import('./azure/overwrite.ts');
      return openAzureOverwriter(config);
    }
  }
  throw new Error('there is no other kind of vault');
}
