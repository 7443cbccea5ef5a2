import type { FailureDomain, Level } from '../core/failure-domain.ts';

/** Where something stands. `outside` is what no loss takes along, such as a passphrase that a person knows. */
export type Place = FailureDomain | 'outside';

/** Something a loss may take. Domains are comparable (`comparable()` of core): lower case, clouds by one name. */
export interface Standing {
  readonly name: string;
  readonly place: Place;
}

/** The same by what it is and what it is called. */
export interface Thing {
  readonly of: 'site' | 'control' | 'vault' | 'opener';
  readonly name: string;
}

/** All that decides whether a plan survives a loss. */
export interface Topology {
  readonly site: Standing;
  /** The machine that runs restores, where it is known. */
  readonly control: Standing | undefined;
  /** The vaults of the plan. */
  readonly vaults: readonly Standing[];
  /** What opens the key slots. Every vault holds all slots, so any one of these opens any vault. */
  readonly openers: readonly Standing[];
  /** How many of the vaults hold a point that counts as safe: at least this many, nobody chooses which. */
  readonly copies: number;
  /** What the plan promises to outlive. */
  readonly outlives: Level | undefined;
}
