import { Alarm } from '../core/alarm.ts';

/** A deadline around one call, and whether it is what ended the call. */
export interface Deadline {
  /** Fires when the caller's signal does, or when the time is up. */
  readonly signal: AbortSignal;
  /** True once the time was up before the caller's signal fired. */
  readonly passed: () => boolean;
}

/**
 * Runs `call` with a signal that also fires after `ms` milliseconds, those in which the process was halted not counted. Unlike
 * `AbortSignal.any` with `AbortSignal.timeout` it leaves nothing behind on a signal that lives as long as the program.
 */
export async function withDeadline<T>(
  ms: number,
  caller: AbortSignal | undefined,
  call: (deadline: Deadline) => Promise<T>,
): Promise<T> {
  caller?.throwIfAborted();
  const controller = new AbortController();
  let timeIsUp = false;
  const alarm = new Alarm(ms, () => {
    timeIsUp = true;
    controller.abort(new DOMException(`no answer within ${ms} ms`, 'TimeoutError'));
  });
  const onAbort = (): void => controller.abort(caller?.reason);
  caller?.addEventListener('abort', onAbort, { once: true });
  try {
    return await call({ signal: controller.signal, passed: () => timeIsUp && caller?.aborted !== true });
  } finally {
    alarm.stop();
    caller?.removeEventListener('abort', onAbort);
  }
}
