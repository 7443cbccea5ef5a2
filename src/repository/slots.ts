import { systemClock } from '../core/clock.ts';
import type { Clock } from '../core/clock.ts';
import { isLifeboatError, LifeboatError, messageOf } from '../core/errors.ts';
import type { OnWarning } from '../core/progress.ts';
import { aboutSlot, formatKmsKey, sealSlot, slotId } from '../keys/index.ts';
import type { MaintainKey, PublicKeys, RepositoryKeys, SlotKind, SlotRole, SlotSecret } from '../keys/index.ts';
import type { Vault } from '../vault/vault.ts';
import { Lanes } from './lanes.ts';
import type { DroppedVault } from './lanes.ts';
import { slotKey, tombstoneKey } from './layout.ts';
import { genuineView } from './originals.ts';
import { encodeTombstone, liveSlots } from './slot-objects.ts';
import { listSlotObjects } from './vault-contents.ts';
import { readNamed, readObject, whereIs } from './vault-io.ts';

interface SlotOptions {
  readonly signal?: AbortSignal;
  readonly onWarning?: OnWarning;
}

interface ChangeOptions extends SlotOptions {
  /** Vaults of the repository that are not among those given, since they could not be opened: the change is not made there. */
  readonly absent?: readonly DroppedVault[];
}

/** A key slot and the vaults that have it. */
export interface FoundSlot {
  readonly id: string;
  readonly vaults: readonly Vault[];
  /** Whether a vault has a tombstone for it, genuine or not. */
  readonly removed: boolean;
}

/** A key slot as `keys list` shows it. */
export interface SlotListing {
  readonly id: string;
  readonly kind: SlotKind;
  /** What it says it holds: everything (`owner`), or the keys of one role alone. */
  readonly role: SlotRole | 'unknown';
  /** The key of a key service that locks it, as it is written in lifeboat.yaml, and its version. */
  readonly key?: string;
  readonly keyVersion?: string;
  /** Names of the vaults that have it. */
  readonly vaults: readonly string[];
  /** Bytes. */
  readonly size: number;
}

/** A change to the slots, and the vaults it could not be made in. */
export interface SlotChange {
  readonly id: string;
  readonly vaults: readonly string[];
  readonly failed: readonly DroppedVault[];
}

