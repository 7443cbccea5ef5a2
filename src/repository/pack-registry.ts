import { writePackRefAt, readPackRefAt, PACK_REF_BYTES } from './pack-table.ts';
import type { PackRef } from './pack-table.ts';

/** What is known of a pack. */
const BEING_MADE = 0;
const MADE = 1;
const FOUND = 2;

/**
 * The packs a session knows, by number. Extent lists name packs by their place in the point's pack table;
 * a pack gets a place when a stream first uses it. In typed arrays: there may be a million.
 */
export class PackRegistry {
  /** As in pack tables, one after the other. */
  #refs = Buffer.allocUnsafeSlow(256 * PACK_REF_BYTES);
  #states = new Uint8Array(256);
  #places = new Int32Array(256);
  #count = 0;
  /** Packs that were found, by the first bytes of their ids: number + 1, or 0. At most half full. */
  #slots = new Uint32Array(1024);
  #found = 0;
  readonly #table: number[] = [];
  readonly #onFirstUse: ((pack: PackRef) => void) | undefined;

  /** `onFirstUse` is told when a stream first uses a pack that was there before. */
  constructor(onFirstUse?: (pack: PackRef) => void) {
    this.#onFirstUse = onFirstUse;
  }

  /** Packs, those that are being made among them. */
  get size(): number {
    return this.#count;
  }

  /** Adds a pack that is still being made. */
  add(): number {
    if (this.#count === this.#states.length) this.reserve(2 * this.#count);
    this.#places[this.#count] = -1;
    this.#states[this.#count] = BEING_MADE;
    return this.#count++;
  }

  /** Adds a pack that was there before, told of at `offset` as in a pack table. */
  addFound(refs: Uint8Array, offset = 0): number {
    if (2 * (this.#found + 1) > this.#slots.length) this.#rehash();
    const number = this.add();
    this.#refs.set(refs.subarray(offset, offset + PACK_REF_BYTES), number * PACK_REF_BYTES);
    this.#states[number] = FOUND;
    this.#slots[this.#slotOf(refs, offset)] = number + 1;
    this.#found++;
    return number;
  }

  /** Number of the pack, there before, whose id begins at `offset`; or -1. */
  find(id: Uint8Array, offset = 0): number {
    return (this.#slots[this.#slotOf(id, offset)] as number) - 1;
  }

  /** Says what a pack became. */
  resolve(number: number, ref: PackRef): void {
    writePackRefAt(this.#refs, number * PACK_REF_BYTES, ref);
    this.#states[number] = MADE;
  }

  /** What a pack is, once that is known, as in a pack table: a view that holds until another is added. */
  refOf(number: number): Uint8Array {
    return this.#refs.subarray(number * PACK_REF_BYTES, (number + 1) * PACK_REF_BYTES);
  }

  /** Bytes of a pack that was there before. */
  sizeOf(number: number): number {
    return this.#refs.readUInt32LE(number * PACK_REF_BYTES + ID_BYTES);
  }

  /** Place of the pack in the point's table. */
  placeOf(number: number): number {
    const known = this.#places[number] as number;
    if (known >= 0) return known;
    const place = this.#table.push(number) - 1;
    this.#places[number] = place;
    if (this.#states[number] === FOUND) this.#onFirstUse?.(readPackRefAt(this.#refs, number * PACK_REF_BYTES));
    return place;
  }

  /** The point's pack table, encoded; every pack in it must have been resolved. */
  table(): Buffer {
    const table = Buffer.allocUnsafe(this.#table.length * PACK_REF_BYTES);
    for (const [place, number] of this.#table.entries()) {
      if (this.#states[number] === BEING_MADE) throw new Error('a pack of the point was never stored');
      table.set(this.refOf(number), place * PACK_REF_BYTES);
    }
    return table;
  }

  #slotOf(id: Uint8Array, offset: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = firstWord(id, offset) & mask; ; slot = (slot + 1) & mask) {
      const number = (this.#slots[slot] as number) - 1;
      if (number < 0) return slot;
      const at = number * PACK_REF_BYTES;
      if (firstWord(this.#refs, at) === firstWord(id, offset) && this.#refs.compare(id, offset, offset + ID_BYTES, at, at + ID_BYTES) === 0) return slot;
    }
  }

  #rehash(): void {
    this.#slots = new Uint32Array(2 * this.#slots.length);
    for (let number = 0; number < this.#count; number++) {
      if (this.#states[number] === FOUND) this.#slots[this.#slotOf(this.#refs, number * PACK_REF_BYTES)] = number + 1;
    }
  }

  /** Makes room for so many packs in all: growing on the way leaves twice as much memory behind. */
  reserve(packs: number): void {
    if (packs <= this.#states.length) return;
    const refs = Buffer.allocUnsafeSlow(packs * PACK_REF_BYTES);
    refs.set(this.#refs);
    const states = new Uint8Array(packs);
    states.set(this.#states);
    const places = new Int32Array(packs);
    places.set(this.#places);
    [this.#refs, this.#states, this.#places] = [refs, states, places];
  }
}

const ID_BYTES = 32;

/** Ids are hashes: any bits of one are as good as a hash of it. */
function firstWord(id: Uint8Array, at: number): number {
  return (id[at] as number) | ((id[at + 1] as number) << 8) | ((id[at + 2] as number) << 16) | ((id[at + 3] as number) << 24);
}
