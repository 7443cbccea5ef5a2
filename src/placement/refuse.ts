import type { Config } from '../config/load.ts';
import type { PlanConfig } from '../config/schema.ts';
import { LifeboatError } from '../core/errors.ts';
import { placedPlan } from './from-config.ts';
import { nearestPlans } from './nearest.ts';
import { aLevel, changeText, listed, reasonsOf } from './reasons.ts';
import { assess } from './survival.ts';
import { whereIs, whereToChange } from './where.ts';

/** What is wrong with a plan that breaks its promise, for people. */
export interface BrokenPromise {
  /** What is promised and what breaks it: the rest of a sentence about the plan. */
  readonly message: string;
  /** The nearest plan that keeps it. */
  readonly fix: string;
}

/** Why the plan does not keep its promise, and what to do; undefined when it does, or promises nothing. */
export function brokenPromise(config: Config, name: string, plan: PlanConfig): BrokenPromise | undefined {
  const placed = placedPlan(config, plan);
  const { topology, surroundings, mistyped } = placed;
  const { holds, broken } = assess(topology);
  if (holds !== false || topology.outlives === undefined) return undefined;
  const [first, ...others] = reasonsOf(broken, topology);
  const lines = [...new Set(first?.takes.map((thing) => whereIs(config, placed, thing)))];
  const more = others.length > 0 ? `; and ${others.length === 1 ? 'one more loss' : `${others.length} more losses`}` : '';
  const [nearest = []] = nearestPlans(topology, surroundings);
  const changes = nearest.map((change) => `${changeText(change, name, topology)} (${whereToChange(config, placed, name, change)})`);
  return {
    message: `promises to outlive ${aLevel(topology.outlives)}, and does not: ${first?.text ?? ''} (${listed(lines)})${more}`,
    fix: `${[...mistyped, changes.join('; ')].map((text) => `${sentence(text)}.`).join(' ')} \`lifeboat placement ${name}\` shows every loss; without \`outlives\` nothing is promised.`,
  };
}

/** Throws `LB_PLACEMENT_BROKEN` when the plan does not keep what it promises. */
export function refuseBrokenPromise(config: Config, name: string, plan: PlanConfig): void {
  const broken = brokenPromise(config, name, plan);
  if (broken === undefined) return;
  throw new LifeboatError('LB_PLACEMENT_BROKEN', `Plan "${name}" ${broken.message}`, { where: `${config.lineOf(['plans', name, 'outlives'])}: plans.${name}.outlives`, hint: broken.fix });
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
