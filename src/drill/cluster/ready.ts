import { systemClock } from '../../core/clock.ts';
import { LifeboatError, messageOf } from '../../core/errors.ts';
import type { SiteConnection } from '../../site/connect.ts';
import { isRefusal } from '../../site/errors.ts';
import type { OwnedProcess } from '../keeper/owned-folder.ts';

const READY_WITHIN_MS = 120_000;
const LOOK_AGAIN_MS = 50;
const ANSWER_WITHIN_MS = 5_000;

/** The namespaces that an API server makes by itself. */
const NAMESPACES = ['default', 'kube-node-lease', 'kube-public', 'kube-system'] as const;

/**
 * Waits until the API server says that it is ready. Throws `LB_DRILL_CLUSTER` with the log of a part that ended meanwhile, or
 * when it takes two minutes; or the signal's reason.
 */
export async function waitForApiServer(connection: SiteConnection, processes: readonly OwnedProcess[], signal: AbortSignal | undefined): Promise<void> {
  await waitUntil('the API server was ready', processes, signal, () => answers(connection, '/readyz', signal));
}

/** Waits until the controllers have put into the first namespaces what they put into every namespace. Throws as the other. */
export async function waitForControllers(connection: SiteConnection, processes: readonly OwnedProcess[], signal: AbortSignal | undefined): Promise<void> {
  const made = NAMESPACES.flatMap((namespace) => [
    `/api/v1/namespaces/${namespace}/serviceaccounts/default`,
    `/api/v1/namespaces/${namespace}/configmaps/kube-root-ca.crt`,
  ]);
  await waitUntil('the controllers worked', processes, signal, async () => {
    for (let next = made[0]; next !== undefined; next = made[0]) {
      if (!(await answers(connection, next, signal))) return false;
      made.shift();
    }
    return true;
  });
}

async function answers(connection: SiteConnection, path: string, signal: AbortSignal | undefined): Promise<boolean> {
  const patience = AbortSignal.timeout(ANSWER_WITHIN_MS);
  try {
    await connection.request({ path, doing: `get ${path}`, retry: false, signal: signal === undefined ? patience : AbortSignal.any([signal, patience]) });
    return true;
  } catch (error) {
    // Right after its start it refuses what it has not read yet.
    if (isRefusal(error)) return false;
    throw error;
  }
}

/** Asks again until the answer is yes. A connection that fails counts as no: nobody listens yet. */
async function waitUntil(what: string, processes: readonly OwnedProcess[], signal: AbortSignal | undefined, holds: () => Promise<boolean>): Promise<void> {
  const deadline = systemClock.now() + READY_WITHIN_MS;
  let last: unknown;
  for (;;) {
    signal?.throwIfAborted();
    const ended = processes.find((process) => process.end !== undefined);
    if (ended !== undefined) throw new LifeboatError('LB_DRILL_CLUSTER', `${ended.name} ended before ${what}. The end of its log:\n${await ended.logTail()}`);
    if (systemClock.now() > deadline) {
      const logs = await Promise.all(processes.map(async (process) => `${process.name}:\n${await process.logTail()}`));
      const because = last === undefined ? '' : ` (${messageOf(last)})`;
      throw new LifeboatError('LB_DRILL_CLUSTER', `Two minutes went by before ${what}${because}. The ends of the logs:\n${logs.join('\n')}`);
    }
    try {
      if (await holds()) return;
    } catch (error) {
      signal?.throwIfAborted();
      last = error;
    }
    await systemClock.sleep(LOOK_AGAIN_MS, signal);
  }
}
