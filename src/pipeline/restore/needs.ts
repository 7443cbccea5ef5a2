import { objectKey } from '../../adapt/json.ts';
import type { Row } from '../../adapt/row.ts';
import { typeName } from '../../site/types.ts';
import { draft, leadsToObject } from './draft.ts';
import type { Draft } from './draft.ts';
import type { TypeMapping } from './map-types.ts';
import type { PlanType } from './plan.ts';
import { waveNumber } from './waves.ts';

/** Rows of a type whose objects others need: namespaces, and definitions. */
export interface Needed {
  /** Its place in the plan's types. */
  readonly type: number;
  readonly mapping: TypeMapping;
  readonly rows: readonly { readonly row: Row; readonly selected: boolean }[];
  readonly existing: ReadonlyMap<string, Row>;
}

/** Drafts for the selected rows of a needed type, and for those that other drafts cannot do without. */
export function draftNeeded(needed: Needed, wave: number, names: ReadonlySet<string>): Draft[] {
  const drafts: Draft[] = [];
  for (const { row, selected } of needed.rows) {
    const existing = needed.existing.get(objectKey(row.namespace, row.name));
    const dependency = names.has(row.name) && existing === undefined && row.drop === '';
    if (!selected && !dependency) continue;
    const because = selected ? {} : ({ because: 'dependency' } as const);
    drafts.push(draft(row, { type: needed.type, wave, ...because }, needed.mapping, existing));
  }
  return drafts;
}

/** The definitions that drafts need: those of types the target does not serve yet. */
export function definitionsNeeded(drafts: readonly Draft[], types: readonly PlanType[], mappings: readonly TypeMapping[]): Set<string> {
  const needed = new Set<string>();
  for (const { type, action } of drafts) {
    const planType = types[type];
    if (planType !== undefined && mappings[type]?.kind === 'defined' && leadsToObject(action)) needed.add(typeName(planType));
  }
  return needed;
}

/** The namespaces that drafts go into. */
export function namespacesNeeded(drafts: readonly Draft[]): Set<string> {
  const needed = new Set<string>();
  for (const { row, action } of drafts) if (row.namespace !== '' && leadsToObject(action)) needed.add(row.namespace);
  return needed;
}

/** Drafts for namespaces that are needed, but neither in the source nor in the target: made from their names alone. */
export function madeUpNamespaces(names: ReadonlySet<string>, needed: Needed): Draft[] {
  const known = new Set([...needed.existing.keys(), ...needed.rows.filter(({ row }) => row.drop === '').map(({ row }) => row.name)]);
  return [...names]
    .filter((name) => !known.has(name))
    .sort()
    .map((name) => ({ row: bareRow(name), type: needed.type, wave: waveNumber('namespaces'), action: 'create', rules: [], because: 'made-up' }));
}

function bareRow(name: string): Row {
  return {
    sourceNamespace: '',
    sourceName: name,
    namespace: '',
    name,
    uid: '',
    drop: '',
    digest: '',
    looseDigest: '',
    filled: [],
    owners: [],
    changed: [],
    notes: [],
    mentions: [],
    pristine: false,
    exceeded: false,
  };
}
