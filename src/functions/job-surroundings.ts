import { WorkSurroundings } from '../jobs/surroundings.ts';
import type { QueueAccess } from './surroundings.ts';

/** The surroundings of jobs in a function. */
export function surroundingsOf({ config, env, redactor, warn }: QueueAccess): WorkSurroundings {
  const settings = { env, configFile: config.file, redactor, loadConfig: () => Promise.resolve(config) };
  return new WorkSurroundings(settings, new AbortController().signal, ({ message }) => warn(message));
}
