import { EXIT } from '../core/error-codes.ts';
import { LifeboatError } from '../core/errors.ts';

/** Signals that end a run in order. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A Ctrl-C reaches every process of a pipeline, and npx passes it on once more: two this close are one, ms. */
const ONE_PRESS = 300;

/**
 * The first signal aborts the returned `AbortSignal`, so that the work tidies up and ends; the second ends the
 * process at once. `onFirst` is told, for a word to the user. `dispose` takes the handlers away.
 */
export function abortOnSignals(onFirst: () => void): { readonly signal: AbortSignal; readonly dispose: () => void } {
  const controller = new AbortController();
  let firstAt: number | undefined;
  const onSignal = (): void => {
    const now = performance.now();
    if (firstAt === undefined) {
      firstAt = now;
      onFirst();
      controller.abort(new LifeboatError('LB_INTERRUPTED', 'Stopped before it was finished'));
    } else if (now - firstAt > ONE_PRESS) {
      // The point of a second Ctrl-C is not to wait for anything any more.
      // oxlint-disable-next-line node/no-process-exit, unicorn/no-process-exit -- nothing else is at once
      process.exit(EXIT.interrupted);
    }
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    signal: controller.signal,
    dispose: () => {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}
