import type { PlanConfig } from '../config/schema.ts';

/** Copies that make a point safe in a plan that does not say how many: the only vault, else a majority of the vaults. */
export function defaultCopies(vaults: number): number {
  return Math.floor(vaults / 2) + 1;
}

/** How many vaults of the plan must hold a point for it to be safe. */
export function copiesOf(plan: Pick<PlanConfig, 'vaults' | 'copies'>): number {
  return plan.copies ?? defaultCopies(plan.vaults.length);
}
