import { isLifeboatError } from '../../core/errors.ts';
import type { LifeboatError } from '../../core/errors.ts';
import { stillLocked } from '../errors.ts';
import type { RemoteCall } from '../remote.ts';
import type { AzureContainer } from './container.ts';
import { isShadowed, versionsOf } from './versions.ts';
import type { AzureBlob } from './versions.ts';

/**
 * Deletes an object for good, with all versions where the account keeps them: the genuine one first, so that nothing has changed
 * when a lock holds it. Whoever may not list can still delete what is current. Rejects with vault errors; `LB_VAULT_LOCKED`
 * when a lock holds the object.
 */
export async function deleteObject(container: AzureContainer, key: string, signal: AbortSignal | undefined): Promise<void> {
  for (const blob of await knownVersions(container, key, signal)) {
    const until = blob?.lockedUntil;
    if (until !== undefined && until.getTime() > Date.now()) throw stillLocked(container.vault, key, until);
    // What is current can only be deleted without naming its version, and then is a version like the others.
    if (blob === undefined || blob.isCurrent) await deleteVersion(container, key, undefined, signal);
    if (blob?.version !== undefined) await deleteVersion(container, key, blob.version, signal);
  }
}

/**
 * Deletes what was put over the first version of an object; gives how many versions. Rejects with vault errors; `LB_VAULT_LOCKED` when
 * a lock holds one of them, after all others were tried.
 */
export async function uncoverFirst(container: AzureContainer, key: string, signal: AbortSignal | undefined): Promise<number> {
  const [first, ...later] = await versionsOf(container, key, signal);
  if (first === undefined || !isShadowed([first, ...later])) return 0;
  let gone = 0;
  let held: LifeboatError | undefined;
  for (const { version, isCurrent, lockedUntil: until } of later.toReversed()) {
    if (until !== undefined && until.getTime() > Date.now()) {
      held = stillLocked(container.vault, key, until);
      continue;
    }
    if (isCurrent) await deleteVersion(container, key, undefined, signal);
    if (version !== undefined) await deleteVersion(container, key, version, signal);
    gone += 1;
  }
  if (held !== undefined) throw held;
  return gone;
}

async function knownVersions(
  container: AzureContainer,
  key: string,
  signal: AbortSignal | undefined,
): Promise<readonly (AzureBlob | undefined)[]> {
  try {
    return await versionsOf(container, key, signal);
  } catch (error) {
    if (isLifeboatError(error, 'LB_VAULT_ACCESS')) return [undefined];
    throw error;
  }
}

async function deleteVersion(container: AzureContainer, key: string, version: string | undefined, signal: AbortSignal | undefined): Promise<void> {
  const call: RemoteCall = { doing: 'deleting', key, signal };
  try {
    await container.explained(call, (abortSignal) => container.version(key, version).delete({ abortSignal }));
  } catch (error) {
    if (!isLifeboatError(error, 'LB_VAULT_OBJECT_MISSING')) throw error;
  }
}
