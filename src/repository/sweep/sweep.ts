import { systemClock } from '../../core/clock.ts';
import type { Clock } from '../../core/clock.ts';
import { LifeboatError } from '../../core/errors.ts';
import type { OnProgress } from '../../core/progress.ts';
import type { MaintainKey } from '../../keys/index.ts';
import type { Vault } from '../../vault/vault.ts';
import { genuineView } from '../originals.ts';
import type { ReadContext } from '../pack-store.ts';
import { requireHeader } from '../vault-header.ts';
import { readIfThere } from '../vault-io.ts';
import { Lease } from './lease.ts';
import { DEFAULT_GRACE } from './limits.ts';
import { decodeMark, doneKey, encodeDone, encodeMark, encodeSeen, markKey, seenKey } from './mark.ts';
import type { Mark } from './mark.ts';
import { whatIsNeeded } from './needed.ts';
import { SweptVault } from './vault-sweep.ts';
import type { VaultSweep } from './vault-sweep.ts';

/** Names in one mark at most. */
const PER_MARK = 20_000;

export interface SweepOptions extends ReadContext {
  /** Every vault of the repository: what one needs may be in another. */
  readonly vaults: readonly Vault[];
  readonly key: MaintainKey;
  /** How long what was marked stays, ms. Default: 48 hours. A shorter one than the longest backup breaks that backup. */
  readonly grace?: number;
  /** Only say what would be done. */
  readonly dryRun?: boolean;
  /** Go on though points are gone that nobody removed. */
  readonly despiteLost?: boolean;
  /** How long the lease is good for, ms: as long nobody sweeps after a sweep that was killed. Default: 5 minutes; it is renewed meanwhile. */
  readonly lease?: number;
  readonly clock?: Clock;
  readonly onProgress?: OnProgress;
}

export interface SweepReport {
  /** Objects that no point needs, and that were marked now. */
  readonly marked: number;
  /** Objects that are marked, these included, and that a sweep after the grace period deletes. */
  readonly waiting: number;
  /** When the first of them may be deleted: ISO 8601, UTC. */
  readonly next?: string;
  readonly vaults: readonly VaultSweep[];
}

/**
 * Frees what no point needs. What it finds it marks, in every vault; what an earlier sweep marked a grace period ago, and
 * no point needs still, it deletes, with the points that were removed as long ago. Never what a lock holds.
 *
 * It may run during backups, may be killed at any moment, and two at once do no harm (docs/format.md, "The sweep").
 * Throws, before it deletes anything, `LB_REPO_BUSY` when another is at work, `LB_REPO_DAMAGED` when it cannot be told what
 * is needed, and what a vault throws that cannot be read.
 */
export async function sweep(options: SweepOptions): Promise<SweepReport> {
  const { vaults, key, signal, dryRun = false, clock = systemClock } = options;
  const [first] = vaults.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  if (first === undefined) throw new LifeboatError('LB_USAGE', 'A repository needs at least one vault');
  for (const vault of vaults) await requireHeader(vault, key, signal);
  if (dryRun) return run(options);
  const lease = await Lease.take(first, key, clock, signal, options.lease);
  try {
    return await lease.during(signal, (held) => run({ ...options, signal: held }));
  } finally {
    await lease.release();
  }
}

async function run(options: SweepOptions): Promise<SweepReport> {
  const { key, signal, onWarning, dryRun = false, grace = DEFAULT_GRACE, clock = systemClock } = options;
  const context = { signal, onWarning };
  const findOut = () => whatIsNeeded(options.vaults, key, { ...context, grace, now: clock.now(), despiteLost: options.despiteLost });
  const swept = options.vaults.map((vault) => new SweptVault(vault, { dryRun, signal }));
  // Before it is known what is needed: what is stored later than this is left alone.
  await Promise.all(swept.map((one) => one.look(key, context)));
  let needed = await findOut();
  const before = allMarks(swept);
  const named = new Set(before.flatMap(({ objects }) => objects));
  const found = [...new Set(swept.flatMap(({ sizes }) => [...sizes.keys()]))].filter((object) => !needed.objects.has(object) && !named.has(object)).toSorted();
  const fresh: Mark[] = [];
  for (let at = 0; at < found.length; at += PER_MARK) fresh.push(encodeMark(clock.now(), found.slice(at, at + PER_MARK), key).mark);
  const marks: Mark[] = [];
  for (const mark of [...before, ...fresh]) marks.push(mark.seenAt === undefined ? await putEverywhere(mark, swept, options) : mark);
  const due = marks.filter(({ seenAt = Infinity }) => seenAt + grace <= clock.now());
  if (due.length > 0) {
    // Points may have come since they were marked, and since this began.
    needed = await findOut();
    await deleteDue(swept, due, needed.objects, options);
  }
  for (const one of swept) await one.sweepRemoved(needed.removed, key);
  if (!dryRun) await settle(swept, due, options);
  const waiting = marks.filter((mark) => !due.includes(mark));
  const left = waiting.flatMap(({ objects }) => objects).filter((object) => !needed.objects.has(object) && swept.some(({ sizes }) => sizes.has(object)));
  const next = Math.min(...waiting.map(({ seenAt = clock.now() }) => seenAt + grace));
  return {
    marked: found.length,
    waiting: left.length,
    ...(left.length > 0 && { next: new Date(next).toISOString() }),
    vaults: swept.map((one) => one.report()),
  };
}

