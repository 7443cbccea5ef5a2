import { systemClock } from '../../core/clock.ts';
import { isLifeboatError, LifeboatError } from '../../core/errors.ts';
import { restoreDocument } from '../../server/documents.ts';
import type { RestoreDocument } from '../../server/documents.ts';
import type { ApiClient } from './client.ts';

/** A server that is started anew is waited for, this long after it was last heard of, ms. */
const PATIENCE = 5 * 60_000;
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 15_000;

interface FollowOptions {
  readonly signal: AbortSignal;
  readonly onState: (restore: RestoreDocument) => Promise<void>;
}

/** Follows a restore to its end, over as many connections as it takes. Throws `LB_API_UNAVAILABLE` when the server stays away. */
export async function followRestore(client: ApiClient, id: string, { onState, signal }: FollowOptions): Promise<RestoreDocument> {
  let seen: string | undefined;
  let last: RestoreDocument | undefined;
  let heard = systemClock.now();
  let pause = FIRST_PAUSE;
  for (;;) {
    try {
      for await (const { data, event, id: eventId } of client.events(`/v1/restores/${id}/events`, seen)) {
        [heard, pause] = [systemClock.now(), FIRST_PAUSE];
        if (event === 'end' && last !== undefined) return last;
        if (event !== 'status') continue;
        last = restoreDocument.parse(JSON.parse(data));
        seen = eventId;
        await onState(last);
      }
      if (last?.finishedAt !== undefined || last?.state === 'done' || last?.state === 'failed' || last?.state === 'canceled') return last;
    } catch (error) {
      signal.throwIfAborted();
      const passing = !isLifeboatError(error) || error.retriable;
      if (!passing || systemClock.now() - heard > PATIENCE) throw isLifeboatError(error) ? error : lost(error);
    }
    await systemClock.sleep(pause, signal);
    pause = Math.min(LONGEST_PAUSE, pause * 2);
  }
}

function lost(cause: unknown): LifeboatError {
  return new LifeboatError('LB_API_UNAVAILABLE', 'The connection to the server is lost', { hint: 'The restore goes on there. Follow it again with --follow and its id.', cause });
}
