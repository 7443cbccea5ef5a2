import type { Clock } from '../core/clock.ts';
import type { WriteKey } from '../keys/index.ts';
import type { Sealer } from '../keys/sealing.ts';
import type { Lanes } from './lanes.ts';
import type { SessionStart } from './session-start.ts';

/** What a session is made of. */
export interface SessionParts {
  readonly site: string;
  readonly key: WriteKey;
  readonly sealer: Sealer;
  readonly lanes: Lanes;
  readonly start: SessionStart;
  readonly clock: Clock;
  /** What `abort` uses. */
  readonly abort: AbortController;
  /** Fires when the caller stops the session, or `abort` is called. */
  readonly signal: AbortSignal;
  readonly startedAt: number;
}
