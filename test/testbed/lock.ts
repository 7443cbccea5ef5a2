import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSystemError } from './errors.ts';
import { formatIdentity, isGone, ownIdentity, parseIdentity } from '../../src/drill/keeper/process-identity.ts';

const LOOK_AGAIN_MS = 250;

export interface LockOptions {
  /** Called each time the lock is found taken, about four times a second. */
  readonly onWait?: () => void;
  readonly signal?: AbortSignal;
}

/**
 * Runs `work` while holding the lock file at `path`: one holder at a time over all processes of a machine,
 * and within one. The file says which process holds it; when that process is gone the lock is taken over.
 * Throws what `work` throws, or the signal's reason while waiting.
 */
export async function withLock<T>(path: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  // The random part tells holders within one process apart.
  const ownText = `${formatIdentity(ownIdentity())} ${randomBytes(8).toString('hex')}`;
  while (!(await acquire(path, ownText))) {
    options.signal?.throwIfAborted();
    if (await removeIfAbandoned(path)) continue;
    options.onWait?.();
    await sleep(LOOK_AGAIN_MS, undefined, options.signal ? { signal: options.signal } : {});
  }
  try {
    return await work();
  } finally {
    if ((await readLock(path)) === ownText) await rm(path, { force: true });
  }
}

/** Puts a complete lock file in place, or finds one there. A link appears with its content, never empty. */
async function acquire(path: string, text: string): Promise<boolean> {
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, text);
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** Removes the lock of a holder that is gone. Of several that try, only one removes it. */
async function removeIfAbandoned(path: string): Promise<boolean> {
  const text = await readLock(path);
  if (text === undefined) return true;
  const holder = parseIdentity(text.split(' ')[0] ?? '');
  if (holder !== undefined && !isGone(holder)) return false;
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return true;
    throw error;
  }
  // Between reading and renaming, another may have removed it and a new holder have come: put that one back.
  if ((await readLock(aside)) !== text) {
    await link(aside, path).catch((error: unknown) => {
      if (!isSystemError(error, 'EEXIST')) throw error;
    });
  }
  await rm(aside, { force: true });
  return true;
}

async function readLock(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
