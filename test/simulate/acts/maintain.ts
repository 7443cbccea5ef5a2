import { replicatePlans } from '../../../src/pipeline/replicate.ts';
import type { RetentionRules } from '../../../src/pipeline/retain/policy.ts';
import { retain } from '../../../src/pipeline/retain/retain.ts';
import { sweep } from '../../../src/repository/index.ts';
import { maintainKeyOf, publicKeysOf } from '../../../src/keys/index.ts';
import { between, happens } from '../chance.ts';
import { KEYS } from '../keys.ts';
import type { Act } from './act.ts';

const key = maintainKeyOf(KEYS);

/** Brings the vaults level, with or without a key. */
export const REPLICATE: Act = {
  name: 'replicate',
  async run(world, program) {
    const vaults = world.vaults(program);
    const plans = world.sites.map(({ name }) => ({ name, site: name, vaults: vaults.map((vault) => vault.name) }));
    const keys = happens(world.random, 0.5) ? publicKeysOf(KEYS) : undefined;
    const runs = await replicatePlans({ vaults, plans: happens(world.random, 0.5) ? plans : [], keys });
    for (const { name, failure } of runs.flatMap((run) => run.vaults)) {
      if (failure?.code === 'LB_INTERNAL') world.ledger.violations.push(`replicate, vault ${name}: ${failure.message}`);
    }
    return runs.flatMap((run) => [...run.vaults.map(({ name, state, copied }) => `${name} ${state} (${copied.objects})`), `${run.problems.length} problems`]).join(', ');
  },
};

/** Removes points that the rules do not keep. What they keep must stay, so must the newest. */
export function retention(rules: RetentionRules): Act {
  return {
    name: 'retain',
    async run(world, program) {
      const { ledger, stores, sites, copies, lock } = world;
      const before = ledger.live().filter((point) => point.complete && ledger.holders(point).some((store) => !store.suspect && store.mood.answers));
      const report = await retain({ vaults: world.vaults(program), key, sites: sites.map(({ name }) => ({ site: name, policies: [rules], copies, lock })), onWarning: world.warn });
      const taken = new Set(report.points.filter(({ removal }) => removal !== undefined).map(({ id }) => id));
      const since = ledger.live().filter((point) => !before.includes(point));
      for (const { name } of sites) {
        // Those that came meanwhile may count, or not.
        const newest = [...before, ...since].filter(({ site }) => site === name).toSorted((a, b) => (a.id < b.id ? 1 : -1)).slice(0, Math.max(1, rules.last ?? 0));
        for (const { id } of newest) if (taken.has(id)) ledger.violations.push(`retain removed ${id}, which the rules keep`);
      }
      const gone = report.points.filter(({ fate }) => fate === 'removed').length;
      const extended = report.locks.reduce((sum, { extended: count }) => sum + count, 0);
      for (const { failed } of report.locks) for (const { object, code, message } of failed) if (code === 'LB_INTERNAL') ledger.violations.push(`retain, ${object}: ${message}`);
      return `${gone} of ${report.points.length} points go${stores.some(({ memory }) => memory.locks) ? `, ${extended} locks made longer` : ''}`;
    },
  };
}

/** Frees what no point needs. */
export const SWEEP: Act = {
  name: 'sweep',
  async run(world, program) {
    const report = await sweep({ vaults: world.vaults(program), key, despiteLost: happens(world.random, 0.2), onWarning: world.warn });
    for (const { vault, failed } of report.vaults) {
      for (const { object, code, message } of failed) if (code === 'LB_INTERNAL') world.ledger.violations.push(`sweep, ${object} in ${vault}: ${message}`);
    }
    const deleted = report.vaults.map(({ vault, deleted: count, locked }) => `${vault} ${count}${locked > 0 ? ` (${locked} locked)` : ''}`);
    return `${report.marked} marked, ${report.waiting} wait, deleted ${deleted.join(', ')}`;
  },
};

/** Some rules. */
export function someRules(random: Parameters<typeof between>[0]): RetentionRules {
  return happens(random, 0.5) ? { last: between(random, 1, 6) } : { last: between(random, 1, 3), daily: between(random, 1, 7) };
}
