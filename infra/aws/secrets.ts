import { dirname } from 'node:path';
import type { Config } from '../../src/config/load.ts';
import { LifeboatError } from '../../src/core/errors.ts';
import type { AwsSettings } from './settings.ts';

/** Secrets by the variable or file that holds them. */
export type Secrets = Readonly<Record<string, string>>;

/** What each function is given: those that hand jobs over need the queue, and no key. */
export interface SecretsByFunction {
  readonly queue: Secrets;
  /** Those behind HTTP: the vaults, for the audit trail, and its key. */
  readonly api: Secrets;
  readonly work: Secrets;
}

/**
 * Who needs which secret, from what lifeboat.yaml says. Throws `LB_CONFIG_INVALID` when it names one that `settings` does not have, or the other way
 * round: neither is found out at night.
 */
export function secretsByFunction(config: Config, settings: AwsSettings, file: string): SecretsByFunction {
  // What stands beside lifeboat.yaml is not brought by anybody.
  const beside = `${dirname(config.file)}/`;
  const placesOf = (part: unknown): readonly string[] => placesIn(part).filter((place) => !place.startsWith(beside));
  const queue = placesOf(config.queue);
  const ofServer = placesOf(config.server);
  const all = [config.queue, config.sites, config.vaults, config.writeKey, config.readKey, config.maintainKey, config.notify, config.server].flatMap((part) => placesOf(part));
  const missing = all.find((place) => settings.secrets[place] === undefined);
  if (missing !== undefined) throw mismatch(`${config.file} takes \`${missing}\`, and \`secrets\` does not say where it is`, file, `Write under \`secrets\`: \`${missing}: arn:…\`.`);
  const unused = Object.keys(settings.secrets).find((place) => !all.includes(place));
  if (unused !== undefined) throw mismatch(`\`secrets\` has \`${unused}\`, and nothing in ${config.file} takes it`, file, 'Take it out, or correct its name.');
  const pick = (places: readonly string[]): Secrets => Object.fromEntries([...new Set(places)].toSorted().map((place) => [place, settings.secrets[place] ?? '']));
  return { queue: pick(queue), api: pick([...queue, ...placesOf(config.vaults), ...placesOf(config.server?.audit)]), work: pick(all.filter((place) => !ofServer.includes(place) || placesOf(config.vaults).includes(place))) };
}

function mismatch(message: string, where: string, hint: string): LifeboatError {
  return new LifeboatError('LB_CONFIG_INVALID', message, { where, hint });
}

/** The variables and the files below /tmp that a part of lifeboat.yaml names. */
function placesIn(part: unknown): readonly string[] {
  if (part instanceof Map) return [...part.values()].flatMap((value) => placesIn(value));
  if (Array.isArray(part)) return part.flatMap((value) => placesIn(value));
  if (typeof part !== 'object' || part === null) return [];
  return Object.entries(part).flatMap(([name, value]) => {
    if (typeof value !== 'string') return placesIn(value);
    return name === 'env' || name.endsWith('Env') || value.startsWith('/tmp/') ? [value] : [];
  });
}
