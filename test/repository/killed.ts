import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { madeUp } from './scene.ts';

/** What the child backs up: each generation changes a tenth of the objects. */
export function generationRecords(generation: number, part: number): Buffer[] {
  return Array.from({ length: 300 }, (_, i) => {
    const number = part * 300 + i;
    return madeUp(number, 2000, number % 10 === generation % 10 ? generation : 0);
  });
}

/**
 * Runs a script of this folder until it has printed `lines` lines after its first and for `ms` more, then kills it; gives
 * the whole lines it had printed after the first. One that ends by itself is not killed.
 */
export async function runAndKill(script: string, args: readonly string[], lines: number, ms: number): Promise<string[]> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    let output = '';
    const exited = once(child, 'exit');
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    while (output.split('\n').length < lines + 2 && child.exitCode === null) await sleep(2);
    await sleep(ms);
    child.kill('SIGKILL');
    await exited;
    // A line may have been cut off in the middle.
    return output.split('\n').slice(1, -1);
  } finally {
    child.kill('SIGKILL');
  }
}
