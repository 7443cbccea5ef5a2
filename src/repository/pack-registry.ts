import type { PackRef } from './pack-table.ts';

/**
 * The packs a session knows, by number. Extent lists name packs by their place in the point's pack table;
 * a pack gets a place when a stream first uses it.
 */
export class PackRegistry {
  readonly #refs: (PackRef | undefined)[] = [];
  readonly #places: number[] = [];
  readonly #table: number[] = [];
  readonly #onFirstUse: ((pack: PackRef) => void) | undefined;

  /** `onFirstUse` is told when a stream first uses a pack that was there before. */
  constructor(onFirstUse?: (pack: PackRef) => void) {
    this.#onFirstUse = onFirstUse;
  }

  /** Adds a pack; one that is still being made has no reference yet. */
  add(ref?: PackRef): number {
    this.#places.push(-1);
    return this.#refs.push(ref) - 1;
  }

  /** Says what a pack became. */
  resolve(number: number, ref: PackRef): void {
    this.#refs[number] = ref;
  }

  /** Place of the pack in the point's table. */
  placeOf(number: number): number {
    const known = this.#places[number] as number;
    if (known >= 0) return known;
    const place = this.#table.push(number) - 1;
    this.#places[number] = place;
    const ref = this.#refs[number];
    if (ref !== undefined) this.#onFirstUse?.(ref);
    return place;
  }

  /** The point's pack table; every pack in it must have been resolved. */
  table(): PackRef[] {
    return this.#table.map((number) => {
      const ref = this.#refs[number];
      if (ref === undefined) throw new Error('a pack of the point was never stored');
      return ref;
    });
  }
}
