import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSystemError } from '../../core/system-error.ts';

/** Only its owner may see it: jobs name sites, plans and people. */
const PRIVATE = 0o700;

/** Makes a folder, and those it is in, where they are missing. One after the other: Node's own recursion never ends where a folder cannot be made in one that is there, as in /proc. */
export async function makeFolder(path: string): Promise<void> {
  const parent = dirname(path);
  try {
    await makeOne(path);
  } catch (error) {
    if (!isSystemError(error, 'ENOENT') || parent === path) throw error;
    await makeFolder(parent);
    await makeOne(path);
  }
}

async function makeOne(path: string): Promise<void> {
  await mkdir(path, { mode: PRIVATE }).catch((error: unknown) => {
    if (!isSystemError(error, 'EEXIST')) throw error;
  });
}
