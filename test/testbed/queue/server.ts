import { TestbedError } from '../errors.ts';
import type { OwnedProcess } from '../../../src/drill/keeper/owned-folder.ts';

const READY_MS = 60_000;
const PAUSE_MS = 50;

/** A queue's server on loopback. It does not outlive the process that started it. */
export interface QueueServer extends AsyncDisposable {
  /** `Valkey 9.1.2`. */
  readonly product: string;
  /** With user and password, where it asks for them. */
  readonly url: string;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, on the same port and folder, and waits until it is ready. */
  restart(): Promise<void>;
  /** Stops it where it is: it answers nothing, and its connections stay. `thaw` lets it go on. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  stop(): Promise<void>;
}

/** Waits until `tryOut` succeeds. Throws a `TestbedError` with the server's log when it ends before, or takes too long. */
export async function untilReady(product: string, running: OwnedProcess, tryOut: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + READY_MS;
  for (;;) {
    try {
      await tryOut();
      return;
    } catch (error) {
      if (running.end !== undefined || Date.now() > deadline) {
        throw new TestbedError(`${product} did not get ready:\n${await running.logTail()}`, { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

const ATTEMPTS = 5;

/** Starts a server; again, on another port, when somebody took the one that was free a moment ago. */
export async function startAgain(start: () => Promise<QueueServer>): Promise<QueueServer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      if (!/address already in use/i.test(String(error)) || attempt === ATTEMPTS) throw error;
    }
  }
}
