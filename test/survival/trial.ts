import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { backup } from '../../src/pipeline/backup.ts';
import { liveSource } from '../../src/pipeline/sources.ts';
import type { Place } from '../pipeline/scene.ts';
import { Child } from './child.ts';
import type { Random } from './random.ts';
import { digestsOf } from './state.ts';
import type { Store } from './store.ts';

/** What a backup says on its way; it is killed between two of these. */
const MARKS = ['started', 'begun', 'commit', 'point'] as const;
type Mark = (typeof MARKS)[number];

/** How long backups take from one mark to the next: learned from those seen so far, in milliseconds. */
export class Pace {
  readonly #typical = new Map<Mark, number>();

  learn(times: ReadonlyMap<string, number>): void {
    for (const [i, mark] of MARKS.entries()) {
      const from = times.get(mark);
      const to = times.get(MARKS[i + 1] ?? mark);
      if (from === undefined || to === undefined) continue;
      const known = this.#typical.get(mark) ?? to - from;
      this.#typical.set(mark, known + (to - from - known) / 4);
    }
  }

  after(mark: Mark): number {
    return this.#typical.get(mark) ?? 50;
  }
}

/** One repository, the backups that are killed while they fill it, and what its points must hold. */
export class Trial {
  readonly #place: Place;
  readonly #store: Store;
  readonly #pace: Pace;
  readonly #random: Random;
  readonly #job: string;
  /** What the site held when a point was made, by the point's id. */
  readonly states = new Map<string, Record<string, string>>();
  /** What the site holds now, by an uninterrupted cut. */
  #expected: Record<string, string> = {};
  #next: Child | undefined;

  constructor(parts: { readonly place: Place; readonly store: Store; readonly pace: Pace; readonly random: Random; readonly job: string }) {
    this.#place = parts.place;
    this.#store = parts.store;
    this.#pace = parts.pace;
    this.#random = parts.random;
    this.#job = parts.job;
  }

  /** One backup that is not killed: from it is learned how long one takes. */
  async practise(): Promise<void> {
    const child = this.#start();
    await this.#look();
    await child.until('ready');
    child.tell();
    const { lines } = await child.finished();
    this.#pace.learn(child.times);
    await this.#seePoints(lines);
  }

  /** Starts a backup of what the site holds now, and kills it somewhere; false when it was done before. */
  async killOne(): Promise<boolean> {
    const child = this.#next ?? this.#start();
    await this.#look();
    await child.until('ready');
    child.tell();
    const mark = this.#random.pick(MARKS.slice(0, -1));
    await child.until(mark);
    await sleep(this.#random.next() * this.#pace.after(mark));
    const { signal, lines } = await child.kill();
    this.#pace.learn(child.times);
    this.#next = this.#start();
    await this.#seePoints(lines);
    return signal === 'SIGKILL' && !lines.some((line) => line.startsWith('point'));
  }

  /** The backup after one that was killed, uninterrupted. */
  async goOn(): Promise<void> {
    const { point } = await backup({ connection: this.#place.connection, writer: this.#store.writer, site: 'prod' });
    expect(point).toMatchObject({ vaults: ['near', 'far'], failed: [] });
    this.states.set(point.header.id, this.#expected);
  }

  async end(): Promise<void> {
    await this.#next?.kill();
  }

  async #look(): Promise<void> {
    this.#expected = await digestsOf(await liveSource(this.#place.connection));
  }

  /** No vault shows a point that cannot be opened from it alone. */
  async #seePoints(said: readonly string[]): Promise<void> {
    for (const reader of this.#store.readers) {
      for (const { id, problem } of await reader.listPoints()) {
        expect(problem).toBeUndefined();
        if (this.states.has(id)) continue;
        await reader.open(id);
        this.states.set(id, this.#expected);
      }
    }
    const acknowledged = said.find((line) => /^point \S+ near,far$/.test(line))?.split(' ')[1];
    if (acknowledged !== undefined) expect([...this.states.keys()]).toContain(acknowledged);
  }

  #start(): Child {
    return new Child('backup.child.ts', [this.#job]);
  }
}
