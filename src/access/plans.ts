import type { PlanConfig } from '../config/schema.ts';
import type { Surroundings } from './surroundings.ts';
import { unknownName } from './surroundings.ts';

/** A plan and its name in lifeboat.yaml. */
export interface NamedPlan {
  readonly name: string;
  readonly plan: PlanConfig;
}

/** A plan of lifeboat.yaml. Throws `LB_USAGE` when there is none of this name. */
export async function planOf(surroundings: Surroundings, name: string): Promise<NamedPlan> {
  const config = await surroundings.config();
  const plan = config.plans.get(name);
  if (plan === undefined) throw await unknownName('plan', name, [...config.plans.keys()], config.file);
  return { name, plan };
}
