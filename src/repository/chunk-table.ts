import { release } from './bytes.ts';

/**
 * Chunk ids and where the chunks are: an open-addressing hash table in typed arrays, 29 to 35 bytes an entry, because a
 * Map of objects would take ten times that. The ids are outputs of HMAC: their bits are as good as any hash's.
 */
export class ChunkTable {
  /** Per entry: the id as four words, the pack's number, block and index within it in one. In segments: growing copies nothing. */
  readonly #segments: Uint32Array[] = [];
  /**
   * Slot → entry number + 1; 0 is empty. A power of two long, and never full, so the upper bits of a slot are free: they
   * are those of the id's second word, and spare looking at the entries of other ids, which are seldom in the cache.
   */
  #slots: Uint32Array<ArrayBuffer>;
  #count = 0;

  /** `expected`: entries there will be, if that is known. */
  constructor(expected = 1024) {
    this.#slots = new Uint32Array(slotsFor(expected));
  }

  /** Entries, those among them that were forgotten. */
  get size(): number {
    return this.#count;
  }

  /** Number of the entry whose id starts at `offset` of `id`, or -1 when there is none or its place was forgotten. */
  find(id: Uint8Array, offset = 0): number {
    const entry = this.#entryAt(this.#slotOf(id, offset));
    return entry >= 0 && this.packOf(entry) !== NOWHERE ? entry : -1;
  }

  /** Adds a chunk unless it is there; says whether it was added. Block and index are below `MOST`. */
  add(id: Uint8Array, offset: number, pack: number, block: number, index: number): boolean {
    return this.addOrFind(id, offset, pack, block, index) < 0;
  }

  /** As `add`, and gives the number of the entry that is there already, or -1 when it was added. */
  addOrFind(id: Uint8Array, offset: number, pack: number, block: number, index: number): number {
    if (FULLEST * this.#slots.length < this.#count + 1) this.#grow();
    const slot = this.#slotOf(id, offset);
    const there = this.#entryAt(slot);
    if (there >= 0) {
      if (this.packOf(there) !== NOWHERE) return there;
      this.move(there, pack, block, index);
      return -1;
    }
    const entry = this.#count++;
    if (entry >>> SEGMENT_BITS === this.#segments.length) this.#segments.push(new Uint32Array(WORDS << SEGMENT_BITS));
    const [words, at] = [this.#segment(entry), placeIn(entry)];
    for (let i = 0; i < 4; i++) words[at + i] = word(id, offset + 4 * i);
    this.move(entry, pack, block, index);
    this.#slots[slot] = this.#slotFor(entry);
    return -1;
  }

  /** Says that the chunk of an entry is somewhere else. */
  move(entry: number, pack: number, block: number, index: number): void {
    const [words, at] = [this.#segment(entry), placeIn(entry)];
    words[at + 4] = pack;
    words[at + 5] = block * MOST + index;
  }

  /** Says that the chunk of an entry is nowhere: it is not found, until it is added again. */
  forget(entry: number): void {
    this.move(entry, NOWHERE, 0, 0);
  }

  packOf(entry: number): number {
    return this.#segment(entry)[placeIn(entry) + 4] as number;
  }

  blockOf(entry: number): number {
    return (this.#segment(entry)[placeIn(entry) + 5] as number) >>> 16;
  }

  indexOf(entry: number): number {
    return (this.#segment(entry)[placeIn(entry) + 5] as number) % MOST;
  }

  /** The slot of the entry with this id, or the empty one where it belongs. */
  #slotOf(id: Uint8Array, offset: number): number {
    const a = word(id, offset);
    const b = word(id, offset + 4);
    const c = word(id, offset + 8);
    const d = word(id, offset + 12);
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = a & mask; ; slot = (slot + 1) & mask) {
      const value = slots[slot] as number;
      if (value === 0) return slot;
      if (((value ^ b) & ~mask) !== 0) continue;
      const entry = (value & mask) - 1;
      const words = this.#segment(entry);
      const at = placeIn(entry);
      if (words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d) return slot;
    }
  }

  #entryAt(slot: number): number {
    return ((this.#slots[slot] as number) & (this.#slots.length - 1)) - 1;
  }

  /** What the slot of an entry holds. */
  #slotFor(entry: number): number {
    const second = this.#segment(entry)[placeIn(entry) + 1] as number;
    return (second & ~(this.#slots.length - 1)) | (entry + 1);
  }

  #grow(): void {
    const slots = new Uint32Array(2 * this.#slots.length);
    release(new Uint8Array(this.#slots.buffer));
    const mask = slots.length - 1;
    this.#slots = slots;
    for (let entry = 0; entry < this.#count; entry++) {
      let slot = (this.#segment(entry)[placeIn(entry)] as number) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = this.#slotFor(entry);
    }
  }

  #segment(entry: number): Uint32Array {
    return this.#segments[entry >>> SEGMENT_BITS] as Uint32Array;
  }
}

const WORDS = 6;
/** Blocks of a pack, and chunks of a block, have lower numbers. */
export const MOST = 2 ** 16;
/** The part of the slots that may be taken. */
const FULLEST = 0.75;
/** Entries of a segment, as a power of two. */
const SEGMENT_BITS = 12;
/** The pack of a chunk whose place was forgotten. */
const NOWHERE = 2 ** 32 - 1;

function placeIn(entry: number): number {
  return (entry & ((1 << SEGMENT_BITS) - 1)) * WORDS;
}

function slotsFor(entries: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(16, entries / FULLEST)));
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
