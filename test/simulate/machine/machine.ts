import { AsyncLocalStorage } from 'node:async_hooks';

/** The machine's own, whatever `install.ts` puts in their place. */
const realImmediate = setImmediate;
const realTimeout = setTimeout;

/** How long the machine waits for something outside it, such as a file being read, before it says that all hangs, real ms. */
const PATIENCE = 10_000;

/** One running program. One that was killed does nothing more. */
export class Process {
  readonly name: string;
  /** What its clock is ahead of the machine's, ms. */
  readonly skew: number;
  /** Until when it is halted, by the machine's time. */
  haltedUntil = 0;
  #killed = false;

  constructor(name: string, skew: number) {
    this.name = name;
    this.skew = skew;
  }

  get killed(): boolean {
    return this.#killed;
  }

  /** As SIGKILL. */
  kill(): void {
    this.#killed = true;
  }
}

const running = new AsyncLocalStorage<Process>();

/** A timer of the simulated machine; what code expects of Node's own. */
export class Timer {
  readonly #machine: Machine;
  readonly #ms: number;
  readonly #callback: () => void;
  readonly #inContext = AsyncLocalStorage.snapshot();
  readonly process = running.getStore();
  at = 0;
  /** Which of two that are due at one moment was set first. */
  order = 0;

  constructor(machine: Machine, ms: number, callback: () => void) {
    this.#machine = machine;
    this.#ms = Math.max(0, Math.round(ms));
    this.#callback = callback;
    this.refresh();
  }

  refresh(): this {
    this.at = this.#machine.now() + this.#ms;
    this.#machine.setTimer(this);
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  /** When it rings: later than it was set for, if its process is halted then. */
  get due(): number {
    return Math.max(this.at, this.process?.haltedUntil ?? 0);
  }

  fire(): void {
    this.#inContext(this.#callback);
  }
}

/**
 * A machine in which one thing happens after the other, and always in the same order: what the thread pool works on is
 * handed back in the order it was given there, then timers ring, each at its time. Time passes only when nothing else is to do.
 */
export class Machine {
  #now: number;
  #orders = 0;
  readonly #timers = new Set<Timer>();
  readonly #jobs: { readonly done: Promise<unknown>; readonly deliver: () => void; readonly process: Process | undefined }[] = [];
  /** Things that happened. */
  events = 0;

  constructor(startsAt: number) {
    this.#now = startsAt;
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#now;
  }

  /** What the clock shows to whoever asks. */
  clock(): number {
    return this.#now + (running.getStore()?.skew ?? 0);
  }

  setTimer(timer: Timer): void {
    timer.order = ++this.#orders;
    this.#timers.add(timer);
  }

  clearTimer(timer: Timer): void {
    this.#timers.delete(timer);
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => new Timer(this, ms, resolve));
  }

  /** The same for what is on its way outside, and arrives whatever becomes of the program that sent it. */
  travel(ms: number): Promise<void> {
    return running.exit(() => this.sleep(ms));
  }

  /** As SIGSTOP, and SIGCONT after `ms`: meanwhile none of its timers rings, and nothing that comes for it is given to it. */
  halt(process: Process, ms: number): void {
    process.haltedUntil = this.#now + Math.round(ms);
    // Time must go on so far, even when nothing else will happen.
    running.exit(() => new Timer(this, ms, () => {}));
  }

  /** Resolves at once, or when the process goes on: after the timers that were due meanwhile, as in Node. */
  async awake(process: Process): Promise<void> {
    if (process.haltedUntil > this.#now) await running.run(process, () => this.sleep(process.haltedUntil - this.#now));
  }

  /** What a thread makes of something, handed back when everything that was begun before has been. */
  offload<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const deliver = (): void => void work.then(resolve, reject);
      this.#jobs.push({ done: work.catch(() => {}), deliver, process: running.getStore() });
    });
  }

  /** Runs a program. Never resolves when it is killed. */
  spawn<T>(process: Process, main: () => Promise<T>): Promise<T> {
    return running.run(process, () => new Promise<T>((resolve, reject) => {
      main().then(
        (value) => {
          if (!process.killed) resolve(value);
        },
        (error: unknown) => {
          if (!process.killed) reject(error);
        },
      );
    }));
  }

  /** Lets everything happen until `main` has ended. Throws when it never will. */
  async run<T>(main: () => Promise<T>): Promise<T> {
    const ended: { outcome?: PromiseSettledResult<T> } = {};
    const outcome = main().then(
      (value) => void (ended.outcome = { status: 'fulfilled', value }),
      (reason: unknown) => void (ended.outcome = { status: 'rejected', reason }),
    );
    for (let idle = 0; ended.outcome === undefined; ) {
      await turn();
      if (ended.outcome !== undefined) break;
      if (await this.#step()) {
        idle = 0;
        this.events++;
        continue;
      }
      if (idle >= PATIENCE) throw new Error('Everything waits, and nothing will ever happen');
      await new Promise((resolve) => realTimeout(resolve, 1));
      idle++;
    }
    await outcome;
    if (ended.outcome?.status === 'fulfilled') return ended.outcome.value;
    throw ended.outcome?.reason;
  }

  async #step(): Promise<boolean> {
    const next = this.#jobs.findIndex(({ process }) => (process?.haltedUntil ?? 0) <= this.#now);
    const [job] = next < 0 ? [] : this.#jobs.splice(next, 1);
    if (job !== undefined) {
      await job.done;
      job.deliver();
      return true;
    }
    const timer = this.#nextTimer();
    if (timer === undefined) return false;
    this.#timers.delete(timer);
    this.#now = Math.max(this.#now, timer.due);
    if (timer.process?.killed !== true) timer.fire();
    return true;
  }

  #nextTimer(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (next === undefined || isBefore(timer, next)) next = timer;
    return next;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return (a.due - b.due || a.at - b.at || a.order - b.order) < 0;
}

/** Everything that is ready has run when this resolves: promises and ticks go before it. */
function turn(): Promise<void> {
  return new Promise((resolve) => realImmediate(resolve));
}
