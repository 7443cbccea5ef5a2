import { Worker } from 'node:worker_threads';
import { LifeboatError } from '../../core/errors.ts';
import { ThreadWork } from './thread-work.ts';
import type { ThreadCalls, ThreadSetup } from './thread-work.ts';

export type Call = keyof ThreadCalls;
export type JobOf<C extends Call> = Parameters<ThreadCalls[C]>[0];
export type ResultOf<C extends Call> = ReturnType<ThreadCalls[C]>;

/** What is sent to a thread, and what it answers. */
export type Request = { readonly [C in Call]: { readonly call: C; readonly job: JobOf<C> } }[Call];
export type Answer = { readonly result: ResultOf<Call> } | { readonly problem: string };

/** Sent to a thread after its last call. */
export const END = 'end';

/** Does calls one after the other, in the order in which they were made. */
export interface Thread {
  /** Calls made and not answered yet. */
  readonly pending: number;
  run<C extends Call>(call: C, job: JobOf<C>): Promise<ResultOf<C>>;
  /** Ends it: what is pending is rejected at once. Resolves when it has ended, and never rejects. */
  end(): Promise<void>;
}

/** Does the work in this thread: for so little of it that starting another would take longer. */
export class OwnThread implements Thread {
  readonly pending = 0;
  readonly #work: ThreadWork;

  constructor(setup: ThreadSetup) {
    this.#work = new ThreadWork(setup);
  }

  async run<C extends Call>(call: C, job: JobOf<C>): Promise<ResultOf<C>> {
    return answerTo(this.#work, { call, job } as Request) as ResultOf<C>;
  }

  async end(): Promise<void> {
    // Nothing is left behind.
  }
}

/** A thread of its own (`worker.ts`), which does not keep the process alive while nothing is asked of it. */
export class WorkerThread implements Thread {
  readonly #worker: Worker;
  /** In the order of the calls, which is that of the answers. */
  readonly #waiting: { readonly resolve: (result: unknown) => void; readonly reject: (error: Error) => void }[] = [];
  readonly #exited: Promise<void>;
  #failure: Error | undefined;

  constructor(setup: ThreadSetup) {
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: setup, name: 'lifeboat-bulk' });
    this.#worker.unref();
    this.#worker.on('message', (answer: Answer) => this.#answered(answer));
    this.#worker.on('error', (error: Error) => this.#fail(error));
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        this.#fail(new Error('it has ended'));
        resolve();
      });
    });
  }

  get pending(): number {
    return this.#waiting.length;
  }

  run<C extends Call>(call: C, job: JobOf<C>): Promise<ResultOf<C>> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise<ResultOf<C>>((resolve, reject) => {
      if (this.#waiting.length === 0) this.#worker.ref();
      this.#waiting.push({ resolve: (result) => resolve(result as ResultOf<C>), reject });
      this.#worker.postMessage({ call, job }, 'memory' in job ? [job.memory] : []);
    });
  }

  /**
   * It does what it was asked for before, a few hundredths of a second, and ends by itself. Not `terminate()`: where that meets zstd being set up, Node 24 ends
   * the whole process ("close before init" in node_zlib.cc). So would leaving the process, which therefore waits.
   */
  end(): Promise<void> {
    this.#fail(new Error('it was ended'));
    this.#worker.ref();
    this.#worker.postMessage(END, []);
    return this.#exited;
  }

  #answered(answer: Answer): void {
    const waiting = this.#waiting.shift();
    if (this.#waiting.length === 0) this.#worker.unref();
    if ('problem' in answer) waiting?.reject(failed(answer.problem));
    else waiting?.resolve(answer.result);
  }

  #fail(cause: Error): void {
    this.#failure ??= failed(cause.message, cause);
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}

function failed(what: string, cause?: Error): LifeboatError {
  return new LifeboatError('LB_INTERNAL', `A thread failed: ${what}`, cause === undefined ? {} : { cause });
}

/** Does one call. */
export function answerTo(work: ThreadWork, request: Request): ResultOf<Call> {
  switch (request.call) {
    case 'cut':
      return work.cut(request.job);
    case 'name':
      return work.name(request.job);
    case 'begin':
      return work.begin(request.job);
    case 'fill':
      return work.fill(request.job);
    case 'close':
      return work.close(request.job);
    case 'open':
      return work.open(request.job);
    default:
      return request satisfies never;
  }
}
