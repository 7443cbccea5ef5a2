import type { Level } from '../core/failure-domain.ts';
import type { Topology } from './topology.ts';

/** One change to a plan, or to what the configuration says of the things it uses. */
export type Change =
  | { readonly kind: 'raise-copies'; readonly to: number }
  | { readonly kind: 'add-vault'; readonly vault: string }
  /** Vaults that the configuration does not have yet, each in a domain of this level where nothing else of the plan stands. */
  | { readonly kind: 'new-vault'; readonly level: Level; readonly count: number }
  /** Say where something stands. Helps only if that is a domain of this level where nothing else of the plan stands. */
  | { readonly kind: 'say-domain'; readonly of: 'site' | 'control' | 'vault' | 'opener'; readonly name: string; readonly fields: readonly Level[] }
  /** Another way to open the repository, outside every domain: a passphrase, an age identity. */
  | { readonly kind: 'add-opener' }
  | { readonly kind: 'move-control'; readonly level: Level };

/** Changes that make a plan keep its promise when all of them are made. */
export type Proposal = readonly Change[];

/** Changes that are a guess as long as nobody has said where the thing really stands. */
export function isConditional(proposal: Proposal): boolean {
  return proposal.some(({ kind }) => kind === 'say-domain');
}

/** A new vault is two changes: made, and added to the plan. Moving a machine is as much. */
export function costOf(proposal: Proposal): number {
  return proposal.reduce((sum, change) => sum + (change.kind === 'new-vault' ? 2 * change.count : change.kind === 'move-control' ? 2 : 1), 0);
}

/** What a proposal costs beside money: with as many copies as vaults, none of them may be down. Undefined: nothing. */
export function drawback(proposal: Proposal, { vaults, copies }: Topology): string | undefined {
  const added = proposal.reduce((sum, change) => sum + (change.kind === 'new-vault' ? change.count : change.kind === 'add-vault' ? 1 : 0), 0);
  const raised = proposal.find((change) => change.kind === 'raise-copies');
  const wanted = raised?.kind === 'raise-copies' ? raised.to : copies;
  if (raised === undefined || wanted < vaults.length + added) return undefined;
  return `a backup is then safe only when ${wanted === 2 ? 'both' : `all ${wanted}`} vaults have it; with one vault more, one may be down`;
}
