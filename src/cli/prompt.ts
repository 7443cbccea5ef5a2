import { createInterface } from 'node:readline/promises';
import type { Interface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { LifeboatError } from '../core/errors.ts';
import type { Terminal } from './output.ts';

/** True when someone can be asked something. */
export function canAsk(terminal: Terminal): boolean {
  return terminal.stdin.isTTY && terminal.stderr.isTTY;
}

/** Asks a yes-or-no question on stderr; only `y` and `yes` are yes. Rejects when `signal` fires or input ends. */
export async function confirm(terminal: Terminal, question: string, signal: AbortSignal): Promise<boolean> {
  const answer = await ask(terminal, terminal.stderr, signal, (lines) => lines.question(`${question} [y/N] `, { signal }));
  return /^y(es)?$/i.test(answer.trim());
}

/** Asks for something that must not be seen. Rejects when `signal` fires or input ends. */
export async function askSecret(terminal: Terminal, question: string, signal: AbortSignal): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  try {
    return await ask(terminal, silent, signal, (lines) => {
      // Only now is the terminal told not to echo: whoever types at once on seeing the question must not be seen either.
      terminal.stderr.write(question);
      return lines.question('', { signal });
    });
  } finally {
    terminal.stderr.write('\n');
  }
}

async function ask(terminal: Terminal, output: NodeJS.WritableStream, signal: AbortSignal, question: (lines: Interface) => Promise<string>): Promise<string> {
  signal.throwIfAborted();
  const lines = createInterface({ input: terminal.stdin, output, terminal: true });
  // On a terminal in raw mode Ctrl-C is a key, not a signal.
  lines.on('SIGINT', () => process.emit('SIGINT'));
  try {
    return await Promise.race([
      question(lines),
      new Promise<never>((_resolve, reject) => {
        lines.once('close', () => reject(new LifeboatError('LB_INTERRUPTED', 'The question was not answered')));
      }),
    ]);
  } finally {
    lines.close();
  }
}