/** The slot objects of all vaults, by id, those that somebody hid in a vault that locks among them. A vault that cannot be listed is warned about; throws its error when none can. */
export async function findSlots(vaults: readonly Vault[], options: SlotOptions = {}): Promise<FoundSlot[]> {
  const found = new Map<string, Vault[]>();
  const views = vaults.map((vault) => genuineView(vault, options.onWarning));
  const listings = await new Lanes(views, options).each((vault) => listSlotObjects(vault, options.signal));
  for (const [vault, { slots }] of listings) for (const id of slots) found.set(id, [...(found.get(id) ?? []), vault]);
  const removed = new Set([...listings.values()].flatMap(({ tombstones }) => tombstones));
  return [...found].map(([id, holders]) => ({ id, vaults: holders, removed: removed.has(id) })).sort((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * The key slots of a repository. `key` (of any role) tells genuine removals from claimed ones; without it,
 * slots whose bytes are still there are listed, with a warning for those that some vault says were removed.
 */
export async function listSlots(
  vaults: readonly Vault[],
  key?: PublicKeys,
  options: SlotOptions = {},
): Promise<SlotListing[]> {
  const listings: SlotListing[] = [];
  for (const slot of await findSlots(vaults, options)) {
    const holders = key === undefined ? slot.vaults : await vaultsWhereLive(slot, key, options.signal);
    const [first] = holders;
    if (first === undefined) continue;
    if (key === undefined && slot.removed) {
      const message = 'A vault says that this key slot was removed. Whether that is so can be told only with a key that opens the repository';
      options.onWarning?.({ kind: 'slot-said-removed', message, where: slotKey(slot.id) });
    }
    const bytes = await readObject(first, slotKey(slot.id), options);
    const { kind, role, kms } = aboutSlot(bytes);
    listings.push({
      id: slot.id,
      kind,
      role,
      ...(kms && { key: formatKmsKey(kms.key), keyVersion: kms.version }),
      vaults: holders.map((vault) => vault.name),
      size: bytes.length,
    });
  }
  return listings;
}

/** The vaults that hold a slot and no genuine note that it was removed: one that was away goes on being opened by it. */
async function vaultsWhereLive(slot: FoundSlot, key: PublicKeys, signal: AbortSignal | undefined): Promise<readonly Vault[]> {
  if (!slot.removed) return slot.vaults;
  const live = await Promise.all(slot.vaults.map(async (vault) => (await liveSlots(vault, key, signal)).includes(slot.id)));
  return slot.vaults.filter((_, index) => live[index]);
}

/**
 * Adds a way to open the repository, or to get the keys of one role, in every vault. A vault that fails is reported;
 * throws when all fail, and what `sealSlot` throws.
 */
export async function addSlot(
  vaults: readonly Vault[],
  keys: RepositoryKeys,
  secret: SlotSecret,
  options: ChangeOptions & { readonly role?: SlotRole } = {},
): Promise<SlotChange> {
  return putSlot(vaults, await sealSlot(keys, secret, options.role, options), options);
}

/** Stores a slot in every vault. A vault that fails is reported; throws when all fail. */
export async function putSlot(vaults: readonly Vault[], slot: Uint8Array, options: ChangeOptions): Promise<SlotChange> {
  const id = slotId(slot);
  const lanes = new Lanes(vaults, options);
  const done = await lanes.each((vault) => vault.put(slotKey(id), slot, options));
  return { id, vaults: [...done.keys()].map((vault) => vault.name), failed: [...(options.absent ?? []), ...lanes.dropped] };
}

/**
 * Takes a slot out of use: a signed tombstone in every vault, then the slot itself is deleted where the vault permits.
 * It cannot take back a copy someone made. `wanted` is an id or a unique beginning of one.
 * Throws `LB_USAGE` when there is no such slot, or when a vault would be left without one that opens everything.
 */
export async function removeSlot(
  vaults: readonly Vault[],
  keys: MaintainKey,
  wanted: string,
  options: ChangeOptions & { readonly clock?: Clock } = {},
): Promise<SlotChange> {
  const { signal, onWarning, clock = systemClock } = options;
  const lanes = new Lanes(vaults.map((vault) => genuineView(vault, onWarning)), options);
  const live = await lanes.each((vault) => liveSlots(vault, keys, signal));
  const matching = new Set([...live.values()].flat().filter((id) => wanted !== '' && id.startsWith(wanted)));
  const [id, ...more] = matching;
  if (id === undefined)
    throw new LifeboatError('LB_USAGE', `There is no key slot "${wanted}"`, { hint: 'Run `lifeboat keys list`.' });
  if (more.length > 0)
    throw new LifeboatError('LB_USAGE', `"${wanted}" is the beginning of ${matching.size} key slots`);
  for (const [vault, slots] of live) {
    if (await anyOwners(vault, slots.filter((slot) => slot !== id), signal)) continue;
    throw new LifeboatError(
      'LB_USAGE',
      `Vault "${vault.name}" would be left without a key slot that opens everything: nobody could open it any more`,
      {
        hint: 'Add another slot first: `lifeboat keys add`.',
      },
    );
  }
  const tombstone = encodeTombstone(
    { slot: id, removedAt: new Date(clock.now()).toISOString() },
    keys,
  );
  const done = await lanes.each(async (vault) => {
    await vault.put(tombstoneKey(id), tombstone, { signal });
    try {
      await vault.delete(slotKey(id), { signal });
    } catch (error) {
      signal?.throwIfAborted();
      onWarning?.({
        kind: 'slot-kept',
        message: `The slot is out of use, but its bytes could not be deleted: ${messageOf(error)}`,
        where: whereIs(vault, slotKey(id)),
      });
    }
  });
  return { id, vaults: [...done.keys()].map((vault) => vault.name), failed: [...(options.absent ?? []), ...lanes.dropped] };
}

/** Whether one of these slots holds everything. One that is damaged does not. */
async function anyOwners(vault: Vault, slots: readonly string[], signal: AbortSignal | undefined): Promise<boolean> {
  for (const id of slots) {
    try {
      if (aboutSlot(await readNamed(vault, slotKey(id), id, signal)).role === 'owner') return true;
    } catch (error) {
      if (!isLifeboatError(error, 'LB_REPO_DAMAGED')) throw error;
    }
  }
  return false;
}
