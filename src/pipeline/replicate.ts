import { LifeboatError } from '../core/errors.ts';
import type { OnProgress } from '../core/progress.ts';
import type { PublicKeys } from '../keys/index.ts';
import { replicate } from '../repository/index.ts';
import type { ReplicateReport } from '../repository/index.ts';
import { withLock } from '../vault/locking.ts';
import type { Vault } from '../vault/vault.ts';

/** What a plan says of where its points belong. */
export interface ReplicatedPlan {
  readonly name: string;
  readonly site: string;
  /** Names of its vaults. */
  readonly vaults: readonly string[];
  /** How long what is copied is locked in vaults that lock, ms. Default: it is not. */
  readonly lock?: number | undefined;
}

export interface ReplicatePlansOptions {
  /** The vaults of all these plans, and others that are copied from or to. */
  readonly vaults: readonly Vault[];
  /** Plans whose points are brought level, each among its own vaults. None: all points, among all vaults. */
  readonly plans: readonly ReplicatedPlan[];
  /** Names of the vaults that are copied from and to; they need not be the plans'. Default: all of each plan. */
  readonly from?: readonly string[];
  readonly to?: readonly string[];
  /** A key of the repository, where one is at hand. */
  readonly keys?: PublicKeys | undefined;
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/** What was done for plans that share their vaults. */
export interface ReplicateRun extends ReplicateReport {
  readonly plans: readonly string[];
}

/**
 * Brings the vaults of plans level, without any key: what one has and another of the same plan lacks is copied as it is.
 * Points go only where a plan for their site says they belong. Plans with the same vaults are handled together; one of whose
 * vaults only one is at hand is passed over. Throws `LB_USAGE` when no plan has two, and as `replicate` of the repository does.
 */
export async function replicatePlans(options: ReplicatePlansOptions): Promise<readonly ReplicateRun[]> {
  const { vaults, plans, from, to, keys, dryRun, signal, onProgress } = options;
  const common = {
    keys,
    ...(from && { from }),
    ...(to && { to }),
    ...(dryRun !== undefined && { dryRun }),
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  };
  if (plans.length === 0) return [{ plans: [], ...(await replicate({ vaults, ...common })) }];
  const runs: ReplicateRun[] = [];
  let several = false;
  for (const together of groupsOf(plans)) {
    const named = new Set([...together.flatMap((plan) => plan.vaults), ...(from ?? []), ...(to ?? [])]);
    several ||= named.size > 1;
    const there = vaults.filter(({ name }) => named.has(name));
    if (there.length < 2) continue;
    const sites = [...new Set(together.map(({ site }) => site))];
    const lock = Math.max(...together.map((plan) => plan.lock ?? 0));
    const locking = lock > 0 ? there.map((vault) => withLock(vault, lock)) : there;
    runs.push({ plans: together.map(({ name }) => name), ...(await replicate({ vaults: locking, sites, ...common })) });
  }
  if (several) return runs;
  throw new LifeboatError('LB_USAGE', 'There is only one vault, and nothing to replicate between', {
    hint: 'Name a second vault in the plan, or a vault to copy to: --to.',
  });
}

/** Plans that share their vaults, together. */
function groupsOf(plans: readonly ReplicatedPlan[]): readonly (readonly ReplicatedPlan[])[] {
  const groups = new Map<string, ReplicatedPlan[]>();
  for (const plan of plans) {
    const name = plan.vaults.toSorted().join();
    groups.set(name, [...(groups.get(name) ?? []), plan]);
  }
  return [...groups.values()];
}
