import type { VerifyReport } from '../../../src/repository/api.ts';
import { verify } from '../../../src/repository/index.ts';
import type { VerifyOptions } from '../../../src/repository/verify/verify.ts';
import { publicKeysOf, readKeyOf } from '../../../src/keys/index.ts';
import { KEYS } from '../keys.ts';
import type { World } from '../world.ts';
import { happens } from '../chance.ts';
import type { Act } from './act.ts';

/** Which kinds of findings say that bytes are wrong. */
const WRONG = new Set(['damaged', 'forged', 'truncated']);

/** Examines the vaults, and repairs them when asked to. */
export function verification({ keyless, ...options }: Pick<VerifyOptions, 'depth' | 'heal' | 'remember' | 'budget'> & { readonly keyless?: boolean }, onReport?: (report: VerifyReport) => void): Act {
  return {
    name: options.heal === undefined ? 'verify' : 'heal',
    async run(world, program) {
      // Public keys are enough for all but what is sealed; none are needed where all vaults agree.
      const some = happens(world.random, 0.7) ? { keys: readKeyOf(KEYS) } : { trusted: publicKeysOf(KEYS) };
      const keys = keyless === true && happens(world.random, 0.2) ? {} : some;
      const report = await verify({ vaults: world.vaults(program), ...keys, ...options, onWarning: world.warn });
      onReport?.(report);
      const healed = report.repairs?.filter(({ outcome }) => outcome === 'healed').length;
      return `${report.findings.length} findings${healed === undefined ? '' : `, ${healed} healed`}`;
    },
  };
}

/** Of a vault that tells the truth, and answers, nothing untrue may be said. What is missed may have come meanwhile, unless verify was `alone`. */
export function requireTruth({ stores, ledger }: World, { findings }: VerifyReport, alone: boolean): void {
  for (const { vault, object, kind, message } of findings) {
    const store = stores.find(({ name }) => name === vault);
    if (store === undefined || store.suspect || !store.mood.answers) continue;
    if (WRONG.has(kind) && ledger.intact(store, object)) ledger.violations.push(`verify says of ${object} in ${vault} that it is ${kind}, which it is not: ${message}`);
    if (alone && kind === 'missing' && store.objects.has(object)) ledger.violations.push(`verify misses ${object} in ${vault}, where it is: ${message}`);
  }
}

/** What is harmed in any vault must have been found. `report` is of all data. */
export function requireAllFound({ stores, ledger }: World, { findings }: VerifyReport): void {
  const found = new Set(findings.map(({ vault, object }) => `${vault} ${object}`));
  for (const store of stores) {
    const needed = new Set(['lifeboat.json', ...store.keys('keys/'), ...store.keys('rescue/')]);
    for (const point of ledger.live()) {
      if (!ledger.anywhere(point.key)) continue;
      needed.add(point.key);
      if (ledger.intact(store, point.key)) for (const pack of point.packs) needed.add(pack);
    }
    for (const key of needed) {
      if (!ledger.intact(store, key) && !found.has(`${store.name} ${key}`)) ledger.violations.push(`verify did not find that ${key} is harmed in ${store.name}`);
    }
  }
}
