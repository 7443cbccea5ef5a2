import type { ShownDifference } from '../show-value.ts';

/** One object that is on one side only, or differs. */
export interface DiffObject {
  /** `deployments.apps`. */
  readonly type: string;
  /** `Deployment shop/web`. */
  readonly object: string;
  /** `added`: only the second side has it; `removed`: only the first. */
  readonly change: 'added' | 'removed' | 'changed';
  /** Where it differs; only for `changed`. */
  readonly differences?: readonly ShownDifference[];
}

/** One of the two states. */
export interface DiffSide {
  readonly label: string;
  /** The moment it shows: ISO 8601, UTC. */
  readonly at: string;
  readonly revision: string;
  /** Objects of it that are not compared, by the rule that sets them aside; docs/restore.md explains each. */
  readonly setAside: Readonly<Record<string, number>>;
}

/** What differs between two states, after what must differ is set aside. */
export interface DiffReport {
  readonly equal: boolean;
  readonly a: DiffSide;
  readonly b: DiffSide;
  /** Objects that are on both sides and equal. */
  readonly same: number;
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  /** Objects only the second side has, which a controller makes of objects both have. They are no difference. */
  readonly derived: number;
  /** Only types with differences, in the order of their names. */
  readonly types: readonly { readonly type: string; readonly added: number; readonly removed: number; readonly changed: number }[];
  /** The differences, `limit` of them at most; in the order of types and names. */
  readonly objects: readonly DiffObject[];
  readonly truncated: boolean;
  /** Types that one of the sides could not read, and why: nothing is known about them. */
  readonly notCompared: readonly { readonly type: string; readonly reason: string }[];
}
