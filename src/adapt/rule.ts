import type { ResourceType } from '../site/types.ts';
import type { DrillFacts, Facts } from './facts.ts';
import type { JsonObject } from './json.ts';

interface RuleBase {
  /** Stable, kebab-case; plans and reports name it, docs/restore.md explains it. */
  readonly id: string;
  /** Types it looks at, as `typeName` writes them; `*` for all, `*.group` for a whole group. */
  readonly types: readonly string[];
  /** One sentence for the page and for people who ask why. */
  readonly why: string;
}

/** The object is not restored, and not compared. */
export interface DropRule extends RuleBase {
  readonly effect: 'drop';
  /** What is true of the objects it drops, for the page: `metadata.deletionTimestamp is set`. */
  readonly when: string;
  /** True if the target cluster makes the same object itself: others may depend on it all the same. */
  readonly madeByCluster?: boolean;
  drops(object: JsonObject, facts: Facts): boolean;
}

/** Fields are taken out or changed before the object is created, and not compared. */
export interface ChangeRule extends RuleBase {
  readonly effect: 'change';
  /** The fields, for the page. */
  readonly fields: readonly string[];
  /** True for what every object goes through: plans do not list it object by object. */
  readonly routine?: boolean;
  /** Changes the object in place; true if it did. */
  change(object: JsonObject, facts: Facts, type: ResourceType): boolean;
}

/** Fields are restored as they were, but not compared: controllers of the target fill them in their own time. */
export interface AsideRule extends RuleBase {
  readonly effect: 'aside';
  readonly fields: readonly string[];
  /** Takes the fields out of a copy that is about to be compared. */
  remove(object: JsonObject): void;
}

/** Fields the target fills when they are empty: they are restored as they were, and compared only where both sides have them. */
export interface FillRule extends RuleBase {
  readonly effect: 'fill';
  /** Each as the keys that lead to it. */
  readonly paths: readonly (readonly string[])[];
}

/** The object is restored; the report says what a person has to look after. */
export interface NoteRule extends RuleBase {
  readonly effect: 'note';
  readonly when: string;
  readonly advice: string;
  applies(object: JsonObject): boolean;
}

/** In a drill alone, after all changes: takes from an object what would touch anything outside the drill's cluster. */
export interface DrillRule extends RuleBase {
  readonly effect: 'drill';
  readonly fields: readonly string[];
  /** True for what is done in a spare site, where others are at work, and not in a control plane of the drill's own. */
  readonly spareOnly?: boolean;
  /** Changes the object in place; true if it did. */
  change(object: JsonObject, drill: DrillFacts): boolean;
}

/** Decided over a whole set of objects, because it takes more than one of them to know. */
export interface SetRule extends RuleBase {
  readonly effect: 'set';
  readonly fields: readonly string[];
}

export type Rule = DropRule | ChangeRule | AsideRule | FillRule | NoteRule | DrillRule | SetRule;

/** True if a rule's `types` name this type (`deployments.apps`). */
export function matchesType(types: readonly string[], name: string): boolean {
  return types.some((pattern) => pattern === '*' || pattern === name || (pattern.startsWith('*.') && name.endsWith(pattern.slice(1))));
}