/** Puts a mark into every vault, and then a note that it is there: only from then on the grace period is counted. */
async function putEverywhere(mark: Mark, swept: readonly SweptVault[], { key, signal, dryRun = false, clock = systemClock }: SweepOptions): Promise<Mark> {
  const { name, bytes } = { ...mark, ...encodeMark(mark.markedAt, mark.objects, key) };
  if (!dryRun) {
    for (const { vault } of swept) {
      if ((await vault.put(markKey(name), bytes, { signal })) === 'created') continue;
      // What is there under this name must be it: else writers would not see what is about to go. Another sweep may just
      // have dealt with it and taken it away; then it counts for nothing, here as well.
      const there = await readIfThere(genuineView(vault), markKey(name), signal);
      if (there !== undefined) decodeMark(there, name, key);
    }
  }
  const seenAt = clock.now();
  if (!dryRun) for (const { vault } of swept) await vault.put(seenKey(name), encodeSeen(name, seenAt, key), { signal });
  const there = { ...mark, seenAt };
  for (const one of swept) one.marks = { ...one.marks, pending: [...one.marks.pending.filter((other) => other.name !== name), there] };
  return there;
}

/** Marks that any vault has, and none says were dealt with. */
function allMarks(swept: readonly SweptVault[]): Mark[] {
  const spent = new Set(swept.flatMap(({ marks }) => marks.spent));
  const pending = swept.flatMap(({ marks }) => marks.pending).filter(({ name }) => !spent.has(name));
  const marks = Map.groupBy(pending, ({ name }) => name);
  return [...marks.values()].map((same) => same.reduce((a, b) => ((b.seenAt ?? 0) > (a.seenAt ?? 0) ? b : a)));
}

/** In each vault what the marks name that this very vault has: who wrote to it has seen these. */
async function deleteDue(swept: readonly SweptVault[], due: readonly Mark[], needed: ReadonlySet<string>, { signal, onProgress }: SweepOptions): Promise<void> {
  const total = swept.length * due.reduce((sum, { objects }) => sum + objects.length, 0);
  let done = 0;
  for (const one of swept) {
    for (const mark of due) {
      if (!one.marks.pending.some(({ name }) => name === mark.name)) continue;
      for (const object of mark.objects) {
        signal?.throwIfAborted();
        if (!needed.has(object)) await one.sweep(object);
        onProgress?.({ phase: 'sweep', done: ++done, total, unit: 'objects' });
      }
    }
  }
}

/**
 * Marks that were dealt with are declared so, for good, and deleted. What of theirs is still there and not needed (a lock
 * holds it) is marked anew by the next sweep. One of which something failed to be deleted stays as it is.
 */
async function settle(swept: readonly SweptVault[], due: readonly Mark[], { key, signal, clock = systemClock }: SweepOptions): Promise<void> {
  if (!swept.some((one) => one.failed)) {
    for (const { name } of due) {
      const done = encodeDone(name, clock.now(), key);
      for (const { vault } of swept) await vault.put(doneKey(name), done, { signal });
      for (const { vault } of swept) await forget(vault, name, signal);
    }
  }
  for (const { vault, marks } of swept) for (const name of marks.spent) await forget(vault, name, signal);
}

/** The note goes first: a mark without one begins its grace period anew. */
async function forget(vault: Vault, name: string, signal: AbortSignal | undefined): Promise<void> {
  await vault.delete(seenKey(name), { signal });
  await vault.delete(markKey(name), { signal });
}
