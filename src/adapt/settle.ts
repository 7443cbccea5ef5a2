import { ruleById } from './catalogue.ts';
import type { OwnerReference } from './owners.ts';
import type { Row } from './row.ts';
import { ownerRules } from './rules/owners.ts';

/** What becomes of one owner reference. */
export type OwnerFate =
  /** The owner is in the set and restored. */
  | { readonly kind: 'restored'; readonly owner: OwnerReference }
  /** The owner is in the set and dropped; whatever makes it again makes its dependents again. */
  | { readonly kind: 'dropped'; readonly owner: OwnerReference }
  /** The owner is dropped because the target makes it itself. */
  | { readonly kind: 'made-by-target'; readonly owner: OwnerReference }
  /** The owner is not in the set. */
  | { readonly kind: 'unknown'; readonly owner: OwnerReference };

/** What the whole set says about one object's owners. */
export interface Settled {
  /** `owner-not-restored` if the object goes with its owners, else `''`. */
  readonly drop: string;
  readonly fates: readonly OwnerFate[];
}

/** What is known of an object of the set: the rule that drops it by itself (`''`: none), and its row if it has owners. */
export interface KnownOwner {
  readonly drop: string;
  readonly row?: Row;
}

/** Decides about owner references once every object of the set is known. Memory: one entry for each object it is asked about. */
export class OwnerSettlement {
  readonly #lookup: (uid: string) => KnownOwner | undefined;
  readonly #settled = new Map<Row, Settled>();
  readonly #visiting = new Set<Row>();

  /** `lookup` finds an object of the set by its UID. */
  constructor(lookup: (uid: string) => KnownOwner | undefined) {
    this.#lookup = lookup;
  }

  /** Decides about the owners of a row that is not dropped by itself. */
  settle(row: Row): Settled {
    const known = this.#settled.get(row);
    if (known !== undefined) return known;
    if (row.owners.length === 0) return { drop: '', fates: [] };
    // Two objects that own each other: neither is dropped for the other's sake.
    if (this.#visiting.has(row)) return { drop: '', fates: [] };
    this.#visiting.add(row);
    const fates = row.owners.map((owner) => this.#fate(owner));
    this.#visiting.delete(row);
    const gone = fates.every((fate) => fate.kind === 'dropped');
    const settled = { drop: gone ? ownerRules.gone.id : '', fates };
    this.#settled.set(row, settled);
    return settled;
  }

  #fate(owner: OwnerReference): OwnerFate {
    const known = this.#lookup(owner.uid);
    if (known === undefined) return { kind: 'unknown', owner };
    const drop = known.drop === '' && known.row !== undefined ? this.settle(known.row).drop : known.drop;
    if (drop === '') return { kind: 'restored', owner };
    const rule = ruleById(drop);
    return rule?.effect === 'drop' && rule.madeByCluster === true ? { kind: 'made-by-target', owner } : { kind: 'dropped', owner };
  }
}
