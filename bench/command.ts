import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { LAUNCHER } from '../test/support/launcher.ts';
import { PROJECT } from '../infra/bundle/bundle.ts';
import { bundleProgram } from '../infra/cli/build.ts';
import { cacheFolder } from '../test/testbed/cache.ts';

/** What running a command took. */
export interface CommandRun {
  readonly seconds: number;
  /** The most memory it ever had resident, in MiB. */
  readonly peakMegabytes: number;
  /** Processor time of it and of what it started, in seconds. */
  readonly cpuSeconds: number;
  readonly output: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: NodeJS.ProcessEnv;
}

const LOOK_EVERY_MS = 50;
/** Of the times in `/proc`: the kernel gives user programs a hundred a second, whatever it does itself. */
const TICKS_PER_SECOND = 100;

const bundles = new Map<string, Promise<string>>();

/** Runs a script that stands for a command of lifeboat, and measures it: bundled, as the command line is. As the launcher does, it finds compiled what was compiled before. */
export async function runScript(script: string, args: readonly string[]): Promise<CommandRun> {
  const name = basename(script, '.child.ts');
  const bundle = bundles.get(script) ?? bundleProgram(join(PROJECT, 'node_modules/.cache/lifeboat-bench', name), `bench/${name}`, script);
  bundles.set(script, bundle);
  const env = { NODE_COMPILE_CACHE: join(cacheFolder(), 'compiled') };
  return runMeasured(process.execPath, ['--disable-warning=ExperimentalWarning', await bundle, ...args], { env });
}

/** Runs `lifeboat` in a folder, and measures it. Throws with its output when it fails. */
export function runCommand(folder: string, args: readonly string[]): Promise<CommandRun> {
  return runMeasured(process.execPath, [LAUNCHER, ...args], { cwd: folder });
}

/** Runs a program and measures it, starting included. One at a time. Throws with its last output when it fails. */
export async function runMeasured(program: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandRun> {
  const before = childTicks();
  const began = performance.now();
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-4000)));
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
    const seconds = (performance.now() - began) / 1000;
    if (code !== 0) throw new Error(`${program} ${args.slice(0, 3).join(' ')} ended with ${code}:\n${output.slice(-4000)}${errors}`);
    return { seconds, peakMegabytes: peak / 1024, cpuSeconds: (childTicks() - before) / TICKS_PER_SECOND, output };
  } finally {
    clearInterval(look);
  }
}

/** Processor time of all children that have ended: fields 16 and 17 of `/proc/self/stat`, counted from 1. */
function childTicks(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[13]) + Number(fields[14]);
}
