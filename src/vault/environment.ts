import { VaultError } from './errors.ts';

/** The value of an environment variable that holds a credential. Throws `LB_VAULT_ACCESS` when it is not set. */
export function credentialFrom(env: NodeJS.ProcessEnv, variable: string, vault: string): string {
  const found = env[variable];
  if (found !== undefined && found !== '') return found;
  throw new VaultError('LB_VAULT_ACCESS', vault, `The environment variable ${variable} is not set`, {
    hint: `Set it to the credential of vault "${vault}", or correct \`credentials\` in lifeboat.yaml.`,
  });
}
