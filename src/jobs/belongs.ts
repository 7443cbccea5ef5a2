import type { Config } from '../config/load.ts';
import { parseDuration } from '../core/duration.ts';

/** Points are to be in the vaults of the plans of their site; those of a site that has none, in every one. */
export function belongsIn(config: Config): (vault: string, site: string) => boolean {
  const plans = [...config.plans.values()];
  return (vault, site) => {
    const ofSite = plans.filter((plan) => plan.site === site);
    return ofSite.length === 0 || ofSite.some(({ vaults }) => vaults.includes(vault));
  };
}

/** How long plans lock what is in each vault, by its name: the longest counts. */
export function locksOf(config: Config | undefined): ReadonlyMap<string, number> {
  const locks = new Map<string, number>();
  for (const { lock, vaults } of config?.plans.values() ?? []) {
    const ms = lock === undefined ? 0 : (parseDuration(lock) ?? 0);
    if (ms > 0) for (const vault of vaults) locks.set(vault, Math.max(ms, locks.get(vault) ?? 0));
  }
  return locks;
}
