import type { PlanConfig } from '../config/schema.ts';
import { defaultCopies } from '../core/copies.ts';

/** How many vaults of the plan must hold a point for it to be safe. */
export function copiesOf(plan: Pick<PlanConfig, 'vaults' | 'copies'>): number {
  return plan.copies ?? defaultCopies(plan.vaults.length);
}
