import { systemClock } from '../../core/clock.ts';
import { isLifeboatError } from '../../core/errors.ts';
import type { Vault } from '../vault.ts';
import type { ProbeCheck } from './check.ts';

/** Long enough for a store whose clock differs by some seconds, short enough to wait for. */
const LOCK_MS = 10_000;
const LONGER_MS = 2_000;
/** How much longer than that a lock may last, by the store's clock. */
const PATIENCE_MS = 30_000;
const PAUSE_MS = 1_000;

type Finding = Omit<ProbeCheck, 'name'>;

/**
 * Locks an object for some seconds, tries to delete it, makes the lock longer, and waits until it has ended, so that the object can
 * be removed. Where deleting is not permitted at all, it does not wait.
 */
export async function probeLock(
  vault: Vault,
  { key, bytes, signal }: { readonly key: string; readonly bytes: Uint8Array; readonly signal: AbortSignal | undefined },
): Promise<Finding> {
  const until = new Date(Math.ceil((Date.now() + LOCK_MS) / 1000) * 1000);
  const longer = new Date(until.getTime() + LONGER_MS);
  await vault.put(key, bytes, { retainUntil: until, signal });
  const held = await triesToDelete(vault, key, signal);
  if (held === 'deleted') {
    return {
      status: 'fail',
      detail: 'An object that was to be locked could be deleted: the store takes locks and does not keep them',
      hint: 'Do not set `lock` for this vault, or use a store that locks (docs/providers.md).',
    };
  }
  const extended = await canExtend(vault, key, longer, signal);
  const shown = (await vault.head(key, { signal }))?.retainUntil;
  const seesVersions = await canSeeVersions(vault, key, signal);
  if (held === 'refused' && shown === undefined) {
    return {
      status: 'warn',
      detail: 'Whether objects are locked cannot be told: these credentials may neither delete an object nor see its lock',
      hint: 'Grant them the right to see locks (docs/vaults.md, "Locks"), or let another role run doctor.',
    };
  }
  if (held === 'locked') await untilRemoved(vault, key, signal);
  if (!seesVersions) {
    return {
      status: 'warn',
      detail: 'Objects can be locked; but these credentials may not list versions, so what somebody puts over a locked object cannot be told from it',
      hint: 'Grant them the right to list and read versions (docs/vaults.md, "Locks").',
    };
  }
  return {
    status: 'ok',
    detail: `Objects can be locked${extended ? ', and locks be made longer' : '; these credentials may not make locks longer, which maintenance needs to'}`,
  };
}

/** `locked` when the lock is why it was refused, `refused` when deleting is not permitted anyway. */
async function triesToDelete(vault: Vault, key: string, signal: AbortSignal | undefined): Promise<'deleted' | 'locked' | 'refused'> {
  try {
    await vault.delete(key, { signal });
    return 'deleted';
  } catch (error) {
    if (isLifeboatError(error, 'LB_VAULT_LOCKED')) return 'locked';
    if (isLifeboatError(error, 'LB_VAULT_ACCESS')) return 'refused';
    throw error;
  }
}

async function canExtend(vault: Vault, key: string, until: Date, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await vault.retain(key, until, { signal });
    return true;
  } catch (error) {
    if (isLifeboatError(error, 'LB_VAULT_ACCESS')) return false;
    throw error;
  }
}

async function canSeeVersions(vault: Vault, key: string, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await vault.head(key, { original: true, signal });
    return true;
  } catch (error) {
    if (isLifeboatError(error, 'LB_VAULT_ACCESS')) return false;
    throw error;
  }
}

async function untilRemoved(vault: Vault, key: string, signal: AbortSignal | undefined): Promise<void> {
  const deadline = Date.now() + LOCK_MS + LONGER_MS + PATIENCE_MS;
  while ((await triesToDelete(vault, key, signal)) === 'locked' && Date.now() < deadline) await systemClock.sleep(PAUSE_MS, signal);
}
