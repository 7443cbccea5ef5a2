import { PACK_REF_BYTES } from './pack-table.ts';

/** Of each id, so many bytes: a number that a double holds exactly. */
const PREFIX = 6;

/**
 * The packs of some points, by the beginnings of their ids: a tenth of what their pack tables take, for as long as index objects
 * are read. A pack of another point that begins the same would be taken for one of theirs, once in 2^48 times the packs.
 */
export class NewestPacks {
  readonly #prefixes: Float64Array;

  constructor(packTables: readonly Uint8Array[]) {
    this.#prefixes = new Float64Array(packTables.reduce((sum, { length }) => sum + length / PACK_REF_BYTES, 0));
    let pack = 0;
    for (const table of packTables) {
      for (let at = 0; at < table.length; at += PACK_REF_BYTES) this.#prefixes[pack++] = prefixOf(table, at);
    }
    this.#prefixes.sort();
  }

  has(id: Uint8Array): boolean {
    const wanted = prefixOf(id);
    let [from, to] = [0, this.#prefixes.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      const there = this.#prefixes[middle] as number;
      if (there === wanted) return true;
      if (there < wanted) from = middle + 1;
      else to = middle;
    }
    return false;
  }
}

function prefixOf(id: Uint8Array, at = 0): number {
  let prefix = 0;
  for (let i = 0; i < PREFIX; i++) prefix = prefix * 256 + (id[at + i] as number);
  return prefix;
}
