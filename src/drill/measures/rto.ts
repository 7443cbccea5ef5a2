import { systemClock } from '../../core/clock.ts';
import type { RestoreReport } from '../../pipeline/restore/report.ts';
import type { DrillReport, PhaseTime } from '../report.ts';

/** Times the parts of a drill, in their order. */
export class Phases {
  readonly times: PhaseTime[] = [];
  #current = 'start';

  /** What is going on now, or went on last. */
  get current(): string {
    return this.#current;
  }

  async time<T>(name: string, work: () => Promise<T>): Promise<T> {
    this.#current = name;
    const begun = systemClock.now();
    try {
      return await work();
    } finally {
      this.times.push({ name, seconds: (systemClock.now() - begun) / 1000 });
    }
  }

  /** Puts the parts of a restore in the place of the whole of it. */
  restored(report: RestoreReport): void {
    const parts = report.waves.map(({ name, seconds, objects }) => ({ name, seconds, objects }));
    const phases = report.phases.map(({ name, seconds }) => ({ name, seconds, ...(name === 'apply' && { parts }) }));
    this.times.splice(0, this.times.length, ...this.times.filter(({ name }) => name !== 'restore'), ...phases);
  }
}

/** How long a restore takes, from nothing to a site that was checked. `objective`: how long it may, ms. */
export function measureRto(times: readonly PhaseTime[], complete: boolean, objective: number | undefined): DrillReport['rto'] {
  const seconds = Math.round(times.reduce((sum, phase) => sum + phase.seconds, 0) * 1000) / 1000;
  const late = objective !== undefined && seconds * 1000 > objective;
  return {
    ...(complete && { seconds }),
    ...(objective !== undefined && { objectiveSeconds: objective / 1000 }),
    // One that never got to its end has not shown that it would be in time; one that is late already has missed.
    verdict: objective === undefined ? 'unknown' : late || !complete ? 'missed' : 'met',
    phases: [...times],
  };
}
