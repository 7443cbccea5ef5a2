import { LifeboatError } from '../../core/errors.ts';
import { systemClock } from '../../core/clock.ts';
import { bodiesOf } from './bodies.ts';
import type { Body } from './bodies.ts';
import { giveUpLinks, linkPending } from './owner-links.ts';
import { forEachParallel } from '../for-each.ts';
import { readAhead } from '../read-ahead.ts';
import type { PlanAction, PlanEntry } from './plan.ts';
import type { Verdict } from './refusal.ts';
import type { Outcome } from './results.ts';
import { nameEntry } from './run.ts';
import type { RestoreRun } from './run.ts';
import { waitForDefinitions, waitForQuotas } from './wait.ts';
import { waveNumber, WAVES } from './waves.ts';
import { write } from './write.ts';

/** An entry that was refused and is tried again. */
interface Pending {
  readonly verdict: Exclude<Verdict, 'final'>;
  readonly reason: string;
  readonly attempts: number;
}

type PendingEntries = Map<number, Pending>;

/** Things that come into being a moment later (a type's handler, a ServiceAccount): waited for after each wave. */
const SHORT_PATIENCE_MS = 3_000;
/** Objects made ready while others are being written. */
const READ_AHEAD = 64;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Does what the plan says, wave by wave. Every entry has an outcome afterwards.
 * Throws `LB_RESTORE_CONFLICT` before anything is written when the plan has conflicts, and what ends everything:
 * the signal's reason, `LB_SITE_UNREACHABLE` when the target stays away, damage in the source.
 */
export async function applyPlan(run: RestoreRun): Promise<void> {
  refuseConflicts(run);
  const waves = settleWithoutWriting(run);
  const pending: PendingEntries = new Map();
  const guards = waveNumber('budgets');
  let guarded = false;
  for (const [wave, types] of [...waves].toSorted(([a], [b]) => a - b)) {
    const begun = systemClock.now();
    if (wave >= guards && !guarded) {
      guarded = true;
      // Guards would refuse what is still missing: it has its last chance now.
      await insist(run, pending, run.plan.options.patienceMs);
      await giveUp(run, pending);
    }
    await applyWave(run, types, pending);
    if (wave === waveNumber('definitions')) await waitForDefinitions(run);
    await linkPending(run);
    await insist(run, pending, Math.min(SHORT_PATIENCE_MS, run.plan.options.patienceMs));
    if (wave === waveNumber('limits')) await waitForQuotas(run);
    const objects = [...types.values()].reduce((sum, places) => sum + places.length, 0);
    run.waves.push({ wave, name: WAVES[wave]?.name ?? '', objects, seconds: (systemClock.now() - begun) / 1000 });
  }
  await insist(run, pending, run.plan.options.patienceMs);
  await giveUp(run, pending);
  await giveUpLinks(run);
  run.progress();
}

function refuseConflicts(run: RestoreRun): void {
  const conflicts = run.plan.entries.filter((entry) => entry.action === 'conflict');
  if (conflicts.length === 0) return;
  const shown = conflicts.slice(0, 5).map((entry) => nameEntry(run.typeOf(entry), entry)).join(', ');
  const more = conflicts.length > 5 ? ` and ${conflicts.length - 5} more` : '';
  throw new LifeboatError('LB_RESTORE_CONFLICT', `${shown}${more}: there already, and different. Nothing was written`, {
    where: `site "${run.target.name}"`,
    hint: 'Look at the plan with --plan, then choose --existing skip or --existing update.',
  });
}

type WaveTypes = Map<number, number[]>;

/** What becomes of entries that are not written; the others have none yet. */
const WITHOUT_WRITING: Readonly<Record<PlanAction, Outcome | undefined>> = {
  keep: 'unchanged',
  skip: 'kept',
  drop: 'dropped',
  unsupported: 'unsupported',
  conflict: 'conflict',
  create: undefined,
  change: undefined,
  update: undefined,
};

/** Gives entries that need no writing their outcome; returns the others by wave and type. */
function settleWithoutWriting(run: RestoreRun): Map<number, WaveTypes> {
  const waves = new Map<number, WaveTypes>();
  for (const [place, entry] of run.plan.entries.entries()) {
    const outcome = WITHOUT_WRITING[entry.action];
    if (outcome !== undefined) {
      run.results.set(place, outcome, entry.action === 'keep' ? undefined : entry.reason);
      if (entry.action === 'keep' && entry.reason !== undefined) run.adjusted.set(place, entry.reason);
      if (entry.relink === true) run.unlinked.add(place);
      continue;
    }
    addPlace(waves, entry, place);
  }
  return waves;
}

function addPlace(waves: Map<number, WaveTypes>, entry: PlanEntry, place: number): void {
  const types = waves.get(entry.wave) ?? new Map<number, number[]>();
  waves.set(entry.wave, types);
  const places = types.get(entry.type);
  if (places === undefined) types.set(entry.type, [place]);
  else places.push(place);
}

async function applyWave(run: RestoreRun, types: WaveTypes, pending: PendingEntries): Promise<void> {
  await forEachParallel(readAhead(bodiesOfTypes(run, types), READ_AHEAD), run.plan.options.concurrency, async (body) => {
    const attempt = await write(run, body);
    if (attempt.done) {
      pending.delete(body.place);
      run.results.set(body.place, attempt.outcome, attempt.reason);
    } else {
      postpone(run, pending, body.place, attempt);
    }
    run.progress(nameEntry(run.typeOf(run.entry(body.place)), run.entry(body.place)));
  });
}

async function* bodiesOfTypes(run: RestoreRun, types: WaveTypes): AsyncGenerator<Body> {
  for (const [type, places] of types) yield* bodiesOf(run, type, places);
}

function postpone(run: RestoreRun, pending: PendingEntries, place: number, { verdict, reason }: Pick<Pending, 'verdict' | 'reason'>): void {
  const attempts = (pending.get(place)?.attempts ?? 0) + 1;
  if (verdict === 'doubtful' && attempts > 1) {
    pending.delete(place);
    run.results.set(place, 'failed', reason);
  } else {
    pending.set(place, { verdict, reason, attempts });
  }
}

/** Tries what was refused again, in rounds, until all is done or `patienceMs` pass without any progress. */
async function insist(run: RestoreRun, pending: PendingEntries, patienceMs: number): Promise<void> {
  let pause = FIRST_PAUSE_MS;
  let progressed = systemClock.now();
  while (pending.size > 0 && systemClock.now() - progressed < patienceMs) {
    await systemClock.sleep(pause, run.signal);
    const before = pending.size;
    const waves = new Map<number, WaveTypes>();
    for (const place of [...pending.keys()].toSorted((a, b) => a - b)) addPlace(waves, run.entry(place), place);
    for (const types of waves.values()) await applyWave(run, types, pending);
    await linkPending(run);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    if (pending.size < before) {
      progressed = systemClock.now();
      pause = FIRST_PAUSE_MS;
    }
  }
}

async function giveUp(run: RestoreRun, pending: PendingEntries): Promise<void> {
  for (const [place, { reason }] of pending) run.results.set(place, 'failed', reason);
  pending.clear();
  await linkPending(run);
}
