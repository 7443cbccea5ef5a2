import type { Clock } from '../../core/clock.ts';
import { packKey } from '../layout.ts';
import type { PackRef } from '../pack-table.ts';
import { Budget } from './budget.ts';
import { readAll, readingsOf } from './bytes.ts';
import type { ByteSink, Reading } from './bytes.ts';
import { ContentCheck } from './contents.ts';
import type { Examination, ExamineOptions } from './examine.ts';
import { findingOf } from './findings.ts';
import { pointsByPack } from './references.ts';

const HASH_ONLY: ByteSink = {
  wantsPack: () => false,
  pack: () => Promise.resolve(),
  index: () => Promise.resolve(),
};

/** How much was read of what there is. */
export interface DataRead {
  readonly objects: number;
  readonly totalObjects: number;
  /** Bytes, as listed. */
  readonly bytes: number;
  readonly totalBytes: number;
}

/**
 * Reads packs, index objects and rescue files of all vaults, and opens them with the read key: all, or as many as the
 * budget permits, those first that were not read for longest.
 */
export async function checkData(options: ExamineOptions, examination: Examination, startedAt: number, clock: Clock): Promise<DataRead> {
  const { keys, signal } = options;
  const { checks, known } = examination;
  const refs = new Map<string, PackRef>();
  for (const point of known.values()) for (const pack of point.packs) refs.set(pack.id, pack);
  const contents = keys && (await ContentCheck.create(keys, options.vaults, refs, signal));
  const needed = new Map(checks.map((check) => [check, pointsByPack(check.points.values())]));
  const all = checks.flatMap(readingsOf);
  const totalBytes = all.reduce((sum, { size }) => sum + size, 0);
  const budget = new Budget(options.budget ?? {}, totalBytes, startedAt, clock);
  let done = 0;
  let objects = 0;
  let bytes = 0;
  const how = {
    may: (reading: Reading): boolean => {
      if (!budget.take(reading.size)) return false;
      objects++;
      bytes += reading.size;
      return true;
    },
    pointsOf: ({ check, id, kind }: Reading) => (kind === 'pack' ? (needed.get(check)?.get(id) ?? []) : []),
    sink: contents ?? HASH_ONLY,
    onBytes: (count: number): void => {
      done += count;
      options.onProgress?.({ phase: 'verify', done, unit: 'bytes', ...budget.outlook(done) });
    },
    signal,
  };
  if (options.budget === undefined) {
    // One vault after the other: what was opened in one is only compared in the next. Index objects after the packs they tell of.
    for (const check of checks) {
      const ofVault = all.filter((reading) => reading.check === check);
      await readAll(ofVault.filter(({ kind }) => kind !== 'index'), how);
      await readAll(ofVault.filter(({ kind }) => kind === 'index'), how);
    }
  } else {
    await readAll(longestUnreadFirst(all, examination, keys !== undefined), how);
  }
  signal?.throwIfAborted();
  if (contents !== undefined) await checkPoints(contents, options, examination);
  return { objects, totalObjects: all.length, bytes, totalBytes };
}

/**
 * Copies of an object in several vaults that wait equally long come together: then it is opened once. Without the read
 * key nothing is remembered; chance then sees to it that another run reads other objects.
 */
function longestUnreadFirst(all: readonly Reading[], { reports }: Examination, remembered: boolean): Reading[] {
  return all
    .map((reading) => ({
      reading,
      last: reports.get(reading.check)?.coverage.lastRead(reading.key) ?? 0,
      among: remembered ? reading.key : Math.random(),
    }))
    .sort((a, b) => a.last - b.last || (a.among < b.among ? -1 : a.among > b.among ? 1 : 0))
    .map(({ reading }) => reading);
}

async function checkPoints(contents: ContentCheck, options: ExamineOptions, { checks, findings, known }: Examination): Promise<void> {
  const { signal } = options;
  for (const [key, point] of known) {
    // A part of the packs says nothing about a point whose others were not opened this time.
    if (options.budget !== undefined && !contents.knows(point)) continue;
    try {
      await contents.point(point, { signal });
    } catch (error) {
      signal?.throwIfAborted();
      const whole = point.packs.every((pack) =>
        checks.some((check) => check.sizes.has(packKey(pack.id)) && !findings.has(check.name, packKey(pack.id))),
      );
      // When a pack is lost in every vault, that has been said, with this point.
      if (!whole) continue;
      for (const check of checks) {
        if (check.points.has(key))
          findings.add({ ...findingOf(error, check.name, key, [point.header.id]), kind: 'unreadable' });
      }
    }
  }
}
