import { ruleById } from './catalogue.ts';
import type { OwnerReference } from './owners.ts';
import type { Row } from './row.ts';
import { ownerRules } from './rules/owners.ts';

/** What becomes of one owner reference. */
export type OwnerFate =
  /** The owner is in the set and restored. */
  | { readonly kind: 'restored'; readonly owner: OwnerReference; readonly row: Row }
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

/**
 * Decides about owner references once every row of the set is known. `byUid` must hold every row that may be an owner.
 * Memory: one entry for each object with owners.
 */
export class OwnerSettlement {
  readonly #byUid: ReadonlyMap<string, Row>;
  readonly #settled = new Map<Row, Settled>();
  readonly #visiting = new Set<Row>();

  constructor(byUid: ReadonlyMap<string, Row>) {
    this.#byUid = byUid;
  }

  /** The rule that drops a row, on its own or with its owners; `''` if it is restored. */
  dropOf(row: Row): string {
    return row.drop === '' ? this.settle(row).drop : row.drop;
  }

  settle(row: Row): Settled {
    const known = this.#settled.get(row);
    if (known !== undefined) return known;
    if (row.owners.length === 0) return { drop: '', fates: [] };
    // Two objects that own each other: neither is dropped for the other's sake.
    if (this.#visiting.has(row)) return { drop: '', fates: [] };
    this.#visiting.add(row);
    const fates = row.owners.map((owner) => this.#fate(owner));
    this.#visiting.delete(row);
    const gone = fates.length > 0 && fates.every((fate) => fate.kind === 'dropped');
    const settled = { drop: gone ? ownerRules.gone.id : '', fates };
    this.#settled.set(row, settled);
    return settled;
  }

  #fate(owner: OwnerReference): OwnerFate {
    const row = this.#byUid.get(owner.uid);
    if (row === undefined) return { kind: 'unknown', owner };
    const drop = this.dropOf(row);
    if (drop === '') return { kind: 'restored', owner, row };
    const rule = ruleById(drop);
    return rule?.effect === 'drop' && rule.madeByCluster === true ? { kind: 'made-by-target', owner } : { kind: 'dropped', owner };
  }
}
