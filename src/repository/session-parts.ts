import type { Clock } from '../core/clock.ts';
import type { WriteKey } from '../keys/index.ts';
import type { Sealer } from '../keys/sealing.ts';
import type { DroppedVault } from './lanes.ts';
import type { SessionStart } from './session-start.ts';
import type { Storing } from './storing/storing.ts';

/** What a session is made of. */
export interface SessionParts {
  readonly site: string;
  readonly key: WriteKey;
  readonly sealer: Sealer;
  readonly storing: Storing;
  /** Vaults that could not even be looked into. */
  readonly dropped: readonly DroppedVault[];
  /** Vaults that must hold the point for it to be safe. */
  readonly copies: number;
  readonly start: SessionStart;
  readonly clock: Clock;
  /** What `abort` uses. */
  readonly abort: AbortController;
  /** Fires when the caller stops the session, or `abort` is called. */
  readonly signal: AbortSignal;
  /** To be called at the end: nothing but the caller holds on to the session then. */
  readonly release: () => void;
  readonly startedAt: number;
}
