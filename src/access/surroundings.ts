import type { Config } from '../config/load.ts';
import { LifeboatError } from '../core/errors.ts';
import type { OnWarning } from '../core/progress.ts';
import type { SeenObjects } from '../repository/index.ts';

/** What vaults, keys and sites are opened with, by a command or by a job: lifeboat.yaml, the environment, and whom to tell. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  /** Fires when what is going on is to stop. */
  readonly signal: AbortSignal;
  /** Relative paths that a person gave are relative to this. */
  readonly folder: string;
  /** lifeboat.yaml as it was named. */
  readonly configFile: string;
  readonly warn: OnWarning;
  /** lifeboat.yaml, read once. Throws `LB_CONFIG_MISSING` and `LB_CONFIG_INVALID`. */
  config(): Promise<Config>;
  /** lifeboat.yaml, or undefined when there is none and nobody named one. */
  configIfAny(): Promise<Config | undefined>;
  /** This text is never to be shown. */
  hide(secret: string): void;
  /** What this process has read of repositories, where it makes many backups. */
  readonly seen?: SeenObjects | undefined;
  /** Asks a person for the passphrase; absent where nobody can be asked. */
  readonly askPassphrase?: (() => Promise<string>) | undefined;
}

/** "There is no site `x`", with what was probably meant. */
export async function unknownName(what: string, given: string, known: readonly string[], file: string): Promise<LifeboatError> {
  const { nearest } = await import('../core/suggest.ts');
  const best = nearest(given, known);
  const there = known.length === 0 ? `${file} names none.` : `${file} names ${known.join(', ')}.`;
  return new LifeboatError('LB_USAGE', `There is no ${what} \`${given}\``, {
    hint: best === undefined ? there : `Did you mean \`${best}\`?`,
  });
}
