import { LifeboatError } from './errors.ts';

/** What a step of a job may use. */
export interface Budget {
  /** By when the step has to have stopped, ms since 1970. Undefined: it may take any time. */
  readonly deadline?: number | undefined;
  /** Bytes of memory that the whole process may take. Undefined: as the machine has. */
  readonly memory?: number | undefined;
}

/** The part of what is left that a step keeps for putting away what it has done. */
const RESERVE = 0.2;
/** At least, and at most, this much of it, ms. */
const LEAST_RESERVE = 500;
const MOST_RESERVE = 20_000;

/**
 * A signal that fires when the step should begin to put away what it has done: a fifth of its time, at most 20 s, before the
 * deadline. Never without a deadline. `clear` ends the timer.
 */
export function stopSignal(budget: Budget, now: number): { readonly signal: AbortSignal; clear(): void } {
  const controller = new AbortController();
  if (budget.deadline === undefined) return { signal: controller.signal, clear: () => {} };
  const left = budget.deadline - now;
  const reserve = Math.min(MOST_RESERVE, Math.max(LEAST_RESERVE, left * RESERVE));
  const timer = setTimeout(() => controller.abort(new OutOfTime()), Math.max(0, left - reserve));
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}

/** Why a step is to stop that somebody has cancelled: it is not gone on with. */
export class Cancelled extends LifeboatError {
  constructor() {
    super('LB_INTERRUPTED', 'The job was cancelled');
  }
}

/** Why `stopSignal` fired. */
export class OutOfTime extends Error {
  constructor() {
    super('The time of this step is used up');
    this.name = 'OutOfTime';
  }
}
