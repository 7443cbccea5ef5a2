import { perform } from './acts/act.ts';
import type { Act } from './acts/act.ts';
import { backupOf } from './acts/backup.ts';
import { REPLICATE, retention, someRules, SWEEP } from './acts/maintain.ts';
import { anyRestore } from './acts/restore.ts';
import { requireTruth, verification } from './acts/verify.ts';
import { between, happens, some, weighed } from './chance.ts';
import { strike, takeSnapshot } from './disasters.ts';
import { createRepository, unlock } from '../../src/repository/index.ts';
import { MemoryVault } from '../support/memory-vault.ts';
import { IDENTITY, KEYS, SLOTS } from './keys.ts';
import type { InUse } from './machine/install.ts';
import { HONEST, LYING, WELL } from './moods.ts';
import { recover } from './recovery.ts';
import { theft } from './theft.ts';
import { HOUR, World } from './world.ts';
import type { Listener } from './world.ts';

/** Acts that run at once begin so far apart at most, ms: about as long as a backup takes when all is well. */
const APART = 8_000;

/** What came of one seed. */
export interface Outcome {
  readonly seed: number;
  /** What went wrong that must not; empty when nothing did. */
  readonly violations: readonly string[];
  /** A digest of everything that happened. */
  readonly course: string;
  readonly points: number;
  /** Things that the machine did. */
  readonly events: number;
}

/** What is done only once, such as reading a file, is done before: the first seed must not differ from the others. */
export async function warmUp(): Promise<void> {
  const vault = new MemoryVault('practice');
  await createRepository({ vaults: [vault], keys: KEYS, slots: SLOTS });
  await unlock([vault], { identities: [IDENTITY] });
}

/** Runs one seed on a machine. `beyond`: more is lost than the promise permits. */
export async function simulate(seed: number, runOn: (machine: InUse | undefined) => void, listener: Listener, beyond: boolean): Promise<Outcome> {
  const world = new World(seed, listener);
  const { machine, random, ledger } = world;
  const stray = (reason: unknown): void => void ledger.violations.push(`a promise was rejected that nobody waits for: ${reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)}`);
  process.on('unhandledRejection', stray);
  runOn({ machine, random, sealingKey: KEYS.sealingKey.expose() });
  try {
    await machine.run(() => live(world, beyond));
  } catch (error) {
    ledger.violations.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    runOn(undefined);
    process.off('unhandledRejection', stray);
  }
  const outcome = { seed, violations: ledger.violations, course: world.course(), points: ledger.points.size, events: machine.events };
  // What was killed holds on to them.
  for (const { objects } of world.stores) objects.clear();
  return outcome;
}

async function live(world: World, beyond: boolean): Promise<void> {
  const { random } = world;
  await world.found();
  for (const site of world.sites) await step(world, [backupOf(site)], { calm: true });
  const bouts = between(random, 1, 3);
  for (let bout = 0; bout < bouts && !isOver(world); bout++) {
    await trouble(world, beyond);
    if (!isOver(world)) await recover(world);
    if (!isOver(world) && world.lock !== undefined) await theft(world);
  }
}

function isOver({ ledger }: World): boolean {
  return ledger.violations.length > 0;
}

/** Some days in which vaults fail; fewer of them than a point has copies lie, or lose what they hold. */
async function trouble(world: World, beyond: boolean): Promise<void> {
  const { random, stores, copies } = world;
  const suspects = some(random, stores, beyond ? stores.length : between(random, 0, Math.min(copies, stores.length) - 1));
  for (const store of suspects) store.suspect = true;
  world.tell(`in trouble: ${suspects.map(({ name }) => name).join() || 'none'}`);
  takeSnapshot(stores);
  const steps = between(random, 2, 10);
  for (let i = 0; i < steps && !isOver(world); i++) {
    for (const store of suspects) if (happens(random, 0.2)) strike(store, world);
    const acts = Array.from({ length: weighed(random, world.tidy ? [[3, 1], [4, 2], [3, 3]] : [[7, 1], [2, 2], [1, 3]]) }, () => anyAct(world));
    await step(world, acts, { calm: happens(random, world.tidy ? 0.6 : 0.3) });
    if (happens(random, 0.2)) takeSnapshot(stores);
  }
}

/** One act, or several that run at once, while the vaults behave as they do; then some time goes by. */
async function step(world: World, acts: readonly Act[], options: { readonly calm: boolean }): Promise<void> {
  const { random, stores, machine, ledger } = world;
  for (const store of stores) {
    const mood = options.calm || happens(random, 0.6) ? WELL : random.pick(store.suspect ? [...HONEST, ...LYING, ...LYING] : HONEST);
    store.become(mood, random);
  }
  const moods = stores.filter(({ mood }) => mood !== WELL).map(({ name, mood }) => `${name} is ${mood.name}`);
  if (moods.length > 0) world.tell(moods.join(', '));
  const begin = async (act: Act, i: number): Promise<void> => {
    if (i > 0) await machine.sleep(random.next() * APART);
    await perform(act, world, { mayBeKilled: true });
  };
  await Promise.all(acts.map(begin));
  ledger.check();
  await machine.sleep(random.next() * 60 * HOUR);
}

function anyAct(world: World): Act {
  const { random, tidy } = world;
  const make = weighed<() => Act>(random, [
    [6, () => backupOf(random.pick(world.sites))],
    [4, () => anyRestore(world)],
    [3, () => REPLICATE],
    [1, () => verification({ depth: happens(random, 0.5) ? 'structure' : 'data', remember: true }, (report) => requireTruth(world, report, false))],
    [3, () => verification({ depth: 'data', heal: 'heal', keyless: true })],
    [tidy ? 4 : 2, () => retention(tidy ? { last: between(random, 1, 2) } : someRules(random))],
    [tidy ? 9 : 3, () => SWEEP],
  ]);
  return make();
}
