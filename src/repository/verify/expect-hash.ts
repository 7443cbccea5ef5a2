import { LifeboatError } from '../../core/errors.ts';

/** `wanted` is a SHA-256 or the beginning of one. Throws `LB_REPO_DAMAGED`. */
export function expectHash(actual: string, wanted: string): void {
  if (!actual.startsWith(wanted))
    throw new LifeboatError('LB_REPO_DAMAGED', 'The bytes do not match the name of the object');
}

/** The beginning of the SHA-256 that the name of a rescue file says it has. */
export function rescueHash(key: string): string | undefined {
  return /^rescue\/.*-([0-9a-f]{16})\.[a-z]+$/.exec(key)?.[1];
}
