import type { JsonObject } from '../../adapt/json.ts';
import type { RestorePlan } from '../../pipeline/restore/plan.ts';
import type { RestoreReport } from '../../pipeline/restore/report.ts';
import type { SiteConnection } from '../../site/connect.ts';
import type { ResourceType, StateSource } from '../../site/types.ts';
import type { DrillFacts } from '../../adapt/facts.ts';
import type { Findings } from './findings.ts';
import type { Inventory } from './inventory.ts';

/** What checks look at: the point, what became of it, and the cluster it is in now. */
export interface CheckContext {
  readonly source: StateSource;
  readonly plan: RestorePlan;
  readonly report: RestoreReport;
  readonly target: SiteConnection;
  readonly inventory: Inventory;
  readonly drill: DrillFacts;
  /** API groups that workloads of the point serve: a drill runs none, so that it cannot have them. */
  readonly aggregated: ReadonlySet<string>;
  readonly signal?: AbortSignal | undefined;
}

/** A check of the cluster as a whole. */
export interface SiteCheck {
  /** Stable, kebab-case; docs/drills.md explains it. */
  readonly id: string;
  /** One line: what is true when it passes. */
  readonly title: string;
  run(context: CheckContext, found: Findings): Promise<void>;
}

/** One restored object, as the point has it. */
export interface Subject {
  readonly type: ResourceType;
  readonly namespace: string;
  readonly name: string;
  /** `Deployment shop/web`. */
  readonly label: string;
  readonly object: JsonObject;
}

/** A check of what objects refer to. All of them go through the point together, once. */
export interface ReferenceCheck {
  readonly id: string;
  readonly title: string;
  /** Types it looks at, as `typeName` writes them. */
  readonly types: readonly string[];
  /** Types whose names it asks the inventory for. */
  readonly needs: readonly string[];
  look(subject: Subject, inventory: Inventory, found: Findings): void;
}
