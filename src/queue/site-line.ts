import type { Arrival, SiteLimits } from './site-limits.ts';
import { Turns } from './turns.ts';

/** What a worker process knows of one site: what of it runs here, and what waits. */
export class SiteLine {
  /** Steps that run here. */
  running = 0;
  /** Counts jobs that ended: one that ends while another is being put back may be the last to call it. */
  ended = 0;
  readonly #turns = new Turns();
  /** What was held back, who comes next first. */
  #held: Arrival[] = [];
  #starts: number[] = [];

  /** One job of a site at a time is decided on, so that each counts those before it. */
  async alone<T>(decide: () => Promise<T>): Promise<T> {
    const endTurn = await this.#turns.take();
    try {
      return await decide();
    } finally {
      endTurn();
    }
  }

  begin({ rate }: SiteLimits, now: number): void {
    this.running += 1;
    if (rate !== undefined) this.#starts.push(now);
  }

  end(): void {
    this.running -= 1;
  }

  /** Milliseconds until another step may begin. */
  rateWait({ rate }: SiteLimits, now: number): number {
    if (rate === undefined) return 0;
    const since = now - rate.perMs;
    this.#starts = this.#starts.filter((start) => start > since);
    const oldest = this.#starts[this.#starts.length - rate.max];
    return oldest === undefined ? 0 : oldest - since;
  }

  /** How many of those that wait come before it. */
  placeOf(job: Arrival): number {
    const after = this.#held.findIndex((other) => other.priority > job.priority || (other.priority === job.priority && other.addedAt > job.addedAt));
    return after === -1 ? this.#held.length : after;
  }

  insert(job: Arrival): void {
    this.#held.splice(this.placeOf(job), 0, job);
  }

  forget(id: string): void {
    const at = this.#held.findIndex((held) => held.id === id);
    if (at !== -1) this.#held.splice(at, 1);
  }

  takeFirst(): string | undefined {
    return this.#held.shift()?.id;
  }

  takeAll(): string[] {
    return this.#held.splice(0).map(({ id }) => id);
  }
}
