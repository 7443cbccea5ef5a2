import type { Config } from '../config/load.ts';
import { LifeboatError } from '../core/errors.ts';

/** Holds the text of lifeboat.yaml, where no file can be put beside the function. */
const TEXT_VARIABLE = 'LIFEBOAT_CONFIG_TEXT';

/**
 * lifeboat.yaml of a function: the text in `LIFEBOAT_CONFIG_TEXT`, or the file that `LIFEBOAT_CONFIG` names, or the one in the folder
 * the function is started in. Throws `LB_CONFIG_MISSING`, `LB_CONFIG_INVALID`, `LB_QUEUE_UNSUITABLE`.
 */
export async function functionConfig(env: NodeJS.ProcessEnv): Promise<Config> {
  const { loadConfig, parseConfig } = await import('../config/load.ts');
  const text = env[TEXT_VARIABLE];
  const named = env['LIFEBOAT_CONFIG'];
  const file = named === undefined || named === '' ? 'lifeboat.yaml' : named;
  const config = text === undefined || text === '' ? await loadConfig(file) : parseConfig(text, file);
  refuseEmbedded(config);
  return config;
}

/** Throws `LB_QUEUE_UNSUITABLE` for a queue that lives in one process: no two functions share one. */
export function refuseEmbedded({ queue, file }: Config): void {
  if (queue.type !== 'embedded') return;
  throw new LifeboatError('LB_QUEUE_UNSUITABLE', 'Functions cannot share the embedded queue: it lives in one process, and is gone with it', {
    where: file,
    hint: 'Name a Valkey, Redis or PostgreSQL server under `queue`.',
  });
}
