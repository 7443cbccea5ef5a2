import { parseDuration } from '../../core/duration.ts';
import { EXIT } from '../../core/error-codes.ts';
import type { ReplicatedPlan } from '../../pipeline/replicate.ts';
import type { VaultConfig } from '../../vault/config.ts';
import type { Context } from '../context.ts';
import { loadWriteKeyIfAny } from '../../access/key-files.ts';
import { chosenVaults, closeVaults, isAddress, openVaults } from '../../access/vaults.ts';
import { replicateText } from './text.ts';

export interface ReplicateCommandOptions {
  readonly from?: readonly string[];
  readonly to?: readonly string[];
  readonly dryRun?: boolean;
}

/** `lifeboat replicate`. Exit 3 when a vault is not level afterwards, 4 when something damaged was met. */
export async function replicate(context: Context, planName: string | undefined, options: ReplicateCommandOptions): Promise<number> {
  const { output, signal } = context;
  const { plans, configs, from, to } = await choose(context, planName, options);
  const vaults = await openVaults(context, configs);
  try {
    const { replicatePlans } = await import('../../pipeline/replicate.ts');
    const dryRun = options.dryRun === true;
    const runs = await replicatePlans({
      vaults,
      plans,
      ...(from && { from }),
      ...(to && { to }),
      keys: plans.length > 0 ? await loadWriteKeyIfAny(context) : undefined,
      dryRun,
      signal,
      onProgress: output.progress.report,
    });
    const unopened = configs.map(({ name }) => name).filter((name) => !vaults.some((vault) => vault.name === name) && (to === undefined || to.includes(name)));
    const level = dryRun || (unopened.length === 0 && runs.every((run) => run.vaults.every(({ state }) => state === 'level')));
    const clean = runs.every((run) => run.problems.length === 0);
    await output.result({ ok: level && clean, dryRun, unopened, runs }, () => replicateText(runs, { dryRun, unopened, style: output.style }));
    return level ? (clean ? EXIT.ok : EXIT.findings) : EXIT.partial;
  } finally {
    await closeVaults(vaults);
  }
}

interface Choice {
  readonly plans: readonly ReplicatedPlan[];
  readonly configs: readonly VaultConfig[];
  readonly from: readonly string[] | undefined;
  readonly to: readonly string[] | undefined;
}

/** What is copied between: the vaults of the plans and those that were named. Addresses on both sides need no lifeboat.yaml, and take all. */
async function choose(context: Context, planName: string | undefined, options: ReplicateCommandOptions): Promise<Choice> {
  const { from = [], to = [] } = options;
  const named = from.length + to.length === 0 ? [] : await chosenVaults(context, { vault: [...from, ...to] });
  const byAddress = planName === undefined && from.length > 0 && to.length > 0 && [...from, ...to].every(isAddress);
  const config = byAddress ? undefined : await context.config();
  const all = [...(config?.plans ?? [])].map(([name, plan]) => ({
    name,
    site: plan.site,
    vaults: plan.vaults,
    lock: plan.lock === undefined ? undefined : parseDuration(plan.lock),
  }));
  const one = planName === undefined ? undefined : (await context.plan(planName)).name;
  const plans = one === undefined ? all : all.filter(({ name }) => name === one);
  const ofPlans = new Set(plans.flatMap(({ vaults }) => vaults));
  const planned = [...(config?.vaults.values() ?? [])].filter(({ name }) => ofPlans.has(name));
  return {
    plans,
    configs: [...new Map([...planned, ...named].map((vault) => [vault.name, vault])).values()],
    from: from.length === 0 ? undefined : named.slice(0, from.length).map(({ name }) => name),
    to: to.length === 0 ? undefined : named.slice(from.length).map(({ name }) => name),
  };
}
