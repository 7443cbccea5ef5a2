import type { Finding } from '../api.ts';
import { HEADER_KEY, INDEX_PREFIX, indexKey, PACKS_PREFIX, packKey, POINTS_PREFIX, RESCUE_PREFIX, SLOTS_PREFIX } from '../layout.ts';
import type { Point } from '../point.ts';
import { removedNameOf } from '../vault-contents.ts';
import type { Examination } from '../verify/examine.ts';
import { headsOf } from '../verify/references.ts';
import type { VaultCheck } from '../verify/vault-check.ts';

/** One object, and the vaults that need it. */
export interface Task {
  readonly key: string;
  readonly targets: readonly Target[];
}

/** A vault that lacks an object, or has something else in its place. */
export interface Target {
  readonly check: VaultCheck;
  /** Points that cannot be restored from this vault without it. */
  readonly points: readonly string[];
}

/** What another copy does not help against, and what lies over an object that is intact: that is taken away, `uncover.ts`. */
const NOT_REPLACED: ReadonlySet<Finding['kind']> = new Set(['chain', 'disputed', 'shadowed', 'unreadable']);

const isTombstone = (key: string): boolean => removedNameOf(key) !== undefined;
const under = (prefix: string) => (key: string): boolean => key.startsWith(prefix) && !isTombstone(key);

/**
 * The order of writing: what others need comes first, points last, and what says that a point was removed before any. docs/format.md,
 * "Order of writing".
 */
const ORDER = [under(RESCUE_PREFIX), under(SLOTS_PREFIX), under(HEADER_KEY), isTombstone, under(PACKS_PREFIX), under(INDEX_PREFIX), under(POINTS_PREFIX)];

/**
 * What is to be repaired, stage by stage: all that was found lost, damaged or forged, and what the points among it need in
 * the vaults that lack them. A point that a vault misses says nothing of its packs there until it is back.
 */
export function planRepairs({ checks, findings, known }: Examination): readonly (readonly Task[])[] {
  const byName = new Map(checks.map((check) => [check.name, check]));
  const targets = new Map<string, Map<VaultCheck, Set<string>>>();
  const add = (key: string, check: VaultCheck, points: readonly string[]): void => {
    const ofKey = targets.get(key) ?? new Map<VaultCheck, Set<string>>();
    targets.set(key, ofKey.set(check, new Set([...(ofKey.get(check) ?? []), ...points])));
  };
  for (const { vault, object, kind, points } of findings.all()) {
    const check = byName.get(vault);
    if (check !== undefined && object !== '' && !NOT_REPLACED.has(kind)) add(object, check, points);
  }
  const heads = new Set(headsOf(known.values()));
  for (const [key, ofKey] of targets) {
    const point = known.get(key);
    if (point === undefined) continue;
    for (const check of ofKey.keys()) for (const needed of neededBy(point, heads.has(point), check, checks)) add(needed, check, [point.header.id]);
  }
  return ORDER.map((isOfStage) =>
    [...targets]
      .filter(([key]) => isOfStage(key))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, ofKey]) => ({ key, targets: [...ofKey].map(([check, points]) => ({ check, points: [...points].sort() })) })),
  );
}

/** Keys of what a point needs and a vault lacks. Index objects only of the newest points, and only those that are anywhere. */
function* neededBy(point: Point, newest: boolean, check: VaultCheck, checks: readonly VaultCheck[]): Generator<string> {
  for (const pack of point.packs) if (check.sizes.get(packKey(pack.id)) !== pack.size) yield packKey(pack.id);
  for (const id of newest ? point.indexes : []) {
    const key = indexKey(id);
    if (!check.sizes.has(key) && checks.some((other) => other.sizes.has(key))) yield key;
  }
}
