/**
 * Chunk ids and where the chunks are: an open-addressing hash table in typed arrays, 28 to 40 bytes an entry, because a
 * Map of objects would take ten times that. The ids are outputs of HMAC: their bits are as good as any hash's.
 */
export class ChunkTable {
  /** Per entry: the id as four words, the pack's number, block and index within it. */
  #entries: Uint32Array;
  /** Slot → entry number + 1; 0 is empty. A power of two long. */
  #slots: Uint32Array;
  #count = 0;

  constructor(expected = 1024) {
    this.#entries = new Uint32Array(Math.max(16, expected) * WORDS);
    this.#slots = new Uint32Array(slotsFor(expected));
  }

  get size(): number {
    return this.#count;
  }

  /** Makes room for `more` entries at once. */
  reserve(more: number): void {
    const needed = this.#count + more;
    if (needed * WORDS > this.#entries.length) {
      const larger = new Uint32Array(Math.max(needed, 2 * (this.#entries.length / WORDS)) * WORDS);
      larger.set(this.#entries.subarray(0, this.#count * WORDS));
      this.#entries = larger;
    }
    if (2 * needed > this.#slots.length) {
      this.#slots = new Uint32Array(slotsFor(needed));
      for (let entry = 0; entry < this.#count; entry++) this.#slots[this.#freeSlot(entry)] = entry + 1;
    }
  }

  /** Number of the entry whose id starts at `offset` of `id`, or -1. */
  find(id: Uint8Array, offset = 0): number {
    const a = word(id, offset);
    const b = word(id, offset + 4);
    const c = word(id, offset + 8);
    const d = word(id, offset + 12);
    const mask = this.#slots.length - 1;
    for (let slot = a & mask; ; slot = (slot + 1) & mask) {
      const entry = (this.#slots[slot] as number) - 1;
      if (entry < 0) return -1;
      const at = entry * WORDS;
      const entries = this.#entries;
      if (entries[at] === a && entries[at + 1] === b && entries[at + 2] === c && entries[at + 3] === d) return entry;
    }
  }

  /** Adds a chunk unless it is there; says whether it was added. */
  add(id: Uint8Array, offset: number, pack: number, block: number, index: number): boolean {
    if (this.find(id, offset) >= 0) return false;
    this.reserve(1);
    const entry = this.#count++;
    const at = entry * WORDS;
    const entries = this.#entries;
    entries[at] = word(id, offset);
    entries[at + 1] = word(id, offset + 4);
    entries[at + 2] = word(id, offset + 8);
    entries[at + 3] = word(id, offset + 12);
    entries[at + 4] = pack;
    entries[at + 5] = block;
    entries[at + 6] = index;
    this.#slots[this.#freeSlot(entry)] = entry + 1;
    return true;
  }

  packOf(entry: number): number {
    return this.#entries[entry * WORDS + 4] as number;
  }

  blockOf(entry: number): number {
    return this.#entries[entry * WORDS + 5] as number;
  }

  indexOf(entry: number): number {
    return this.#entries[entry * WORDS + 6] as number;
  }

  #freeSlot(entry: number): number {
    const mask = this.#slots.length - 1;
    let slot = (this.#entries[entry * WORDS] as number) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    return slot;
  }
}

const WORDS = 7;

function slotsFor(entries: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(16, 2 * entries)));
}

function word(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}
