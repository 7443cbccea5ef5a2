import { setTimeout as sleep } from 'node:timers/promises';
import { TestbedError } from '../errors.ts';
import type { OwnedProcess } from '../../../src/drill/keeper/owned-folder.ts';
import type { ApiClient } from './api.ts';
import { ApiError } from './api-error.ts';

const READY_WITHIN_MS = 120_000;
const LOOK_AGAIN_MS = 50;

/** The namespaces that an API server makes by itself. */
const NAMESPACES = ['default', 'kube-node-lease', 'kube-public', 'kube-system'] as const;

/**
 * Waits until the API server says that it is ready. Throws a `TestbedError` with the log of a part that ended
 * meanwhile, or when it takes two minutes; or the signal's reason.
 */
export async function waitForApiServer(
  api: ApiClient,
  processes: Iterable<OwnedProcess>,
  signal: AbortSignal | undefined,
): Promise<void> {
  await waitUntil('the API server is ready', processes, signal, async () => {
    const { status } = await api.send('GET', '/readyz', undefined, undefined, AbortSignal.timeout(5_000));
    return status === 200;
  });
}

/** Waits until the controllers have put into the first namespaces what they put into every namespace. */
export async function waitForControllers(
  api: ApiClient,
  processes: Iterable<OwnedProcess>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const made = NAMESPACES.flatMap((namespace) => [
    `/api/v1/namespaces/${namespace}/serviceaccounts/default`,
    `/api/v1/namespaces/${namespace}/configmaps/kube-root-ca.crt`,
  ]);
  await waitUntil('the controllers work', processes, signal, async () => {
    for (let next = made[0]; next !== undefined; next = made[0]) {
      try {
        await api.get(next);
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return false;
        throw error;
      }
      made.shift();
    }
    return true;
  });
}

/** Asks again until the answer is yes. A connection that fails counts as no: nobody listens yet; so does a server that is too busy. */
async function waitUntil(
  what: string,
  processes: Iterable<OwnedProcess>,
  signal: AbortSignal | undefined,
  holds: () => Promise<boolean>,
): Promise<void> {
  const running = [...processes];
  const deadline = Date.now() + READY_WITHIN_MS;
  let last: unknown;
  for (;;) {
    signal?.throwIfAborted();
    const ended = running.find((process) => process.end !== undefined);
    if (ended !== undefined) {
      throw new TestbedError(`${ended.name} ended before ${what}. The end of its log:\n${await ended.logTail()}`);
    }
    if (Date.now() > deadline) {
      const logs = await Promise.all(running.map(async (process) => `${process.name}:\n${await process.logTail()}`));
      throw new TestbedError(`waited two minutes in vain until ${what}. The ends of the logs:\n${logs.join('\n')}`, {
        cause: last,
      });
    }
    try {
      if (await holds()) return;
    } catch (error) {
      if (error instanceof ApiError && error.status !== 429 && error.status < 500) throw error;
      last = error;
    }
    await sleep(LOOK_AGAIN_MS, undefined, signal ? { signal } : {});
  }
}
