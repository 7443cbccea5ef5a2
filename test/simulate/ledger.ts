import { sha256Hex } from '../../src/repository/bytes.ts';
import { HEADER_KEY, indexKey, INDEX_PREFIX, packKey, PACKS_PREFIX, pointKey, RESCUE_PREFIX, SLOTS_PREFIX } from '../../src/repository/layout.ts';
import { decodePoint } from '../../src/repository/point.ts';
import { removedNameOf } from '../../src/repository/vault-contents.ts';
import { pointNameOf } from '../../src/repository/vault-contents.ts';
import { KEYS } from './keys.ts';
import type { Store } from './store.ts';

/** A point that was once put into a vault. */
export interface KnownPoint {
  readonly site: string;
  readonly id: string;
  readonly key: string;
  readonly complete: boolean;
  readonly packs: readonly string[];
  /** Bytes of each pack. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly indexes: readonly string[];
  readonly previous: readonly string[];
  /** Somebody was told that enough vaults hold it, or every vault was seen to. */
  safe: boolean;
  /** A vault was given its tombstone. */
  removed: boolean;
  /** What the site held then; known of points whose backup said so. */
  revision?: string;
}

const SWEPT = [PACKS_PREFIX, INDEX_PREFIX];

/**
 * What is true, kept beside the vaults: which bytes lifeboat meant to store under each name, which points there are, which
 * of them are safe. It sees every object that a vault is given, and that is taken away, at that moment.
 */
export class Ledger {
  readonly points = new Map<string, KnownPoint>();
  /** What happened that must never happen. */
  readonly violations: string[] = [];
  readonly #meant = new Map<string, Set<string>>();
  readonly #hashes = new WeakMap<Uint8Array, string>();
  #stores: readonly Store[] = [];

  watch(stores: readonly Store[]): void {
    this.#stores = stores;
  }

  /** lifeboat is about to put this. */
  meant(key: string, bytes: Uint8Array): void {
    const hash = this.#hash(bytes);
    if (key.startsWith(PACKS_PREFIX) && key !== packKey(hash)) this.violations.push(`bytes that are not those of ${key} were to be stored under its name`);
    const known = this.#meant.get(key) ?? new Set();
    this.#meant.set(key, known.add(hash));
    const name = pointNameOf(key);
    if (name === undefined || this.points.has(key)) return;
    const { header, packs, indexes } = decodePoint(bytes, { repositoryId: KEYS.repositoryId, ...name }, KEYS.signingPublicKey);
    this.points.set(key, {
      ...name,
      key,
      complete: header.complete,
      packs: packs.map(({ id }) => packKey(id)),
      sizes: new Map(packs.map(({ id, size }) => [packKey(id), size])),
      indexes: indexes.map(indexKey),
      previous: header.previous.map(({ id }) => pointKey(name.site, id)),
      safe: false,
      removed: false,
    });
  }

  /** A vault has it now, as it is there. */
  stored(store: Store, key: string): void {
    const removed = removedNameOf(key);
    const gone = removed && this.points.get(pointKey(removed.site, removed.id));
    if (gone !== undefined && this.intact(store, key)) gone.removed = true;
    const point = this.points.get(key);
    if (point === undefined || store.suspect || !this.intact(store, key)) return;
    const lacking = point.packs.filter((pack) => !this.intact(store, pack));
    if (lacking.length > 0) this.violations.push(`${store.name} was given ${key} before ${lacking.join(', ')}`);
  }

  /** A vault was made to delete it. */
  deleted(store: Store, key: string, bytes: Uint8Array): void {
    if (this.#meant.get(key)?.has(this.#hash(bytes)) !== true) return;
    const reason = this.#neededFor(store, key);
    if (reason === undefined) return;
    // Whoever is lied to by a vault may replace what was well there, if another has it.
    if (store.mood.lies && this.#stores.some((other) => other !== store && this.intact(other, key))) return;
    this.violations.push(`${key} was deleted from ${store.name}, though ${reason}`);
  }

  /** What needs an object; only points count that a vault shows which tells the truth. */
  #neededFor(store: Store, key: string): string | undefined {
    if (key === HEADER_KEY || key.startsWith(RESCUE_PREFIX)) return 'it is part of the repository';
    if (key.startsWith(SLOTS_PREFIX)) return 'no slot was removed';
    const own = this.points.get(key);
    if (own !== undefined) return own.removed ? undefined : 'nobody removed that point';
    if (!SWEPT.some((prefix) => key.startsWith(prefix))) return undefined;
    for (const point of this.live()) {
      if (!point.packs.includes(key) && !point.indexes.includes(key)) continue;
      if (this.#stores.some((other) => (other === store || !other.suspect) && !other.mood.lies && this.intact(other, point.key))) return `point ${point.id} needs it`;
    }
    return undefined;
  }

  live(): KnownPoint[] {
    return [...this.points.values()].filter(({ removed }) => !removed);
  }

  /** Whether the vault has, under this name, what lifeboat meant to be there. */
  intact(store: Store, key: string): boolean {
    const bytes = store.held(key);
    if (bytes === undefined) return false;
    if (key.startsWith(PACKS_PREFIX)) return key === packKey(this.#hash(bytes));
    return this.#meant.get(key)?.has(this.#hash(bytes)) === true;
  }

  /** Whether the vault has all that restoring the point takes. */
  holds(store: Store, point: KnownPoint): boolean {
    return this.intact(store, point.key) && point.packs.every((pack) => this.intact(store, pack));
  }

  /** Whether the vault shows all that restoring the point takes, intact or not, beneath what a thief put over it. */
  shows(store: Store, point: KnownPoint): boolean {
    return store.held(point.key) !== undefined && point.packs.every((pack) => store.held(pack)?.length === point.sizes.get(pack));
  }

  holders(point: KnownPoint): Store[] {
    return this.#stores.filter((store) => this.holds(store, point));
  }

  /** Whether any vault has it intact. */
  anywhere(key: string): boolean {
    return this.#stores.some((store) => this.intact(store, key));
  }

  /** Looks for safe points that are lost. */
  check(): void {
    for (const point of this.live()) if (point.safe && this.holders(point).length === 0) this.violations.push(`safe point ${point.id} is lost`);
  }

  /** A digest of what all vaults hold. */
  digest(): string {
    return this.#stores.map((store) => [...store.objects].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, bytes]) => `${store.name} ${key} ${this.#hash(bytes)}`).join('\n')).join('\n');
  }

  #hash(bytes: Uint8Array): string {
    const known = this.#hashes.get(bytes);
    if (known !== undefined) return known;
    const hash = sha256Hex(bytes);
    this.#hashes.set(bytes, hash);
    return hash;
  }
}
