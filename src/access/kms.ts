import { homedir } from 'node:os';
import { join } from 'node:path';
import type { KmsConfig } from '../config/keys-schema.ts';
import { formatKmsKey, openKms, parseKmsKey, Secret } from '../keys/index.ts';
import type { KmsKey, KmsProvider } from '../keys/index.ts';
import type { Surroundings } from './surroundings.ts';
import { located, secretFromEnv, secretFromFile } from './secret-source.ts';

/** A key service's key as lifeboat.yaml describes it. Throws `LB_KEY_INVALID`. */
export function configuredKms(surroundings: Surroundings, config: KmsConfig): KmsProvider {
  try {
    return providerFor(surroundings, parseKmsKey(config.key), config);
  } catch (error) {
    throw located(error, surroundings.configFile);
  }
}

/** A key service's key that was named on the command line; how it is reached may be in lifeboat.yaml. Throws `LB_KEY_INVALID`. */
export async function namedKms(surroundings: Surroundings, key: KmsKey): Promise<KmsProvider> {
  const config = await surroundings.configIfAny();
  const known = [...(config?.readKey?.kms ?? []), ...(config?.maintainKey?.kms ?? [])];
  return providerFor(surroundings, key, known.find((one) => one.key === formatKmsKey(key)) ?? {});
}

function providerFor(surroundings: Surroundings, key: KmsKey, config: Omit<KmsConfig, 'key'>): KmsProvider {
  const { profile, endpoint } = config;
  const namespace = config.namespace ?? nonEmpty(surroundings.env['VAULT_NAMESPACE']) ?? nonEmpty(surroundings.env['BAO_NAMESPACE']);
  return openKms(key, {
    ...(profile !== undefined && { profile }),
    ...(endpoint !== undefined && { endpoint }),
    ...(namespace !== undefined && { namespace }),
    token: () => vaultToken(surroundings, config),
  });
}

/** The token for OpenBao or Vault, from where its own tools take it. It is never shown. Throws `LB_KEY_MISSING`. */
async function vaultToken(surroundings: Surroundings, { tokenFile, tokenEnv }: Omit<KmsConfig, 'key'>): Promise<Secret> {
  const variable = tokenEnv ?? ['VAULT_TOKEN', 'BAO_TOKEN'].find((name) => nonEmpty(surroundings.env[name]) !== undefined);
  const { text } =
    tokenFile === undefined && variable !== undefined
      ? secretFromEnv(surroundings, variable, 'token')
      : await secretFromFile(tokenFile ?? join(homedir(), '.vault-token'), 'token');
  const token = text.trim();
  surroundings.hide(token);
  return new Secret(Buffer.from(token));
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
