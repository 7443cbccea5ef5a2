import { systemClock } from '../core/clock.ts';
import type { Clock } from '../core/clock.ts';
import { LifeboatError } from '../core/errors.ts';
import { aboutSlot, publicKeysOf } from '../keys/index.ts';
import type { RepositoryKeys } from '../keys/index.ts';
import type { Vault } from '../vault/vault.ts';
import { sha256Hex } from './bytes.ts';
import { checkHeader, encodeHeader } from './header.ts';
import { HEADER_KEY, slotKey } from './layout.ts';
import { headerLost, holdsRemains, remainsAreOf } from './lost-header.ts';
import { rescueFiles } from './rescue/files.ts';
import { readHeader } from './vault-header.ts';
import { liveSlots } from './slot-objects.ts';
import { readNamed, readObject, whereIs } from './vault-io.ts';

/** What making a repository takes. */
export interface CreateRepositoryOptions {
  readonly vaults: readonly Vault[];
  readonly keys: RepositoryKeys;
  /** Key slots, from `sealSlot`: without one, nobody could open the repository. */
  readonly slots: readonly Uint8Array[];
  /** The slot that `keys` were opened from: a vault that holds it and has lost its header is known by it. */
  readonly openedSlot?: string;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}

/**
 * Puts the repository of `keys` into every vault: rescue files, key slots, and, last, the header that makes it one.
 * Does no harm when it is there already, so it also completes what was interrupted and adds a vault: header and slots
 * are then copied from the vaults that have them. A lost header is made again. Throws, before anything is
 * written, `LB_REPO_EXISTS` when a vault holds another repository, and `LB_REPO_HEADER_LOST` when it has no header and
 * what it holds is not known to be of this one: a new header would make all of it look forged.
 */
export async function createRepository(options: CreateRepositoryOptions): Promise<{ readonly id: string }> {
  const { vaults, keys, signal, clock = systemClock } = options;
  const rescue = await rescueFiles();
  const slots = new Map(options.slots.map((slot) => [sha256Hex(slot), slot]));
  const headless: Vault[] = [];
  let header: Uint8Array | undefined;
  const addSlotsOf = async (vault: Vault): Promise<void> => {
    for (const id of await liveSlots(vault, keys, signal)) {
      if (!slots.has(id)) slots.set(id, await readNamed(vault, slotKey(id), id, signal));
    }
  };
  for (const vault of vaults) {
    const found = await readHeader(vault, signal);
    if (found === undefined) {
      headless.push(vault);
      continue;
    }
    if (found.header.repositoryId !== keys.repositoryId) throw exists(vault, found.header.repositoryId);
    checkHeader(found.header, keys);
    header = found.bytes;
    await addSlotsOf(vault);
  }
  const known = new Set([...slots.keys(), ...(options.openedSlot === undefined ? [] : [options.openedSlot])]);
  for (const vault of headless) {
    if (!(await holdsRemains(vault, signal))) continue;
    if (!(await remainsAreOf(vault, keys, known, signal))) throw headerLost(vault);
    await addSlotsOf(vault);
  }
  if (![...slots.values()].some((slot) => aboutSlot(slot).role === 'owner'))
    throw new LifeboatError('LB_KEY_MISSING', 'A repository needs a key slot that opens everything: a passphrase or an age recipient');
  header ??= encodeHeader(
    {
      ...publicKeysOf(keys),
      createdAt: new Date(clock.now()).toISOString(),
      rescue: rescue.map(({ key, bytes }) => ({ key, size: bytes.length, sha256: sha256Hex(bytes) })),
    },
    keys.signingKey,
  );
  const wanted = header;
  await Promise.all(
    vaults.map(async (vault) => {
      for (const { key, bytes } of rescue) await vault.put(key, bytes, { signal });
      for (const [id, slot] of slots) await vault.put(slotKey(id), slot, { signal });
      if ((await vault.put(HEADER_KEY, wanted, { signal })) === 'created') return;
      const there = await readObject(vault, HEADER_KEY, { signal });
      if (!Buffer.from(there).equals(wanted)) throw exists(vault, 'of someone else');
    }),
  );
  return { id: keys.repositoryId };
}

function exists(vault: Vault, id: string): LifeboatError {
  return new LifeboatError('LB_REPO_EXISTS', `Vault "${vault.name}" holds another repository (${id})`, {
    where: whereIs(vault, HEADER_KEY),
    hint: 'Use another folder, bucket or prefix, or the keys of that repository.',
  });
}
