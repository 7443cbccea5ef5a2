import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { LifeboatError } from '../../core/errors.ts';
import { fetchSecret } from './fetch.ts';

/** The variable that says which secrets there are and where: names of variables or paths of files, and ARNs. */
export const SECRETS_VARIABLE = 'LIFEBOAT_SECRETS';

const secretsSchema = z.record(z.string().regex(/^(?:[A-Za-z_]\w*|\/tmp\/(?!.*\.\.)[\w./-]+)$/), z.string());

/**
 * Fetches the secrets that the environment refers to, and puts each where lifeboat.yaml looks for it: into its variable, or into a
 * file below /tmp. `hide` is told each. The configuration of the function holds the references alone.
 * Throws `LB_CONFIG_INVALID`, `LB_KEY_ACCESS`, `LB_KEY_GONE`, `LB_KEY_UNAVAILABLE`.
 */
export async function resolveSecrets(env: NodeJS.ProcessEnv, hide: (secret: string) => void): Promise<void> {
  const references = env[SECRETS_VARIABLE];
  if (references === undefined || references === '') return;
  const secrets = Object.entries(parsed(references));
  await Promise.all(
    secrets.map(async ([place, arn]) => {
      const value = await fetchSecret(arn, env);
      hide(value);
      if (!place.startsWith('/')) env[place] = value;
      else {
        await mkdir(dirname(place), { recursive: true, mode: 0o700 });
        await writeFile(place, value, { mode: 0o600 });
      }
    }),
  );
}

function parsed(references: string): Record<string, string> {
  try {
    return secretsSchema.parse(JSON.parse(references));
  } catch (error) {
    throw new LifeboatError('LB_CONFIG_INVALID', `\`${SECRETS_VARIABLE}\` is not JSON that names variables, or files below /tmp, and the ARNs of their secrets`, { cause: error });
  }
}
