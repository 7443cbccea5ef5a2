import type { CommittedPoint, VerifyReport } from '../../src/repository/api.ts';
import { perform } from './acts/act.ts';
import { backupOf } from './acts/backup.ts';
import { REPLICATE } from './acts/maintain.ts';
import { restoreOf } from './acts/restore.ts';
import { requireAllFound, requireTruth, verification } from './acts/verify.ts';
import { happens, some } from './chance.ts';
import { IMPOSTOR_HEADER } from './keys.ts';
import { WELL } from './moods.ts';
import type { World } from './world.ts';

const SURE = { mayBeKilled: false };
/** A point is healed only after what it needs, and each may be kept by a lock. */
const MOST_ROUNDS = 4;

/**
 * All vaults are well again, and nothing happens until everything is healed: a backup succeeds, verify finds what is
 * harmed, heal and replicate mend it, and in the end every vault has every point that could be read anywhere.
 */
export async function recover(world: World): Promise<void> {
  const { stores, random, ledger } = world;
  world.tell('all vaults are well again');
  for (const store of stores) store.become(WELL, random);
  const before = happens(random, 0.5);
  if (before) await backUp(world);
  const found = await verifyAll(world);
  if (found !== undefined) {
    requireTruth(world, found, true);
    requireAllFound(world, found);
  }
  emptyForeign(world);
  const survivors = ledger.live().filter((point) => ledger.holders(point).length > 0);
  for (let kept = true, rounds = 0; kept && rounds < MOST_ROUNDS; rounds++) {
    kept = false;
    await perform(verification({ depth: 'data', heal: 'heal' }, (report) => (kept = takeAwayKept(world, report))), world, SURE);
    await perform(REPLICATE, world, SURE);
  }
  requireNothingWrong(world, await verifyAll(world));
  for (const point of survivors) {
    const lacking = stores.filter((store) => !ledger.holds(store, point));
    if (lacking.length > 0) ledger.violations.push(`after everything was healed, ${lacking.map(({ name }) => name).join()} does not hold point ${point.id}`);
    point.safe = true;
  }
  for (const store of stores) store.suspect = false;
  if (!before) await backUp(world);
  await restoreSome(world);
}

async function verifyAll(world: World): Promise<VerifyReport | undefined> {
  const reports: VerifyReport[] = [];
  await perform(verification({ depth: 'data' }, (report) => reports.push(report)), world, SURE);
  if (reports.length === 0) world.ledger.violations.push('verify failed, though all vaults are well');
  return reports[0];
}

/** The next backup when the vaults are well: it succeeds, and is safe where enough vaults are as they should be. */
async function backUp(world: World): Promise<void> {
  const { stores, copies, ledger, random } = world;
  const site = random.pick(world.sites);
  site.reliable = true;
  const points: CommittedPoint[] = [];
  await perform(backupOf(site, (point) => points.push(point)), world, SURE);
  site.reliable = false;
  const [point] = points;
  if (point === undefined) ledger.violations.push('a backup failed, though all vaults are well');
  const good = stores.filter(({ suspect }) => !suspect).length;
  if (point !== undefined && good >= copies && !point.safe) ledger.violations.push(`point ${point.header.id} is not safe, though ${good} vaults are as they should be`);
}

/** What an operator does with a vault that holds somebody else's repository. */
function emptyForeign(world: World): void {
  for (const store of world.stores) {
    if (store.objects.get('lifeboat.json') !== IMPOSTOR_HEADER) continue;
    for (const key of store.keys()) store.takeAway(key);
    world.tell(`vault ${store.name} is emptied`);
  }
}

/** What a lock keeps from being healed, the store's operator takes away. Gives whether there was any. */
function takeAwayKept(world: World, { repairs = [] }: VerifyReport): boolean {
  const { stores, ledger } = world;
  let any = false;
  for (const { vault, object, outcome } of repairs) {
    const store = stores.find(({ name }) => name === vault);
    if (outcome !== 'kept' || store === undefined || ledger.intact(store, object)) continue;
    any = true;
    store.takeAway(object);
    world.tell(`${object} is taken away from ${vault}`);
  }
  return any;
}

/** Verify reports nothing any more but what is lost everywhere, which no safe point needs. */
function requireNothingWrong({ ledger, stores }: World, report: VerifyReport | undefined): void {
  for (const { vault, object, kind, message } of report?.findings ?? []) {
    const store = stores.find(({ name }) => name === vault);
    if (kind === 'chain' && !ledger.anywhere(object)) continue;
    if (store !== undefined && !ledger.intact(store, object) && !ledger.anywhere(object)) continue;
    // A point that lacks something everywhere is copied nowhere.
    const point = ledger.points.get(object);
    if (point !== undefined && !point.safe && ledger.holders(point).length === 0) continue;
    ledger.violations.push(`after everything was healed, verify says: ${vault}, ${object}: ${kind}: ${message}`);
  }
}

/** The newest point of each site from one vault alone, and two more from all. */
async function restoreSome(world: World): Promise<void> {
  for (const site of world.sites) {
    const store = world.random.pick(world.stores);
    await perform(restoreOf(site, undefined, [store]), world, SURE);
  }
  for (const point of some(world.random, world.ledger.live().filter(({ safe }) => safe), 2)) {
    const site = world.sites.find(({ name }) => name === point.site);
    if (site !== undefined) await perform(restoreOf(site, point), world, SURE);
  }
}
