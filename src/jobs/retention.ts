import type { Config } from '../config/load.ts';
import type { RetentionConfig } from '../config/retention-schema.ts';
import { parseDuration } from '../core/duration.ts';
import type { RetentionRules } from '../pipeline/retain/policy.ts';
import type { SiteRetention } from '../pipeline/retain/retain.ts';
import { copiesOf } from '../placement/copies.ts';

/** What all plans of these sites say of retention: points do not know their plan, so that a point stays if any plan keeps it. */
export function retentionOf(config: Config, sites: readonly string[]): SiteRetention[] {
  return [...new Set(sites)].map((site) => {
    const plans = [...config.plans.values()].filter((plan) => plan.site === site);
    return {
      site,
      policies: plans.map((plan) => rulesOf(plan.retention)),
      copies: Math.max(...plans.map(copiesOf)),
      lock: plans.reduce<number | undefined>((longest, { lock }) => (lock === undefined ? longest : Math.max(longest ?? 0, parseDuration(lock) ?? 0)), undefined),
    };
  });
}

function rulesOf(retention: RetentionConfig | undefined): RetentionRules | undefined {
  if (retention === undefined) return undefined;
  const { within, ...rules } = retention;
  return { ...rules, ...(within !== undefined && { within: parseDuration(within) }) };
}
