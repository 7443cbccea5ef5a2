import type { Findings } from './findings.ts';
import type { Inventory } from './inventory.ts';

/** What an object needs: `namespace` is `''` for cluster-scoped types. */
export interface Demand {
  /** As `typeName` writes it. */
  readonly type: string;
  readonly namespace: string;
  readonly name: string;
}

/**
 * Looks for something that an object needs. `message`: what is wrong when it is not there. What the plan does not select is no failure:
 * whoever restores such a plan has it in the target already.
 */
export function demand(inventory: Inventory, found: Findings, { type, namespace, name }: Demand, label: string, message: string): void {
  found.looked();
  if (inventory.has(type, namespace, name)) return;
  if (inventory.selects(type, namespace)) found.fail(label, message);
  else found.note(label, `${message}; it is not among what is restored, so that the target has to have it already`);
}
