import { storeCut } from '../../../src/pipeline/backup.ts';
import type { CommittedPoint } from '../../../src/repository/api.ts';
import { openWriter } from '../../../src/repository/index.ts';
import { pointKey } from '../../../src/repository/layout.ts';
import { writeKeyOf } from '../../../src/keys/index.ts';
import { happens } from '../chance.ts';
import { KEYS } from '../keys.ts';
import type { SimulatedSite } from '../site.ts';
import type { World } from '../world.ts';
import type { Act } from './act.ts';

const writeKey = writeKeyOf(KEYS);
/** Little enough for several packs not to fit. */
const LITTLE_MEMORY = 20 * 1024 * 1024;

/** Backs up a site; `onPoint` is told of the point. */
export function backupOf(site: SimulatedSite, onPoint?: (point: CommittedPoint) => void): Act {
  return {
    name: 'backup',
    async run(world, program) {
      const { machine, copies, random } = world;
      site.live();
      const vaults = world.vaults(program, { locked: true });
      const memory = happens(random, 0.5) ? { memory: LITTLE_MEMORY } : {};
      const told = { onWarning: world.warn };
      const writer = await openWriter({ vaults, writeKey, copies, ...memory, ...told });
      const { point, summary } = await storeCut((sink) => site.cut(sink, machine), { writer, site: site.name, ...told });
      acknowledge(world, point, summary.revision);
      onPoint?.(point);
      const { header, safe, behind, failed } = point;
      return `${header.id} in ${point.vaults.join()}${safe ? '' : ', not safe'}${list(' behind', behind)}${list(' failed', failed)}`;
    },
  };
}

/** What was said of the point must be true, of vaults that tell the truth. */
function acknowledge({ ledger, stores, copies }: World, point: CommittedPoint, revision: string): void {
  const { id, site } = point.header;
  const known = ledger.points.get(pointKey(site, id));
  if (known === undefined) {
    ledger.violations.push(`point ${id} was never stored`);
    return;
  }
  known.revision = revision;
  known.safe ||= point.safe;
  if (point.safe && point.vaults.length < copies) ledger.violations.push(`point ${id} is said to be safe in ${point.vaults.length} of ${copies} vaults`);
  for (const store of stores.filter(({ name }) => point.vaults.includes(name))) {
    if (!store.suspect && !ledger.holds(store, known)) ledger.violations.push(`vault ${store.name} is said to hold point ${id}`);
    if (store.mood.admits && !ledger.shows(store, known)) ledger.violations.push(`vault ${store.name} is said to hold point ${id}, and does not even show it`);
  }
  for (const { vault, code, message } of point.failed) if (code === 'LB_INTERNAL') ledger.violations.push(`backup, vault ${vault}: ${message}`);
}

function list(what: string, vaults: readonly { readonly vault: string }[]): string {
  return vaults.length === 0 ? '' : `,${what} ${vaults.map(({ vault }) => vault).join()}`;
}
