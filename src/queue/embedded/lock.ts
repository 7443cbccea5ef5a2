import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LifeboatError } from '../../core/errors.ts';

/** What a call that found the file locked by another process ends with (SQLITE_BUSY). */
const BUSY = 5;

export interface FolderLock extends Disposable {
  /** Whether the folder is still the one that was locked. Who makes it anew has a lock of their own. */
  isThere(): Promise<boolean>;
}

/**
 * Keeps every other process, and everybody else in this one, out of a folder until it is disposed of. The lock is one of the operating
 * system on a file, which Node can take only by way of SQLite: so it ends with the process, however that ends, and nobody need guess
 * whether a number in a file is still that process. Throws `LB_QUEUE_IN_USE` when somebody has it.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const { DatabaseSync } = await import('node:sqlite');
  const owner = join(folder, 'owner');
  const path = join(folder, 'lock');
  const file = new DatabaseSync(path);
  try {
    file.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    file.close();
    if (!(error instanceof Error && 'errcode' in error && error.errcode === BUSY)) throw error;
    const who = await readFile(owner, 'utf8').catch(() => '');
    throw new LifeboatError('LB_QUEUE_IN_USE', `Another process${who === '' ? '' : ` (${who})`} has the embedded queue open.`, {
      where: folder,
      hint: 'Stop it, or use Redis, Valkey or PostgreSQL, which any number of processes can share.',
    });
  }
  // For the message above alone: whether somebody has the lock is known without it.
  await writeFile(owner, String(process.pid));
  const { dev, ino } = await stat(path);
  const isThere = async (): Promise<boolean> => {
    const now = await stat(path).catch(() => undefined);
    return now?.dev === dev && now.ino === ino;
  };
  return { isThere, [Symbol.dispose]: () => file.close() };
}
