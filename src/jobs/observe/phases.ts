import type { Progress } from '../../core/progress.ts';

/** A phase of a step, as its progress told of it. Times are milliseconds since 1970. */
export interface Phase {
  readonly name: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly done: number;
  readonly unit: Progress['unit'];
  readonly bytes: number | undefined;
}

/** No step has more; what makes up names of phases must not fill the memory. */
const MOST_PHASES = 32;

/** Makes phases of progress: each from when it was first heard of to when last. They may go on at the same time. */
export class Phases {
  readonly #phases = new Map<string, { startedAt: number; endedAt: number; latest: Progress }>();

  heard(progress: Progress, now: number): void {
    const phase = this.#phases.get(progress.phase);
    if (phase !== undefined) {
      // What goes on telling that it is done is not going on.
      if (phase.latest.total === undefined || phase.latest.done < phase.latest.total || progress.done < phase.latest.done) phase.endedAt = now;
      phase.latest = progress;
    } else if (this.#phases.size < MOST_PHASES) this.#phases.set(progress.phase, { startedAt: now, endedAt: now, latest: progress });
  }

  all(): readonly Phase[] {
    return [...this.#phases].map(([name, { startedAt, endedAt, latest }]) => ({ name, startedAt, endedAt, done: latest.done, unit: latest.unit, bytes: latest.unit === 'bytes' ? latest.done : latest.bytes }));
  }
}
