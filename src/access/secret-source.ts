import { readFile, stat } from 'node:fs/promises';
import { isLifeboatError, LifeboatError, messageOf } from '../core/errors.ts';
import type { Surroundings } from './surroundings.ts';

/** A secret, and where it was found: what may be shown of it. */
export interface FoundSecret {
  readonly text: string;
  readonly from: string;
}

/** The contents of a file. Throws `LB_KEY_MISSING`. */
export async function secretFromFile(path: string, what: string): Promise<FoundSecret> {
  try {
    return { text: await readFile(path, 'utf8'), from: path };
  } catch (error) {
    const absent = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new LifeboatError('LB_KEY_MISSING', absent ? `The ${what} file is not there` : `The ${what} file cannot be read: ${messageOf(error)}`, {
      where: path,
      hint: absent ? 'Bring it from where it is kept, or name another.' : 'Let the user that lifeboat runs as read it.',
      cause: error,
    });
  }
}

/** The value of an environment variable. Throws `LB_KEY_MISSING`. */
export function secretFromEnv(surroundings: Surroundings, name: string, what: string): FoundSecret {
  const text = surroundings.env[name];
  if (text === undefined || text === '') {
    throw new LifeboatError('LB_KEY_MISSING', `The environment variable for the ${what} is not set`, { where: `$${name}`, hint: `Set ${name}.` });
  }
  return { text, from: `$${name}` };
}

/** The same error, with where the key came from. */
export function located(error: unknown, from: string): unknown {
  if (!isLifeboatError(error) || error.where !== undefined) return error;
  return new LifeboatError(error.code, error.message, { where: from, ...(error.hint !== undefined && { hint: error.hint }), cause: error });
}

/** True if others than the owner may read the file. Always false where modes mean nothing. */
export async function readableByOthers(path: string): Promise<boolean> {
  if (process.platform === 'win32') return false;
  const { mode } = await stat(path);
  return (mode & 0o077) !== 0;
}
