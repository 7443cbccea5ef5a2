/** More vaults than any plan has: of more, all that count are taken. */
const MOST_TRIED = 12;

/**
 * The vaults whose packs a backup builds on: it deduplicates against the packs that all of these have, and what others
 * lack of them is copied there. At least `copies` vaults, so that no single one of them is what the point depends on; of
 * all such sets the one that saves most bytes, of equal ones the largest. A vault that lacks most of what the fullest
 * has (a new one, say) does not count: it is filled from the others, rather than everything stored again for its sake.
 * docs/format.md, "Order of writing".
 */
export function chooseBase<V>(
  /** Packs, with their ids as bytes. */
  packs: Iterable<{ readonly id: Uint8Array; readonly size: number }>,
  /** What each vault has. */
  holdings: ReadonlyMap<V, { has(id: Uint8Array, size: number): boolean }>,
  copies: number,
): readonly V[] {
  const vaults = [...holdings.keys()];
  // Bytes by which of the vaults have them: there are few such sets, however many packs.
  const bytesBySet = new Map<number, number>();
  for (const { id, size } of packs) {
    let set = 0;
    for (const [i, vault] of vaults.entries()) if (holdings.get(vault)?.has(id, size) === true) set |= 1 << i;
    bytesBySet.set(set, (bytesBySet.get(set) ?? 0) + size);
  }
  const savedBy = (members: number): number => {
    let bytes = 0;
    for (const [set, sum] of bytesBySet) if ((set & members) === members) bytes += sum;
    return bytes;
  };
  const held = vaults.map((_, i) => savedBy(1 << i));
  const fullest = Math.max(...held);
  const counting = vaults.map((_, i) => i).filter((i) => 2 * (held[i] ?? 0) >= fullest);
  const all = counting.reduce((members, i) => members | (1 << i), 0);
  let best = { members: all, saved: savedBy(all), size: counting.length };
  if (counting.length <= MOST_TRIED) {
    const least = Math.min(copies, counting.length);
    for (let choice = 1; choice < 1 << counting.length; choice++) {
      const chosen = counting.filter((_, at) => (choice & (1 << at)) !== 0);
      if (chosen.length < least) continue;
      const members = chosen.reduce((sum, i) => sum | (1 << i), 0);
      const saved = savedBy(members);
      if (saved > best.saved || (saved === best.saved && chosen.length > best.size)) best = { members, saved, size: chosen.length };
    }
  }
  return vaults.filter((_, i) => (best.members & (1 << i)) !== 0);
}
