import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** What running a command took. */
export interface CommandRun {
  readonly seconds: number;
  /** The most memory it ever had resident, in MiB. */
  readonly peakMegabytes: number;
}

const LAUNCHER = fileURLToPath(new URL('../src/cli/lifeboat.mjs', import.meta.url));
const LOOK_EVERY_MS = 50;

/** Runs `lifeboat` in a folder, and measures it. Throws with its output when it fails. */
export async function runCommand(folder: string, args: readonly string[]): Promise<CommandRun> {
  const began = performance.now();
  const child = spawn(process.execPath, [LAUNCHER, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-4000)));
  let peak = 0;
  // Linux keeps the high-water mark for as long as the process lives; there is no later place to read it for a child.
  const look = setInterval(() => {
    readFile(`/proc/${child.pid}/status`, 'utf8').then(
      (status) => (peak = Math.max(peak, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0))),
      () => undefined,
    );
  }, LOOK_EVERY_MS);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code !== 0) throw new Error(`lifeboat ${args[0]} ended with ${code}:\n${output}`);
  } finally {
    clearInterval(look);
  }
  return { seconds: (performance.now() - began) / 1000, peakMegabytes: peak / 1024 };
}
