import { createHash, randomUUID } from 'node:crypto';
import { readFile, readdir, readlink, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { errnoOf } from './errors.ts';

/** The folder for unfinished uploads. Its name cannot be part of a key, so `list` never sees it. */
export const TEMP_FOLDER = '.tmp';

/**
 * Unfinished uploads of writers that cannot be asked whether they live (another host, another container) are
 * removed when nothing was written to them for this long: far longer than any pause of a living writer.
 */
export const STALE_AFTER_MS = 24 * 60 * 60 * 1000;

/** `<machine>.<pid>.<random>`, so that another writer can tell whether the owner is dead. */
const TEMP_NAME = /^([0-9a-f]{16})\.([0-9]+)\.[0-9a-f-]{36}$/;

let machine: Promise<string> | undefined;

/**
 * Names the set of processes in which a process id means something: this boot of this host, and on Linux this
 * pid namespace, because containers that share a vault folder do not see each other's processes.
 */
function machineId(): Promise<string> {
  machine ??= (async () => {
    const bootId = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
    const namespace = await readlink('/proc/self/ns/pid').catch(() => '');
    return createHash('sha256').update(`${hostname()}\n${bootId}\n${namespace}`).digest('hex').slice(0, 16);
  })();
  return machine;
}

/** A name for a new unfinished upload of this process. */
export async function tempName(): Promise<string> {
  return `${await machineId()}.${process.pid}.${randomUUID()}`;
}

/**
 * Removes unfinished uploads whose owner is dead, and those nobody touched for `STALE_AFTER_MS`. Best effort:
 * what cannot be looked at or removed stays, for it harms nobody.
 */
export async function sweepTemp(folder: string, now: number): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  const here = await machineId();
  for (const name of names) {
    const path = join(folder, name);
    const [, owner, pid] = TEMP_NAME.exec(name) ?? [];
    const dead = owner === here && pid !== undefined && !isAlive(Number(pid));
    if (dead || (await isStale(path, now))) await unlink(path).catch(() => {});
  }
}

async function isStale(path: string, now: number): Promise<boolean> {
  const info = await stat(path).catch(() => undefined);
  return info !== undefined && now - info.mtimeMs > STALE_AFTER_MS;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return errnoOf(error) !== 'ESRCH';
  }
}
