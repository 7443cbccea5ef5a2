import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { isSystemError } from '../../core/system-error.ts';

/**
 * One process, and no other that gets the same number later: its number, when it started, and
 * what these two are relative to (a boot of the machine, a process-number namespace).
 * No field holds anything but letters, digits and `_`, so that it can be part of a file name.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly started: string;
  readonly boot: string;
  readonly namespace: string;
}

/** The identity of a running process, or undefined when there is none with this number. A zombie counts as gone. */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const started = startTimeOf(pid);
  return started === undefined ? undefined : { pid, started, ...surroundings() };
}

/** The identity of this process. */
export function ownIdentity(): ProcessIdentity {
  const identity = identityOf(process.pid);
  if (identity === undefined) throw new Error('this process does not find itself in the list of processes');
  return identity;
}

/**
 * Whether the process is certainly gone. False also when it cannot be known from here: it belongs to
 * another process-number namespace (a container that shares a folder with this one).
 */
export function isGone(identity: ProcessIdentity): boolean {
  const here = surroundings();
  if (identity.boot !== here.boot) return true;
  if (identity.namespace !== here.namespace) return false;
  return startTimeOf(identity.pid) !== identity.started;
}

/** The identity as text, for a file or its name. */
export function formatIdentity({ pid, started, boot, namespace }: ProcessIdentity): string {
  return [pid, started, boot, namespace].join('-');
}

/** Reads what `formatIdentity` wrote; undefined for anything else. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  const match = /^(\d+)-(\w+)-(\w+)-(\w+)$/.exec(text.trim());
  if (match === null) return undefined;
  const [, pid = '', started = '', boot = '', namespace = ''] = match;
  return { pid: Number(pid), started, boot, namespace };
}

function startTimeOf(pid: number): string | undefined {
  return process.platform === 'linux' ? linuxStartTime(pid) : psStartTime(pid);
}

function linuxStartTime(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    if (isSystemError(error, 'ENOENT') || isSystemError(error, 'ESRCH')) return undefined;
    throw error;
  }
  // proc_pid_stat(5): the second field, a name in parentheses, may hold anything; the state is field 3
  // and the start time, in clock ticks since the boot, field 22.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

function psStartTime(pid: number): string | undefined {
  try {
    const line = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return line === '' || line.startsWith('Z') ? undefined : line.replace(/^\S+\s+/, '').replace(/\W+/g, '_');
  } catch {
    return undefined;
  }
}

let known: { boot: string; namespace: string } | undefined;

function surroundings(): { boot: string; namespace: string } {
  known ??=
    process.platform === 'linux'
      ? {
          boot: readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim().replaceAll('-', '').slice(0, 12),
          namespace: readlinkSync('/proc/self/ns/pid').replace(/\D/g, ''),
        }
      : // The start time there is a date, so that a restart of the machine cannot bring it back.
        { boot: 'any', namespace: 'any' };
  return known;
}
