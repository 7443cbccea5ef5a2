import type { Vault } from '../vault/vault.ts';
import { release, toHex } from './bytes.ts';
import { packKey, PACKS_PREFIX, SHA256_HEX } from './layout.ts';

const ID_BYTES = 32;
/** Ids are told apart by their first two bytes before any are compared. */
const BUCKETS = 1 << 16;
const LARGEST = 2 ** 32 - 1;

/** The packs of a vault and their sizes, in typed arrays: 36 bytes each, because a repository of many TiB has a million. */
export class PackSet {
  /** Ids in ascending order, one after the other. */
  readonly #ids: Buffer;
  readonly #sizes: Uint32Array;
  /** Number of the first id that does not come before these two bytes; one more for the end. */
  readonly #starts: Uint32Array;

  /** `ids` must be in ascending order. */
  private constructor(ids: Buffer, sizes: Uint32Array) {
    this.#ids = ids;
    this.#sizes = sizes;
    this.#starts = new Uint32Array(BUCKETS + 1).fill(sizes.length);
    for (let at = sizes.length - 1; at >= 0; at--) this.#starts[ids.readUInt16BE(at * ID_BYTES)] = at;
    // Where nothing begins with two bytes, what begins with the next ones is what comes first.
    for (let bucket = BUCKETS - 1; bucket >= 0; bucket--) {
      const [here, next] = [this.#starts[bucket] as number, this.#starts[bucket + 1] as number];
      if (here > next) this.#starts[bucket] = next;
    }
  }

  /** Lists the packs of a vault; `onShadowed` is told of those that something was put over. Throws what the vault throws. */
  static async list(vault: Vault, signal?: AbortSignal, onShadowed?: (id: string) => void): Promise<PackSet> {
    let ids = Buffer.alloc(1024 * ID_BYTES);
    let sizes = new Uint32Array(1024);
    let count = 0;
    let inOrder = true;
    for await (const { key, size, shadowed } of vault.list(PACKS_PREFIX, { signal })) {
      const id = key.slice(key.lastIndexOf('/') + 1);
      if (!SHA256_HEX.test(id) || packKey(id) !== key) continue;
      if (shadowed) onShadowed?.(id);
      if (count === sizes.length) {
        [ids, sizes] = grown(ids, sizes);
      }
      ids.write(id, count * ID_BYTES, 'hex');
      sizes[count] = Math.min(size, LARGEST);
      inOrder &&= count === 0 || ids.compare(ids, (count - 1) * ID_BYTES, count * ID_BYTES, count * ID_BYTES, (count + 1) * ID_BYTES) > 0;
      count++;
    }
    const [all, their] = [ids.subarray(0, count * ID_BYTES), sizes.subarray(0, count)];
    return inOrder ? new PackSet(all, their) : sorted(all, their, (a, b) => new PackSet(a, b));
  }

  get length(): number {
    return this.#sizes.length;
  }

  /** Number of the pack with this id (32 bytes), or -1. */
  find(id: Uint8Array): number {
    const bucket = ((id[0] as number) << 8) | (id[1] as number);
    let from = this.#starts[bucket] as number;
    let to = this.#starts[bucket + 1] as number;
    const next = wordAt(id, 2);
    while (from < to) {
      const middle = (from + to) >> 1;
      // The bytes that come next tell nearly all apart, and comparing all is a call out of the engine.
      let order = wordAt(this.#ids, middle * ID_BYTES + 2) - next;
      if (order === 0) order = this.#ids.compare(id, 0, ID_BYTES, middle * ID_BYTES, (middle + 1) * ID_BYTES);
      if (order === 0) return middle;
      if (order < 0) from = middle + 1;
      else to = middle;
    }
    return -1;
  }

  /** Bytes of a pack, by its number. */
  size(number: number): number {
    return this.#sizes[number] as number;
  }

  /** Lower-case hex. */
  id(number: number): string {
    return toHex(this.#ids.subarray(number * ID_BYTES, (number + 1) * ID_BYTES));
  }

  /** Bytes of the pack with this id (hex), if it is there. */
  sizeOf(id: string): number | undefined {
    const number = this.find(Buffer.from(id, 'hex'));
    return number < 0 ? undefined : this.size(number);
  }

  /** Whether it holds this pack in this size. */
  has(id: Uint8Array, size: number): boolean {
    const number = this.find(id);
    return number >= 0 && this.size(number) === size;
  }
}

/** Four bytes as a number that sorts as they do. */
function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

function grown(ids: Buffer<ArrayBuffer>, sizes: Uint32Array<ArrayBuffer>): [Buffer<ArrayBuffer>, Uint32Array<ArrayBuffer>] {
  const [moreIds, moreSizes] = [Buffer.allocUnsafeSlow(2 * ids.length), new Uint32Array(2 * sizes.length)];
  moreIds.set(ids);
  moreSizes.set(sizes);
  release(ids);
  return [moreIds, moreSizes];
}

/** A store that does not list in order is slower, and no more. */
function sorted<T>(ids: Buffer, sizes: Uint32Array, make: (ids: Buffer, sizes: Uint32Array) => T): T {
  const order = Array.from(sizes.keys()).sort((a, b) => ids.compare(ids, b * ID_BYTES, (b + 1) * ID_BYTES, a * ID_BYTES, (a + 1) * ID_BYTES));
  const [sortedIds, sortedSizes] = [Buffer.alloc(ids.length), new Uint32Array(sizes.length)];
  for (const [to, from] of order.entries()) {
    ids.copy(sortedIds, to * ID_BYTES, from * ID_BYTES, (from + 1) * ID_BYTES);
    sortedSizes[to] = sizes[from] as number;
  }
  return make(sortedIds, sortedSizes);
}
