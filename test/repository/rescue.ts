import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** How the rescue reader ended. */
export interface RescueRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The rescue reader in a copied vault. */
export async function rescueReaderIn(vault: string): Promise<string> {
  const name = (await readdir(join(vault, 'rescue'))).find((file) => file.endsWith('.mjs'));
  return join(vault, 'rescue', name ?? 'missing');
}

/** Runs a rescue reader as a user would: Node alone, in `cwd`, with nothing of the environment. */
export function runRescue(script: string, cwd: string, args: readonly string[], input = ''): Promise<RescueRun> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [script, ...args],
      { cwd, env: {}, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
      },
    );
    child.stdin?.end(input);
  });
}
