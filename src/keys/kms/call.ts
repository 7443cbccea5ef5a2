import { LifeboatError } from '../../core/errors.ts';
import { DEFAULT_RETRY, retrying } from '../../vault/backoff.ts';
import { withDeadline } from '../../vault/deadline.ts';
import { kmsError } from './errors.ts';
import { CALL_MS, whereKey } from './provider.ts';
import type { KmsKey } from './address.ts';

const POLICY = { ...DEFAULT_RETRY, attempts: 4, longestPauseMs: 2_000, totalMs: CALL_MS };

/**
 * One call to a key service: passing failures are tried again, all within `CALL_MS`. Rejects at once with the signal's
 * reason when it fires, whatever the call makes of it. `attempt` throws the errors of `KmsProvider`.
 */
export async function callKms<T>(key: KmsKey, signal: AbortSignal | undefined, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return withDeadline(CALL_MS, signal, async (deadline) => {
    try {
      return await untilAborted(deadline.signal, retrying(POLICY, whereKey(key), deadline.signal, () => attempt(deadline.signal)));
    } catch (error) {
      if (!deadline.passed()) throw error;
      throw kmsError('LB_KEY_UNAVAILABLE', key, { reason: `no answer within ${CALL_MS / 1000} s`, cause: error });
    }
  });
}

/** The promise, or the signal's reason if it fires before. Some libraries look at no signal while they fetch credentials. */
async function untilAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  let stop = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason instanceof Error ? signal.reason : new LifeboatError('LB_INTERRUPTED', 'Stopped'));
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
