import type { DrillFacts } from '../adapt/facts.ts';
import type { Warning } from '../core/progress.ts';
import type { PreparedPlan } from '../pipeline/restore/build-plan.ts';
import type { RestoreOptions } from '../pipeline/restore/options.ts';
import type { SiteConnection } from '../site/connect.ts';
import type { StateSource } from '../site/types.ts';
import type { OwnedFolder } from './keeper/owned-folder.ts';
import type { DrillReport } from './report.ts';

/** The cluster a drill restores into: one of its own, or a spare site. */
export interface DrillTarget {
  readonly kind: DrillReport['cluster']['kind'];
  readonly name: string;
  readonly connection: SiteConnection;
  /** Of its admin, for commands of the user's; absent where there is none. */
  readonly kubeconfig: string | undefined;
  /** A folder of the drill's own. */
  readonly folder: OwnedFolder;
  readonly drill: DrillFacts;
  readonly notRun: readonly string[];
  /** Texts that are never to be shown. */
  readonly secrets: readonly string[];
  /** How to restore into it. Throws when this point must not be restored there. */
  options(source: StateSource): Promise<RestoreOptions>;
  /** Throws when carrying the plan out would change what the drill cannot take back. */
  check(prepared: PreparedPlan): void;
  /** What this target leaves out, in words. */
  readonly notChecked: readonly string[];
  /** Takes away what the drill made in it, or all of it. True if nothing is left. */
  remove(onWarning: (warning: Warning) => void): Promise<boolean>;
  /** Closes connections and removes the folder. May be called again, also without `remove`. */
  close(): Promise<void>;
}
