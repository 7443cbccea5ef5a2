import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { compileCache } from '../support/compile-cache.ts';
import { LAUNCHER } from '../support/launcher.ts';


export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** The folder it runs in. */
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Told when the process is there, for sending signals. */
  readonly started?: (child: ChildProcess) => void;
}

/** Runs the real command line as users do, in a process of its own. The environment has nothing of the tester's. */
export function lifeboat(args: readonly string[], options: RunOptions): Promise<Result> {
  const child = spawn(process.execPath, [LAUNCHER, ...args], {
    cwd: options.cwd,
    env: { PATH: process.env['PATH'] ?? '', HOME: options.cwd, ...compileCache, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  options.started?.(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve({ code: code ?? (signal === null ? -1 : -2), stdout, stderr });
    });
  });
}

/** An empty folder that is removed after the test. */
export async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-cli-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
