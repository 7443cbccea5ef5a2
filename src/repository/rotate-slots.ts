import type { Clock } from '../core/clock.ts';
import { LifeboatError } from '../core/errors.ts';
import type { OnWarning } from '../core/progress.ts';
import { aboutSlot, opensSameSlots, parseKmsKey, sealSlot } from '../keys/index.ts';
import type { KmsProvider, RepositoryKeys } from '../keys/index.ts';
import type { Vault } from '../vault/vault.ts';
import type { DroppedVault } from './lanes.ts';
import { listSlots, putSlot, removeSlot } from './slots.ts';
import type { SlotChange, SlotListing } from './slots.ts';

/** What became of a slot that was to be rotated. */
export interface SlotRotation {
  /** The slot as it was. */
  readonly slot: string;
  readonly key: string;
  /** The slot in its place; none when the service has no newer version of the key, or may not be called. */
  readonly successor?: SlotChange;
  /** Why there is none. */
  readonly kept?: 'newest' | 'not-named' | 'not-in-every-vault';
}

interface RotateOptions {
  readonly signal?: AbortSignal;
  readonly onWarning?: OnWarning;
  readonly clock?: Clock;
  /** Vaults of the repository that could not be opened: every slot is kept while there are any. */
  readonly absent?: readonly DroppedVault[];
}

/**
 * Locks the slots of key services anew, under the newest versions of their keys: the new slot is stored in every vault before
 * the old one is taken out of use. Nothing else is rewritten. Only the keys of `providers` are called. `wanted` is an id, or
 * the beginning of one; without it, all are rotated. A service that does not say which version it used (AWS KMS) is taken to
 * have a newer one. Throws `LB_USAGE` when no slot of a key service is meant, and what the services and vaults throw.
 */
export async function rotateSlots(
  vaults: readonly Vault[],
  keys: RepositoryKeys,
  providers: readonly KmsProvider[],
  options: RotateOptions & { readonly wanted?: string } = {},
): Promise<readonly SlotRotation[]> {
  const { wanted = '' } = options;
  const slots = (await listSlots(vaults, keys, options)).filter(({ id, key }) => key !== undefined && id.startsWith(wanted));
  if (slots.length === 0) {
    const which = wanted === '' ? 'There is no key slot that a key service locks' : `No key slot "${wanted}" is locked by a key service`;
    throw new LifeboatError('LB_USAGE', which, { hint: 'To replace another kind of slot, add a new one and remove the old.' });
  }
  const rotations: SlotRotation[] = [];
  for (const slot of slots) rotations.push(await rotate(slot, vaults, keys, providers, options));
  return rotations;
}

async function rotate(
  { id: slot, key = '', keyVersion, role }: SlotListing,
  vaults: readonly Vault[],
  keys: RepositoryKeys,
  providers: readonly KmsProvider[],
  options: RotateOptions,
): Promise<SlotRotation> {
  const locked = parseKmsKey(key);
  const provider = providers.find((one) => opensSameSlots(one.key, locked));
  if (provider === undefined || role === 'unknown') return { slot, key, kept: 'not-named' };
  const sealed = await sealSlot(keys, { kind: 'kms', provider }, role, options);
  const newVersion = aboutSlot(sealed).kms?.version;
  const sameName = provider.key.name === locked.name;
  if (newVersion === keyVersion && newVersion !== '-' && sameName) return { slot, key, kept: 'newest' };
  const successor = await putSlot(vaults, sealed, options);
  // Where the new one could not be stored the old one may be the only way in.
  if (successor.failed.length > 0) return { slot, key, successor, kept: 'not-in-every-vault' };
  await removeSlot(vaults, keys, slot, options);
  return { slot, key, successor };
}
