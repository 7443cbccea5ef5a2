import type { OnProgress } from '../../core/progress.ts';
import type { SiteConnection } from '../../site/connect.ts';
import type { StateSource } from '../../site/types.ts';
import type { RestoreOptions } from './options.ts';

/** What a restore reads from and writes to. */
export interface RestoreRequest {
  readonly source: StateSource;
  readonly target: SiteConnection;
  readonly options?: RestoreOptions;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}
