import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** How a process ended, and what it had said until then. */
export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lines: readonly string[];
}

interface Waiting {
  readonly what: string;
  readonly is: (line: string) => boolean;
  readonly resolve: (line: string) => void;
  readonly reject: (error: Error) => void;
}

/** A process of a test that says on standard output, line by line, how far it is, and goes on when told to. */
export class Child implements AsyncDisposable {
  readonly lines: string[] = [];
  /** When the first word of a line was first heard, in milliseconds of `performance.now()`. */
  readonly times = new Map<string, number>();
  readonly ended: Promise<End>;
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  #waiting: Waiting[] = [];
  #complaint = '';
  #end: End | undefined;

  /** Runs a script of this folder, or one at a URL. */
  constructor(script: string | URL, args: readonly string[]) {
    const env: NodeJS.ProcessEnv = { ...process.env };
    // Options of the test runner are not meant for it.
    delete env['NODE_OPTIONS'];
    const path = fileURLToPath(new URL(script, import.meta.url));
    this.#process = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', path, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
    // It may be killed at any moment: then nobody reads what it is told.
    this.#process.stdin.on('error', () => undefined);
    this.#process.stderr.on('data', (text: Buffer) => {
      this.#complaint += text.toString('utf8');
    });
    createInterface(this.#process.stdout).on('line', (line) => this.#hear(line));
    this.ended = new Promise((resolve) => {
      this.#process.once('close', (code, signal) => {
        this.#end = { code, signal, lines: this.lines };
        for (const { reject, what } of this.#waiting.splice(0)) reject(this.#endedBefore(what));
        resolve(this.#end);
      });
    });
  }

  /** The first line that begins with `mark`, as soon as it is said. Rejects when the process ends without it. */
  until(mark: string): Promise<string> {
    return this.when((line) => line.startsWith(mark), mark);
  }

  /** As `until`, for the first line that is as wanted. */
  async when(is: (line: string) => boolean, what = 'what was waited for'): Promise<string> {
    const said = this.lines.find(is);
    if (said !== undefined) return said;
    if (this.#end !== undefined) throw this.#endedBefore(what);
    return new Promise((resolve, reject) => this.#waiting.push({ what, is, resolve, reject }));
  }

  /** Lets it go on from where it waits. */
  tell(line = 'go'): void {
    this.#process.stdin.write(`${line}\n`);
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Ends it with SIGKILL, if it has not ended, and waits until it is gone. */
  async kill(): Promise<End> {
    this.#process.kill('SIGKILL');
    return this.ended;
  }

  /** Waits until it ends by itself. Throws what it complained of when it did not end well. */
  async finished(): Promise<End> {
    const end = await this.ended;
    if (end.code !== 0) throw new Error(`the process ended with ${end.code ?? end.signal ?? ''}: ${this.#complaint}`);
    return end;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #hear(line: string): void {
    // What was cut off in the middle of a line by a kill is no line: readline gives it all the same, at the end.
    this.lines.push(line);
    const [word = ''] = line.split(' ');
    if (!this.times.has(word)) this.times.set(word, performance.now());
    const met = this.#waiting.filter(({ is }) => is(line));
    this.#waiting = this.#waiting.filter((waiting) => !met.includes(waiting));
    for (const { resolve } of met) resolve(line);
  }

  #endedBefore(what: string): Error {
    return new Error(`the process ended before it said "${what}": ${this.#complaint}`);
  }
}
