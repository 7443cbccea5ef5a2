import { systemClock } from '../../core/clock.ts';
import type { Clock } from '../../core/clock.ts';
import { isLifeboatError, messageOf } from '../../core/errors.ts';
import type { OnProgress, OnWarning } from '../../core/progress.ts';
import type { MaintainKey } from '../../keys/index.ts';
import { extendLocks, findLivePoints, readPointHead, removePoint } from '../../repository/index.ts';
import type { LockExtension, PointRemoval } from '../../repository/index.ts';
import type { Vault } from '../../vault/vault.ts';
import { forEachParallel } from '../for-each.ts';
import { decide } from './policy.ts';
import type { KeepReason, RetainedPoint, RetentionRules } from './policy.ts';

/** What plans say of the points of one site. */
export interface SiteRetention {
  readonly site: string;
  /** Of every plan that protects the site; `undefined` for one that keeps everything. */
  readonly policies: readonly (RetentionRules | undefined)[];
  /** Vaults that must hold a point for it to be safe. */
  readonly copies: number;
  /** How long what the points need is kept locked, ms. Default: locks are left as they are. */
  readonly lock?: number | undefined;
}

/** What was done. */
export interface RetainReport {
  readonly points: readonly RetainEntry[];
  readonly locks: readonly LockExtension[];
}

export interface RetainOptions {
  /** Every vault of the repository that can be reached. */
  readonly vaults: readonly Vault[];
  readonly key: MaintainKey;
  readonly sites: readonly SiteRetention[];
  /** Only say what would be done. */
  readonly dryRun?: boolean;
  readonly clock?: Clock;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress;
  readonly onWarning?: OnWarning;
}

/** A point and its fate. */
export interface RetainEntry {
  readonly site: string;
  readonly id: string;
  /** ISO 8601, UTC. Absent, with all that follows from it, when no vault has the point intact; it stays then. */
  readonly committedAt?: string;
  readonly complete?: boolean;
  readonly vaults: readonly string[];
  readonly fate: 'kept' | 'goes' | 'removed' | 'locked' | 'unreadable' | 'failed';
  readonly reasons: readonly KeepReason[];
  /** What was done to remove it. */
  readonly removal?: PointRemoval;
  /** Why it could not be read or removed. */
  readonly problem?: string;
}

/** Points read at once. */
const PARALLEL = 16;

/**
 * Removes the points that no policy of their site keeps, and says of every point why it stays or that it goes. A point
 * that cannot be read stays; one that a lock holds stays until a later run. Locks of what the others need are made longer.
 * Throws what listing the vaults throws.
 */
export async function retain(options: RetainOptions): Promise<RetainReport> {
  const points: RetainEntry[] = [];
  const locks: LockExtension[] = [];
  for (const site of options.sites) {
    const done = await retainSite(site, options);
    points.push(...done.points);
    locks.push(...done.locks);
  }
  return { points, locks };
}

async function retainSite({ site, policies, copies, lock }: SiteRetention, options: RetainOptions): Promise<RetainReport> {
  const { vaults, key, dryRun = false, clock = systemClock, signal, onWarning } = options;
  const context = { signal, onWarning };
  const found = await findLivePoints(vaults, site, key, context);
  const unreadable: RetainEntry[] = [];
  const read: (RetainedPoint & { readonly found: (typeof found)[number] })[] = [];
  await forEachParallel(found, PARALLEL, async (point) => {
    try {
      const { header } = await readPointHead(point, key, context);
      const { id, complete } = header;
      read.push({ id, complete, committedAt: Date.parse(header.committedAt), safe: point.vaults.length >= copies, found: point });
    } catch (error) {
      signal?.throwIfAborted();
      if (isLifeboatError(error, 'LB_REPO_NEWER_FORMAT')) throw error;
      unreadable.push({ site, id: point.id, vaults: point.vaults.map(({ name }) => name), fate: 'unreadable', reasons: [], problem: messageOf(error) });
    }
  });
  const entries: RetainEntry[] = [...unreadable];
  for (const { point, reasons } of decide(read, policies, clock.now())) {
    signal?.throwIfAborted();
    const about = {
      site,
      id: point.id,
      committedAt: new Date(point.committedAt).toISOString(),
      complete: point.complete,
      vaults: point.found.vaults.map(({ name }) => name),
      reasons,
    };
    if (reasons.length > 0) entries.push({ ...about, fate: 'kept' });
    else if (dryRun) entries.push({ ...about, fate: 'goes' });
    else {
      try {
        const removal = await removePoint(vaults, key, point.found, 'retention', { ...context, clock });
        entries.push({ ...about, fate: fateOf(removal), removal });
      } catch (error) {
        signal?.throwIfAborted();
        entries.push({ ...about, fate: 'failed', problem: messageOf(error) });
      }
    }
    options.onProgress?.({ phase: 'retain', done: entries.length, total: found.length, unit: 'points' });
  }
  const kept = read.filter(({ id }) => entries.some((entry) => entry.id === id && entry.fate === 'kept'));
  const locks =
    lock === undefined || dryRun
      ? []
      : await extendLocks(kept.map((point) => point.found), key, lock, clock.now(), { ...context, onProgress: options.onProgress });
  return { points: entries.sort((a, b) => (a.id < b.id ? -1 : 1)), locks };
}

function fateOf({ lockedUntil, vaults }: PointRemoval): RetainEntry['fate'] {
  if (lockedUntil !== undefined) return 'locked';
  return vaults.length > 0 ? 'removed' : 'failed';
}
