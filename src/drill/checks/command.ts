import { open, stat } from 'node:fs/promises';
import { systemClock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { formatDuration } from '../../core/duration.ts';
import type { OwnedFolder, OwnedProcess } from '../keeper/owned-folder.ts';
import type { Findings } from './findings.ts';

/** A program of the user's that looks at the restored cluster. It passes when it ends with 0. */
export interface CommandCheck {
  readonly name: string;
  readonly command: readonly string[];
  readonly timeoutMs: number;
}

/** What a command is told. */
export interface CommandSurroundings {
  /** Its log goes there, and it is killed with it. */
  readonly folder: OwnedFolder;
  /** Its number among the checks: two may have one name. */
  readonly number: number;
  readonly env: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** How much of the end of its output is kept. */
const KEPT_BYTES = 4 * 1024;
/** A command that says more is ended: it would fill the disk. */
const MOST_BYTES = 64 * 1024 * 1024;
const LOOK_MS = 250;

/**
 * Runs a command with the environment given and nothing else, in the drill's folder. However it ends, nothing that it started in its
 * process group is left. Gives the end of what it wrote.
 */
export async function runCommand(check: CommandCheck, { folder, number, env, signal }: CommandSurroundings, found: Findings): Promise<string> {
  const [program = '', ...args] = check.command;
  found.looked();
  let process: OwnedProcess;
  try {
    process = await folder.start({ name: `check-${number}`, command: program, args, env });
  } catch (error) {
    found.fail('', `${program} could not be started: ${messageOf(error)}`);
    return '';
  }
  try {
    const stopped = await waitFor(process, check.timeoutMs, signal);
    if (stopped !== undefined) found.fail('', stopped);
    else if (process.end?.code !== 0) found.fail('', `it ended with ${process.end?.code ?? process.end?.signal ?? 'nothing'}`);
  } finally {
    await process.kill();
  }
  return endOf(process.logFile);
}

async function waitFor(process: OwnedProcess, timeoutMs: number, signal: AbortSignal | undefined): Promise<string | undefined> {
  const deadline = systemClock.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    if (process.end !== undefined) return undefined;
    const left = deadline - systemClock.now();
    if (left <= 0) return `it was ended after ${formatDuration(timeoutMs)}`;
    const { size } = await stat(process.logFile);
    if (size > MOST_BYTES) return `it was ended after ${MOST_BYTES / 1024 / 1024} MiB of output`;
    await Promise.race([process.ended, systemClock.sleep(Math.min(left, LOOK_MS), signal)]);
  }
}

async function endOf(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - KEPT_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(size, KEPT_BYTES)), 0, Math.min(size, KEPT_BYTES), from);
    const text = buffer.subarray(0, bytesRead).toString('utf8').trim();
    return from > 0 ? `… ${text}` : text;
  } finally {
    await file.close();
  }
}
