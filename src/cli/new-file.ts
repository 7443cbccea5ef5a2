import { open, rm } from 'node:fs/promises';
import { LifeboatError, messageOf } from '../core/errors.ts';

/** Who may read a file: secrets are for their owner alone. */
export const SECRET_MODE = 0o600;
export const PLAIN_MODE = 0o644;

/**
 * Writes a file that was not there before; durable when it resolves.
 * Throws `LB_CONFIG_EXISTS` when there is one, and leaves no half file behind when writing fails.
 */
export async function writeNewFile(path: string, text: string, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') throw existsError(path);
    throw new LifeboatError('LB_USAGE', `The file cannot be written: ${messageOf(error)}`, { where: path, hint: 'Name a file in a folder that is there, and that this user may write to.', cause: error });
  });
  try {
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

export function existsError(path: string): LifeboatError {
  return new LifeboatError('LB_CONFIG_EXISTS', 'There is a file already, and nothing is overwritten', {
    where: path,
    hint: 'Move it away if it is not needed any more, or name another.',
  });
}
