import { apiVersionOf } from '../site/types.ts';
import type { ResourceType } from '../site/types.ts';
import { digestOf } from './canonical.ts';
import { rulesFor } from './catalogue.ts';
import type { Facts } from './facts.ts';
import { objectAt } from './json.ts';
import type { JsonObject } from './json.ts';
import { ownerIdentity, takeOwners } from './owners.ts';
import type { OwnerReference } from './owners.ts';
import type { DropRule } from './rule.ts';

/** What the catalogue makes of one object. */
export type Adaptation = Dropped | Kept;

export interface Dropped {
  readonly kept: false;
  readonly rule: DropRule;
}

export interface Kept {
  readonly kept: true;
  /** The portable form: what is created in a target. Owner references are apart, because they need UIDs of the target. */
  readonly object: JsonObject;
  readonly owners: readonly OwnerReference[];
  /** Rules that changed this object, without the routine ones. */
  readonly changed: readonly string[];
  /** Rules with advice about this object. */
  readonly notes: readonly string[];
}

/**
 * Brings one parsed object into its portable form, or says which rule drops it. Changes `object` itself: parse the
 * bytes anew for another look. Objects of built-in types get the `apiVersion` and `kind` that lists leave out.
 */
export function adapt(object: JsonObject, type: ResourceType, facts: Facts): Adaptation {
  const rules = rulesFor(type);
  for (const rule of rules.drops) if (rule.drops(object, facts)) return { kept: false, rule };
  const changed: string[] = [];
  const notes: string[] = [];
  for (const rule of rules.notes) if (rule.applies(object)) notes.push(rule.id);
  for (const rule of rules.changes) if (rule.change(object, facts, type) && rule.routine !== true) changed.push(rule.id);
  const owners = takeOwners(object);
  if (facts.drill !== undefined) {
    for (const rule of rules.drills) if ((rule.spareOnly !== true || facts.drill.spare) && rule.change(object, facts.drill)) changed.push(rule.id);
  }
  object['apiVersion'] = apiVersionOf(type);
  object['kind'] = type.kind;
  return { kept: true, object, owners, changed, notes };
}

/**
 * The digest of what is compared of an object: its portable form without what is set aside, without owners, in a form
 * that does not depend on order or on the version it was read in. Changes `object`: give a portable form that is no longer needed.
 */
export function comparableDigest(object: JsonObject, type: Pick<ResourceType, 'group' | 'resource'>): string {
  return digestOf(comparable(object, type));
}

/** What is compared of a portable form. Changes `object`. */
export function comparable(object: JsonObject, type: Pick<ResourceType, 'group' | 'resource'>): JsonObject {
  for (const rule of rulesFor(type).asides) rule.remove(object);
  delete object['apiVersion'];
  delete object['kind'];
  const metadata = objectAt(object, 'metadata');
  const finalizers = metadata?.['finalizers'];
  if (metadata !== undefined && Array.isArray(finalizers)) metadata['finalizers'] = finalizers.map(String).sort();
  return object;
}

/** Owners as they are compared: without UIDs and in a fixed order; `''` if there are none. */
export function comparableOwners(owners: readonly OwnerReference[]): string {
  return owners.map(ownerIdentity).sort().join(', ');
}
