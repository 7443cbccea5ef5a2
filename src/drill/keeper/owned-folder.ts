import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { LifeboatError } from '../../core/errors.ts';
import { connectKeeper } from './connection.ts';
import type { Ended } from './connection.ts';

/** What to run. The environment is exactly `env`: and a path and a home: nothing else of this process's. */
export interface Program {
  /** Names its log file. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A program that runs, and will not outlive this process. */
export interface OwnedProcess {
  readonly name: string;
  readonly pid: number;
  /** Standard output and error. */
  readonly logFile: string;
  /** Settles when it has ended, in whatever way. Never rejects. */
  readonly ended: Promise<Ended>;
  /** How it ended, once it has. */
  readonly end: Ended | undefined;
  /** Sends it, and all it started, a signal (`SIGKILL` if not said), and waits until it has ended. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Sends it, and all it started, a signal that does not end it: `SIGSTOP`, `SIGCONT`. */
  signal(signal: NodeJS.Signals): Promise<void>;
  /** The last lines of its log. */
  logTail(lines?: number): Promise<string>;
}

/** A folder, and processes that belong to it. */
export interface OwnedFolder extends AsyncDisposable {
  readonly path: string;
  /** Starts a program in this folder. Rejects when it cannot be started at all. */
  start(program: Program): Promise<OwnedProcess>;
  /** Kills its processes and removes it. May be called again. */
  close(): Promise<void>;
}

/**
 * Makes a folder for servers. It and they are gone after `close`, and also when this process ends in any way
 * without it. `label` becomes part of its name: lower-case letters, digits and `-`. It is made in `parent`, by default the
 * system's folder for temporary files. Throws `LB_DRILL_CLUSTER` when that cannot be done.
 */
export async function openOwnedFolder(label: string, parent = tmpdir()): Promise<OwnedFolder> {
  const keeper = await connectKeeper();
  const { folder } = await keeper.ask({ do: 'open', parent: resolve(parent), label: label.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-') });
  if (folder === undefined) throw new LifeboatError('LB_INTERNAL', 'The keeper named no folder');
  let closed: Promise<void> | undefined;

  const start = async (program: Program): Promise<OwnedProcess> => {
    const { name, command, args } = program;
    const logFile = join(folder, `${name}.log`);
    const env = { PATH: process.env['PATH'] ?? '', HOME: folder, TMPDIR: folder, ...program.env };
    const { pid } = await keeper.ask({ do: 'start', folder, command, args: [...args], env, logFile });
    if (pid === undefined) throw new LifeboatError('LB_INTERNAL', `The keeper gave no process number for ${name}`);
    let end: Ended | undefined;
    const ended = keeper.ended(pid).then((how) => (end = how));
    return {
      name,
      pid,
      logFile,
      ended,
      get end() {
        return end;
      },
      kill: async (signal = 'SIGKILL') => {
        if (end === undefined) await keeper.ask({ do: 'signal', folder, pid, signal, wait: true });
        await ended;
      },
      signal: async (signal) => {
        await keeper.ask({ do: 'signal', folder, pid, signal, wait: false });
      },
      logTail: async (lines = 20) => (await readFile(logFile, 'utf8')).trimEnd().split('\n').slice(-lines).join('\n'),
    };
  };
  const close = async (): Promise<void> => {
    closed ??= keeper.close(folder);
    await closed;
  };
  return { path: folder, start, close, [Symbol.asyncDispose]: close };
}
