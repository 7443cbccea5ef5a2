import { EXIT } from '../../core/error-codes.ts';
import { lastDrillsOf } from '../../jobs/last-drill.ts';
import { readPlanStates } from '../../jobs/plan-state.ts';
import type { Context } from '../context.ts';
import { statusText } from './text.ts';

/** `lifeboat status`: how the plans stand. Exit 3 when something that is promised is not so. */
export async function status(context: Context, name: string | undefined): Promise<number> {
  const chosen = name === undefined ? undefined : await context.plan(name);
  const states = await readPlanStates(context, { lastDrills: lastDrillsOf });
  const plans = states.plans.filter(({ plan }) => chosen === undefined || plan === chosen.name);
  const vaults = states.vaults.filter(({ vault }) => plans.some((plan) => plan.vaults.some((one) => one.vault === vault)));
  const ok = plans.every(({ onTime, rto }) => onTime && rto.met !== false);
  await context.output.result({ ok, at: states.at, plans, vaults }, () => statusText({ at: states.at, plans, vaults }, context.output.style));
  return ok ? EXIT.ok : EXIT.partial;
}
