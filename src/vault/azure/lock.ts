import { isLifeboatError } from '../../core/errors.ts';
import { objectMissing } from '../errors.ts';
import type { RemoteCall } from '../remote.ts';
import type { AzureContainer } from './container.ts';
import type { AzurePolicy } from './upload.ts';
import { versionsOf } from './versions.ts';

export type AzureLockMode = AzurePolicy['policyMode'];

/** What locks an object until then; nothing when that time has passed. */
export function policyUntil(policyMode: AzureLockMode, until: Date): AzurePolicy | undefined {
  return until.getTime() <= Date.now() ? undefined : { policyMode, expiriesOn: wholeSeconds(until) };
}

/** Locks the first version of an object until then, unless it is locked for as long already. Rejects with vault errors. */
export async function retainFirstVersion(
  container: AzureContainer,
  key: string,
  lock: { readonly mode: AzureLockMode; readonly until: Date },
  signal: AbortSignal | undefined,
): Promise<void> {
  const until = wholeSeconds(lock.until);
  const [first] = await versionsOf(container, key, signal);
  if (first === undefined) throw objectMissing(container.vault, key);
  if (until.getTime() <= Math.max(Date.now(), first.lockedUntil?.getTime() ?? 0)) return;
  // Azure writes the mode it gives out in small letters.
  const policyMode = first.lockMode?.toLowerCase() === 'locked' ? 'Locked' : lock.mode;
  const call: RemoteCall = { doing: 'locking', key, signal };
  try {
    await container.explained(call, (abortSignal) =>
      container.version(key, first.version).setImmutabilityPolicy({ policyMode, expiriesOn: until }, { abortSignal }),
    );
  } catch (error) {
    // Somebody else may have locked it for longer meanwhile, and then a shorter lock is refused.
    if (isLifeboatError(error) && !error.retriable) {
      const [now] = await versionsOf(container, key, signal);
      if (now?.lockedUntil !== undefined && now.lockedUntil >= until) return;
    }
    throw error;
  }
}

/** Stores keep locks by the second; rounding down would end one early. */
function wholeSeconds(date: Date): Date {
  return new Date(Math.ceil(date.getTime() / 1000) * 1000);
}
