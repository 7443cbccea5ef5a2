import type { PackRef } from './pack-table.ts';

/**
 * Small backups make small packs, and a point that needs very many is slow to read. A writer cannot read old packs to
 * merge them, but it has all the plaintext at hand whenever it makes a backup: when a point uses too many packs of
 * about one size, the next backup does not deduplicate against them, so what is still alive of them is stored again,
 * together, in one larger pack. As in a log-structured merge tree, each byte is stored again at most once per tier,
 * and a point needs at most `TIERS * (PACKS_PER_TIER - 1)` packs beside the large ones.
 */
const PACKS_PER_TIER = 16;
const SMALLEST_TIER = 16 * 1024;
const TIERS = 4;
/** Each tier holds packs up to this many times as large as the one before. */
const TIER_FACTOR = 4;

/** Packs, out of those the newest points use, that should not be deduplicated against: those of full tiers and of all below them. */
export function packsToRewrite(inUse: Iterable<PackRef>): ReadonlySet<string> {
  const tiers: string[][] = Array.from({ length: TIERS }, () => []);
  const seen = new Set<string>();
  for (const { id, size } of inUse) {
    if (seen.has(id)) continue;
    seen.add(id);
    tiers[tierOf(size)]?.push(id);
  }
  const full = tiers.findLastIndex((tier) => tier.length >= PACKS_PER_TIER);
  return new Set(tiers.slice(0, full + 1).flat());
}

function tierOf(size: number): number {
  let tier = 0;
  for (let bound = SMALLEST_TIER; size > bound; bound *= TIER_FACTOR) tier++;
  return tier;
}
