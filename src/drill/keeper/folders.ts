import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSystemError } from '../../core/system-error.ts';
import { formatIdentity, identityOf, isGone, ownIdentity, parseIdentity } from './process-identity.ts';

/** Names of folders begin so. Then come the identity of their keeper, a label and something random. */
const PREFIX = 'lifeboat-kept-';
const NAME = /^lifeboat-kept-(\d+-\w+-\w+-\w+)\.[a-z0-9-]*\.[0-9a-f]+$/;

/** In each folder: the identities of the processes that belong to it, one a line. */
const PROCESSES = '.processes';

const GONE_WITHIN_MS = 10_000;

/** Makes a folder in `parent`, readable for its user only, whose name says which process answers for it: this one. */
export function createOwnedFolder(parent: string, label: string): string {
  const name = `${PREFIX}${formatIdentity(ownIdentity())}.${label}.${randomBytes(4).toString('hex')}`;
  const path = resolve(parent, name);
  mkdirSync(path, { mode: 0o700 });
  return path;
}

/** Notes that a process belongs to a folder. */
export function noteProcess(folder: string, pid: number): void {
  const identity = identityOf(pid);
  if (identity !== undefined) appendFileSync(join(folder, PROCESSES), `${formatIdentity(identity)}\n`);
}

/**
 * Removes the folders in `parent` whose keeper is gone without having done it (it was killed, or the machine was restarted),
 * and first kills the processes noted in them that are still there. Never touches a process or folder that it
 * cannot be sure about.
 */
export async function sweepAbandonedFolders(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const keeper = parseIdentity(NAME.exec(name)?.[1] ?? '');
    if (keeper === undefined || !isGone(keeper)) continue;
    // Another user's folder, or one that somebody else is sweeping at this moment, is not ours to remove.
    await removeWithProcesses(resolve(parent, name)).catch(() => undefined);
  }
}

/** Kills the processes noted in a folder and removes it. */
export async function removeWithProcesses(folder: string): Promise<void> {
  const noted = readNotes(folder)
    .split('\n')
    .map(parseIdentity)
    .filter((identity) => identity !== undefined);
  const deadline = Date.now() + GONE_WITHIN_MS;
  for (const identity of noted) if (!isGone(identity)) killGroup(identity.pid, 'SIGKILL');
  for (const identity of noted) while (!isGone(identity) && Date.now() < deadline) await sleep(20);
  await removeFolder(folder);
}

/** Sends a signal to a process and all it started: the keeper starts each in a process group of its own. */
export function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (!isSystemError(error, 'ESRCH')) throw error;
  }
}

/** Removes a folder with its content. */
export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

function readNotes(folder: string): string {
  try {
    return readFileSync(join(folder, PROCESSES), 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return '';
    throw error;
  }
}
