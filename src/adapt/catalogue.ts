import { typeName } from '../site/types.ts';
import type { ResourceType } from '../site/types.ts';
import { matchesType } from './rule.ts';
import type { AsideRule, ChangeRule, DrillRule, DropRule, FillRule, NoteRule, Rule } from './rule.ts';
import { accountRules } from './rules/accounts.ts';
import { clusterMadeRules } from './rules/cluster-made.ts';
import { controlledRules } from './rules/controlled.ts';
import { definitionRules } from './rules/definitions.ts';
import { drillRules } from './rules/drill.ts';
import { fillRules } from './rules/fills.ts';
import { meshRules } from './rules/meshes.ts';
import { metadataRules } from './rules/metadata.ts';
import { ownerRules } from './rules/owners.ts';
import { podRules } from './rules/pods.ts';
import { runtimeRules } from './rules/runtime.ts';
import { serviceRules } from './rules/services.ts';
import { statusRule } from './rules/status.ts';
import { storageRules } from './rules/storage.ts';

/** Every rule, in the order they are tried. docs/restore.md lists them; a test compares the two. */
export const CATALOGUE: readonly Rule[] = [
  ...metadataRules,
  ...clusterMadeRules,
  ...runtimeRules,
  ...controlledRules,
  ...serviceRules,
  ...storageRules,
  ...podRules,
  ...accountRules,
  ...definitionRules,
  ...fillRules,
  ...meshRules,
  ...Object.values(ownerRules),
  statusRule,
  ...drillRules,
];

/** The rules that look at one type, by what they do. */
export interface TypeRules {
  readonly drops: readonly DropRule[];
  readonly changes: readonly ChangeRule[];
  readonly asides: readonly AsideRule[];
  readonly fills: readonly FillRule[];
  readonly notes: readonly NoteRule[];
  readonly drills: readonly DrillRule[];
}

const byType = new Map<string, TypeRules>();

/** The rules for one type. Looked up once per type, so that objects meet only rules that can concern them. */
export function rulesFor(type: Pick<ResourceType, 'group' | 'resource'>): TypeRules {
  const name = typeName(type);
  const known = byType.get(name);
  if (known !== undefined) return known;
  const rules = CATALOGUE.filter((rule) => matchesType(rule.types, name));
  const found: TypeRules = {
    drops: rules.filter((rule) => rule.effect === 'drop'),
    changes: rules.filter((rule) => rule.effect === 'change'),
    asides: rules.filter((rule) => rule.effect === 'aside'),
    fills: rules.filter((rule) => rule.effect === 'fill'),
    notes: rules.filter((rule) => rule.effect === 'note'),
    drills: rules.filter((rule) => rule.effect === 'drill'),
  };
  byType.set(name, found);
  return found;
}

/** The rule with this id. */
export function ruleById(id: string): Rule | undefined {
  return CATALOGUE.find((rule) => rule.id === id);
}
