import { SiteLine } from './site-line.ts';
import type { Arrival, SiteLimits } from './site-limits.ts';

/**
 * Between the times at which the jobs that one site holds back come again by themselves: when one of the site ends, the next is
 * called at once, so this is only how long it takes when the worker that would call it has died, or is another.
 */
const SPACING_MS = 1_000;

/** The last of many comes by itself after so long: only a worker that has held them back can call them, and it may have been killed. */
const LONGEST_MS = 30_000;

/** A worker that has to end has time for so many calls. What is left comes by itself. */
const MOST_CALLED = 1_000;

/** What the gate must know and do on the server. */
export interface GateServer {
  /**
   * How many jobs of a site are active in other processes and became so before this one: so many that matters, counting ends at `enough`.
   * Where that cannot be told, they count.
   */
  activeElsewhere(job: Arrival, enough: number): Promise<number>;
  /** Has a job that was held back taken next. It may be gone. */
  call(id: string): Promise<void>;
  now(): number;
}

/**
 * Keeps a site with many jobs, or with jobs that hang, from taking all places of the workers. A job whose site is at its limit gives its
 * place back within a moment and waits on the server, each a second later than the one before it, up to half a minute; so what waits
 * costs little, however much it is, and the order of the other sites is that of the queue. When a job of the site ends the next one is called.
 *
 * Open BullMQ has no groups. A queue for each site would take a connection for each in every worker, and one list for each worker process would
 * not hold over several.
 */
export class SiteGate {
  readonly #limits: (site: string) => SiteLimits;
  readonly #server: GateServer;
  readonly #lines = new Map<string, SiteLine>();

  constructor(limits: (site: string) => SiteLimits, server: GateServer) {
    this.#limits = limits;
    this.#server = server;
  }

  /**
   * Whether a job may run; then `left` is to be called when its step has ended. If not, `hold` is called with how many milliseconds it
   * is to wait, and has put it back when it resolves.
   */
  async admit(job: Arrival, hold: (ms: number) => Promise<void>): Promise<boolean> {
    const limits = this.#limits(job.site);
    const line = this.#line(job.site);
    line.forget(job.id);
    const endedBefore = line.ended;
    const wait = await line.alone(async () => {
      const pause = line.rateWait(limits, this.#server.now());
      const room = limits.concurrency - line.running;
      if (pause > 0 || room <= 0 || (await this.#server.activeElsewhere(job, room)) >= room) return Math.max(pause, SPACING_MS);
      line.begin(limits, this.#server.now());
      return undefined;
    });
    if (wait === undefined) return true;
    // Not to the millisecond: two workers that held each other's job back are not to meet again.
    await hold(Math.round(wait + Math.min(LONGEST_MS, SPACING_MS * line.placeOf(job)) + (SPACING_MS * Math.random()) / 2));
    // Only now can it be called.
    line.insert(job);
    if (line.ended !== endedBefore) await this.#callNext(job.site);
    return false;
  }

  /** The step of a job that was admitted has ended. */
  left(site: string): void {
    this.#line(site).end();
  }

  /** A job of this site, here or elsewhere, is not active any more: the next that was held back is called. */
  async ended(site: string): Promise<void> {
    const line = this.#lines.get(site);
    if (line === undefined) return;
    line.ended += 1;
    await this.#callNext(site);
  }

  /** Calls all that were held back, for other workers to take: this one ends. */
  async callAll(): Promise<void> {
    const ids = [...this.#lines.values()].flatMap((line) => line.takeAll());
    await Promise.all(ids.slice(0, MOST_CALLED).map((id) => this.#server.call(id)));
  }

  async #callNext(site: string): Promise<void> {
    const line = this.#line(site);
    if (line.rateWait(this.#limits(site), this.#server.now()) > 0) return;
    const id = line.takeFirst();
    if (id !== undefined) await this.#server.call(id);
  }

  #line(site: string): SiteLine {
    const line = this.#lines.get(site) ?? new SiteLine();
    this.#lines.set(site, line);
    return line;
  }
}
