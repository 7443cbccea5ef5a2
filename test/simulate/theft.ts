import { perform } from './acts/act.ts';
import { backupOf } from './acts/backup.ts';
import { retention, SWEEP } from './acts/maintain.ts';
import { restoreOf } from './acts/restore.ts';
import { verification } from './acts/verify.ts';
import { happens, some } from './chance.ts';
import { IMPOSTOR_HEADER } from './keys.ts';
import type { Store } from './store.ts';
import type { World } from './world.ts';

const SURE = { mayBeKilled: false };
/** Enough for every point to stay. */
const EVERYTHING = 1000;

/**
 * Somebody has the credentials of the writer, for every vault that locks: may put newer versions over objects, and hide them. What is
 * locked can be restored all the same, and the sweep takes none of it away. Then they are driven out.
 */
export async function theft(world: World): Promise<void> {
  const { stores, sites, ledger, random, machine } = world;
  // Makes the locks of what the points need last.
  await perform(retention({ last: EVERYTHING }), world, SURE);
  requireLocked(world);
  const robbed = stores.filter(({ memory }) => memory.locks);
  const before = new Map(robbed.map((store) => [store, rob(store, world)]));
  const safe = ledger.live().filter((point) => robbed.some((store) => ledger.holds(store, point)));
  for (const point of some(random, safe, 3)) {
    const site = sites.find(({ name }) => name === point.site);
    if (site !== undefined) await perform(restoreOf(site, point, robbed), world, SURE);
  }
  for (const site of sites) await perform(restoreOf(site), world, SURE);
  if (happens(random, 0.3)) await perform(verification({ depth: 'data' }), world, SURE);
  if (happens(random, 0.5)) await perform(SWEEP, world, SURE);
  if (happens(random, 0.5)) await perform(backupOf(random.pick(sites)), world, SURE);
  await machine.sleep(1);
  for (const [store, objects] of before) {
    for (const [key, bytes] of objects) {
      if (store.memory.locked(key) !== bytes) ledger.violations.push(`${key} was locked in ${store.name}, and is gone`);
      store.memory.reveal(key);
    }
  }
  world.tell('the thief is driven out');
}

/** Puts something over what is locked in the vault, or hides it. Gives what it was. */
function rob(store: Store, world: World): Map<string, Uint8Array> {
  const { random } = world;
  const all = happens(random, 0.5);
  const robbed = new Map<string, Uint8Array>();
  for (const key of store.keys()) {
    const bytes = store.memory.locked(key);
    if (bytes === undefined || (!all && happens(random, 0.5))) continue;
    robbed.set(key, bytes);
    if (happens(random, 0.5)) store.memory.hide(key);
    else store.memory.shadow(key, key === 'lifeboat.json' ? IMPOSTOR_HEADER : Buffer.from('mine'));
  }
  world.tell(`theft: ${robbed.size} of ${store.keys().length + robbed.size} objects of ${store.name} are hidden, or have something put over them`);
  return robbed;
}

/** After `retain`, everything that a point needs is locked for half of the time at least, where vaults lock. */
function requireLocked({ stores, ledger, machine, lock = 0 }: World): void {
  for (const store of stores.filter(({ memory }) => memory.locks)) {
    for (const point of ledger.live().filter((one) => ledger.holds(store, one))) {
      const lax = [point.key, ...point.packs, 'lifeboat.json'].find((key) => (store.memory.retained.get(key)?.getTime() ?? 0) < machine.now() + lock / 2 - 3_600_000);
      if (lax !== undefined) ledger.violations.push(`${lax} is not locked in ${store.name}, though point ${point.id} needs it`);
    }
  }
}
