import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { LifeboatError } from '../../core/errors.ts';
import { removeWithProcesses } from './folders.ts';
import { reportSchema } from './messages.ts';
import type { Report, RequestBody } from './messages.ts';

/** How a process ended: one of the two is there. Both are null when its keeper was lost. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}

type Done = Extract<Report, { tell: 'done' }>;

/** This process's keeper. */
export interface Keeper {
  /** Sends a request and waits for its answer. Rejects with `LB_DRILL_CLUSTER` when it fails or the keeper is gone. */
  ask(body: RequestBody): Promise<Done>;
  /** Settles when the process has ended. To be called at once after it was started. */
  ended(pid: number): Promise<Ended>;
  /** Kills what belongs to a folder and removes it: by the keeper, or without it if it is gone. */
  close(folder: string): Promise<void>;
}

let current: Promise<Keeper> | undefined;

/** The keeper of this process, started if there is none. It ends when this process does. */
export async function connectKeeper(): Promise<Keeper> {
  current ??= startKeeper();
  return await current;
}

interface Waiting {
  readonly resolve: (report: Done) => void;
  readonly reject: (error: Error) => void;
}

async function startKeeper(): Promise<Keeper> {
  const env = { ...process.env };
  // Whatever a test runner or debugger told Node is meant for this process.
  delete env['NODE_OPTIONS'];
  const child = fork(fileURLToPath(new URL('main.ts', import.meta.url)), [], {
    detached: true,
    execArgv: [],
    env,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  return new KeeperConnection(child);
}

class KeeperConnection implements Keeper {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended = new Map<number, (how: Ended) => void>();
  /** Ends that were reported before anybody asked: the report may follow the answer to `start` at once. */
  readonly #early = new Map<number, Ended>();
  #nextId = 1;
  #lost = false;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (message) => this.#take(reportSchema.parse(message)));
    child.once('disconnect', () => this.#lose());
    // Its connection must not keep this process alive; it does while an answer is awaited.
    child.unref();
    child.channel?.unref();
  }

  async ask(body: RequestBody): Promise<Done> {
    if (this.#lost) throw lost();
    const id = this.#nextId++;
    return await new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.channel?.ref();
      this.#child.send({ ...body, id }, (error) => {
        if (error === null) return;
        this.#settle(id)?.reject(lost(error));
        // Told before the connection's own end is, which may be later.
        this.#lose();
      });
    });
  }

  async ended(pid: number): Promise<Ended> {
    const early = this.#early.get(pid);
    this.#early.delete(pid);
    if (early !== undefined) return early;
    return await new Promise((resolve) => this.#ended.set(pid, resolve));
  }

  async close(folder: string): Promise<void> {
    if (!this.#lost) {
      try {
        await this.ask({ do: 'close', folder });
        return;
      } catch (error) {
        if (!this.#lost) throw error;
      }
    }
    await removeWithProcesses(folder);
  }

  #take(report: Report): void {
    switch (report.tell) {
      case 'done':
        this.#settle(report.id)?.resolve(report);
        return;
      case 'failed':
        this.#settle(report.id)?.reject(new LifeboatError('LB_DRILL_CLUSTER', report.message));
        return;
      case 'ended': {
        const { pid, code, signal } = report;
        const resolve = this.#ended.get(pid);
        this.#ended.delete(pid);
        if (resolve === undefined) this.#early.set(pid, { code, signal });
        else resolve({ code, signal });
      }
    }
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#child.channel?.unref();
    return waiting;
  }

  /** Somebody killed the keeper. A new one is started when one is needed; open folders are closed without it. */
  #lose(): void {
    if (this.#lost) return;
    this.#lost = true;
    current = undefined;
    for (const id of this.#waiting.keys()) this.#settle(id)?.reject(lost());
    for (const resolve of this.#ended.values()) resolve({ code: null, signal: null });
    this.#ended.clear();
  }
}

function lost(cause?: unknown): LifeboatError {
  return new LifeboatError('LB_DRILL_CLUSTER', 'The process that keeps the servers is gone', { cause });
}
