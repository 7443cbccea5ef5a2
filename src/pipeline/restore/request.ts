import type { DrillFacts } from '../../adapt/facts.ts';
import type { OnProgress } from '../../core/progress.ts';
import type { SiteConnection } from '../../site/connect.ts';
import type { StateSource } from '../../site/types.ts';
import type { RestoreOptions } from './options.ts';

/** What a restore reads from and writes to. */
export interface RestoreRequest {
  readonly source: StateSource;
  readonly target: SiteConnection;
  readonly options?: RestoreOptions;
  /** It is a drill: nothing that is created may touch anything outside the target. docs/drills.md. */
  readonly drill?: DrillFacts | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}
