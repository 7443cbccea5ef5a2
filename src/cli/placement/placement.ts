import { EXIT } from '../../core/error-codes.ts';
import { domainOfVault, placedPlan } from '../../placement/from-config.ts';
import { doubtsOf } from '../../placement/doubts.ts';
import { monthlyCost } from '../../placement/cost/cost.ts';
import type { MonthlyCost } from '../../placement/cost/cost.ts';
import { nearestPlans } from '../../placement/nearest.ts';
import { assess } from '../../placement/survival.ts';
import type { PlacedPlan } from '../../placement/from-config.ts';
import type { Config } from '../../config/load.ts';
import type { PlanConfig } from '../../config/schema.ts';
import type { Context } from '../context.ts';
import { costDocument, costText } from './cost-text.ts';
import { promiseDocument } from './document.ts';
import { placementText } from './text.ts';
import { compareSlots, lookInto } from './look.ts';
import type { Seen } from './look.ts';
import { usageOf } from './usage.ts';
import type { PlacementOptions, UsageFound } from './usage.ts';

/** `lifeboat placement`: what a plan survives, promises and costs. Exit 4 when it does not keep its promise. */
export async function placement(context: Context, planName: string | undefined, options: PlacementOptions): Promise<number> {
  const { name, plan, config } = await context.plan(planName);
  const placed = placedPlan(config, plan);
  const assessment = assess(placed.topology);
  const seen = options.stored === undefined ? await lookInto(context, config, plan) : NOT_LOOKED;
  const slots = compareSlots(placed, assessment, seen);
  const shown = { plan: name, config, placed, assessment, nearest: nearestPlans(placed.topology, placed.surroundings), slots, doubts: doubtsOf(placed) };
  const usage = usageOf(seen, options);
  const cost = costOf(config, plan, placed, usage);
  const ok = assessment.holds !== false && ('unknown' in slots || slots.findings.every(({ kind }) => kind !== 'breaks'));
  await context.output.result({ ok, ...promiseDocument(shown), cost: costDocument(usage, cost) }, () =>
    [placementText(shown, context.output.style), costText(usage, cost, context.output.style)].join('\n\n'),
  );
  return ok ? EXIT.ok : EXIT.findings;
}

/** With `--stored` nothing is asked: the vaults of a plan that is thought about need not exist. */
const NOT_LOOKED: Seen = { points: { unknown: '' }, slots: { unknown: 'no vault is asked with --stored' }, asked: [], silent: [] };

function costOf(config: Config, plan: PlanConfig, { topology }: PlacedPlan, usage: UsageFound): MonthlyCost | undefined {
  if ('unknown' in usage) return undefined;
  const vaults = plan.vaults.flatMap((name) => {
    const vault = config.vaults.get(name);
    return vault === undefined ? [] : [{ name, type: vault.type, domain: domainOfVault(vault) }];
  });
  const { place } = topology.control ?? topology.site;
  return monthlyCost(usage.usage, vaults, place === 'outside' ? {} : place);
}
