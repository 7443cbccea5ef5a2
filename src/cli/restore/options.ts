import type { ReadKeyOptions, VaultOptions } from '../../access/options.ts';
import type { ServerOptions } from '../remote/client.ts';

/** What `lifeboat restore` takes. */
export interface RestoreOptions extends VaultOptions, ReadKeyOptions, ServerOptions {
  readonly plan?: boolean;
  readonly dryRun?: boolean;
  readonly site?: string;
  readonly to?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly existing: 'skip' | 'update' | 'fail';
  readonly namespace?: readonly string[];
  readonly excludeNamespace?: readonly string[];
  readonly type?: readonly string[];
  readonly excludeType?: readonly string[];
  readonly label?: string;
  readonly object?: readonly string[];
  readonly mapNamespace?: readonly string[];
  /** Milliseconds. */
  readonly wait?: number;
  readonly yes?: boolean;
  readonly intoSource?: boolean;
  /** With `server`: the plan whose points are meant. */
  readonly ofPlan?: string;
  /** With `server`: follow what was asked for, or the restore of this id. */
  readonly follow?: true | string;
  /** With `server`: the digest of the plan that is confirmed. */
  readonly confirm?: string;
  readonly idempotencyKey?: string;
}
