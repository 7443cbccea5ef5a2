import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { TestbedError } from './errors.ts';

export interface RunOptions {
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** Told each line of standard error as it comes. */
  readonly onLine?: (line: string) => void;
  readonly signal?: AbortSignal;
}

const LINES_KEPT = 30;

/**
 * Runs a program to its end and gives its standard output. Throws a `TestbedError` with the last lines of its
 * standard error when it fails, the system's error (`ENOENT`) when it is not there, an `AbortError` when stopped.
 */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { cwd, env, onLine, signal } = options;
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
    ...(signal === undefined ? {} : { signal }),
  });
  const tail: string[] = [];
  createInterface(child.stderr).on('line', (line) => {
    tail.push(line);
    if (tail.length > LINES_KEPT) tail.shift();
    onLine?.(line);
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, killedBy) => {
      if (code === 0) resolve(Buffer.concat(output).toString('utf8'));
      else {
        const how = code === null ? `was ended by ${killedBy}` : `ended with code ${code}`;
        reject(new TestbedError(`${command} ${args[0] ?? ''} ${how}:\n${tail.join('\n')}`));
      }
    });
  });
}
