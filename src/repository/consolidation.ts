import { toHex } from './bytes.ts';
import { packsIn } from './pack-table.ts';

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

/** Packs, out of the pack tables of the newest points, that should not be deduplicated against: those of full tiers and of all below them. */
export function packsToRewrite(packTables: readonly Uint8Array[]): ReadonlySet<string> {
  const tiers = Array.from({ length: TIERS }, () => new Set<string>());
  for (const packTable of packTables) for (const { id, size } of packsIn(packTable)) tiers[tierOf(size)]?.add(toHex(id));
  const full = tiers.findLastIndex((tier) => tier.size >= PACKS_PER_TIER);
  return new Set(tiers.slice(0, full + 1).flatMap((tier) => [...tier]));
}

function tierOf(size: number): number {
  let tier = 0;
  for (let bound = SMALLEST_TIER; size > bound; bound *= TIER_FACTOR) tier++;
  return tier;
}
