import type { Row } from '../../adapt/row.ts';
import { likeness } from './existing.ts';
import type { TypeMapping } from './map-types.ts';
import type { ExistingPolicy } from './options.ts';
import type { PlanAction, PlanEntry } from './plan.ts';

/** A plan's entry before the whole set is known. */
export interface Draft {
  readonly row: Row;
  /** Its place in the plan's types. */
  readonly type: number;
  readonly wave: number;
  action: PlanAction;
  rules: readonly string[];
  reason?: string;
  relink?: true;
  /** What is in the target under its name. */
  readonly existing?: Row;
  readonly because?: NonNullable<PlanEntry['because']>;
}

/** True for actions after which the object is in the target. */
export function leadsToObject(action: PlanAction): boolean {
  return action === 'create' || action === 'change' || action === 'keep' || action === 'skip' || action === 'update' || action === 'conflict';
}

/** Decides what to do about one row, as far as it can be known without its owners. */
export function draft(
  row: Row,
  place: { readonly type: number; readonly wave: number; readonly because?: NonNullable<PlanEntry['because']> },
  mapping: TypeMapping,
  existing: Row | undefined,
): Draft {
  const base = { row, ...place, ...(existing === undefined ? {} : { existing }) };
  if (row.drop !== '') return { ...base, action: 'drop', rules: [row.drop] };
  if (mapping.kind === 'unsupported') return { ...base, action: 'unsupported', rules: [], reason: mapping.reason };
  return { ...base, action: row.changed.length > 0 ? 'change' : 'create', rules: row.changed };
}

/** Settles what to do about an object that is in the target, now that `owners` (as text) are known. */
export function settleExisting(entry: Draft, owners: string, policy: ExistingPolicy): void {
  const { existing } = entry;
  if (existing === undefined || (entry.action !== 'create' && entry.action !== 'change')) return;
  switch (likeness(entry.row, owners, existing)) {
    case 'equal':
      entry.action = 'keep';
      return;
    case 'unowned':
      entry.action = 'keep';
      entry.relink = true;
      return;
    case 'other-node-ports':
      entry.action = 'keep';
      entry.reason = 'it is there with other node ports';
      return;
    case 'pristine':
      entry.action = 'update';
      entry.reason = 'it is there as the target makes it by itself';
      return;
    case 'different':
      entry.action = policy === 'fail' ? 'conflict' : policy;
      entry.reason = 'it is there and differs';
  }
}
