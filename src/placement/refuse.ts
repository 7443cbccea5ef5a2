import type { Config } from '../config/load.ts';
import type { PlanConfig } from '../config/schema.ts';
import { LifeboatError } from '../core/errors.ts';
import { placedPlan } from './from-config.ts';
import { nearestPlans } from './nearest.ts';
import { aLevel, changeText, reasonsOf } from './reasons.ts';
import { assess } from './survival.ts';

/** What is wrong with a plan that breaks its promise, for people. */
export interface BrokenPromise {
  /** What is promised and what breaks it: the rest of a sentence about the plan. */
  readonly message: string;
  /** The nearest plan that keeps it. */
  readonly fix: string;
}

/** Why the plan does not keep its promise, and what to do; undefined when it does, or promises nothing. */
export function brokenPromise(config: Config, name: string, plan: PlanConfig): BrokenPromise | undefined {
  const { topology, surroundings } = placedPlan(config, plan);
  const { holds, broken } = assess(topology);
  if (holds !== false || topology.outlives === undefined) return undefined;
  const reasons = reasonsOf(broken, topology);
  const more = reasons.length > 1 ? ` (and ${reasons.length - 1} more)` : '';
  const [nearest = []] = nearestPlans(topology, surroundings);
  return {
    message: `promises to outlive ${aLevel(topology.outlives)}, and does not: ${reasons[0] ?? ''}${more}`,
    fix: `${sentence(nearest.map((change) => changeText(change, name, topology)).join('; '))}. \`lifeboat placement ${name}\` shows every loss; without \`outlives\` nothing is promised.`,
  };
}

/** Throws `LB_PLACEMENT_BROKEN` when the plan does not keep what it promises. */
export function refuseBrokenPromise(config: Config, name: string, plan: PlanConfig): void {
  const broken = brokenPromise(config, name, plan);
  if (broken === undefined) return;
  throw new LifeboatError('LB_PLACEMENT_BROKEN', `Plan "${name}" ${broken.message}`, { where: `${config.file}: plans.${name}.outlives`, hint: broken.fix });
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
