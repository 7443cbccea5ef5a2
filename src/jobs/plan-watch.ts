import type { Surroundings } from '../access/surroundings.ts';
import { systemClock } from '../core/clock.ts';
import type { Clock } from '../core/clock.ts';
import type { PlanGauges, VaultGauges } from '../telemetry/metrics/plans.ts';
import { emptyMemory, readPlanStates } from './plan-state.ts';
import type { PlanState, PlanStates, ReadStateOptions, VaultState } from './plan-state.ts';

/** The vaults are looked at this often at most, ms. */
const EVERY = 60_000;

export interface PlanWatchOptions extends Pick<ReadStateOptions, 'lastDrills'> {
  /** Of nobody's step. */
  readonly surroundings: Surroundings;
  readonly clock?: Clock;
  readonly every?: number;
}

/** How the plans stand, for all in a process who want to know: whoever asks in the same minute is told the same. */
export class PlanWatch {
  readonly #options: PlanWatchOptions;
  readonly #clock: Clock;
  readonly #memory = emptyMemory();
  #states: PlanStates | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<PlanStates> | undefined;

  constructor(options: PlanWatchOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Throws what `readPlanStates` throws. */
  async read(): Promise<PlanStates> {
    const { every = EVERY } = this.#options;
    if (this.#states !== undefined && this.#clock.now() - this.#readAt < every) return this.#states;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<PlanStates> {
    const now = this.#clock.now();
    const { surroundings, lastDrills } = this.#options;
    const states = await readPlanStates(surroundings, { now, memory: this.#memory, ...(lastDrills !== undefined && { lastDrills }) });
    this.#states = states;
    this.#readAt = now;
    return states;
  }
}

/** The same as metrics tell it. */
export function gaugesOf({ plan, safe, vaults, rpo, rto, schedules, drill }: PlanState): PlanGauges {
  return {
    plan,
    safePointAt: time(safe?.at),
    vaults: vaults.map(({ vault, point }) => ({ vault, pointAt: time(point?.at) })),
    rpo: { objective: ms(rpo.objectiveSeconds), met: rpo.met },
    rto: { objective: ms(rto.objectiveSeconds), measured: ms(rto.seconds), met: rto.met },
    schedules: schedules.map(({ kind, slot, next, met }) => ({ kind, slot: time(slot), next: time(next), met })),
    drill: drill === undefined ? undefined : { at: Date.parse(drill.at), ok: drill.ok },
  };
}

export function vaultGaugesOf({ vault, reachable, verified }: VaultState): VaultGauges {
  return { vault, reachable, verifiedAt: time(verified?.last), fullyVerifiedAt: time(verified?.full), findings: verified?.findings };
}

function time(at: string | undefined): number | undefined {
  return at === undefined ? undefined : Date.parse(at);
}

function ms(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}
