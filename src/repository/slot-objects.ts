import { z } from 'zod';
import { LifeboatError } from '../core/errors.ts';
import { publicKeyFor } from '../keys/index.ts';
import type { MaintainKey, PublicKeys } from '../keys/index.ts';
import type { Vault } from '../vault/vault.ts';
import { SHA256_HEX, tombstoneKey } from './layout.ts';
import { genuineView } from './originals.ts';
import { decodeWholeSignedJson, encodeSignedJson } from './signed-json.ts';
import { listSlotObjects } from './vault-contents.ts';
import { readObject } from './vault-io.ts';

const schema = z.object({ repository: z.string(), slot: z.string().regex(SHA256_HEX), removedAt: z.iso.datetime() });
const KIND = { format: 'lifeboat-slot-removed', purpose: 'lifeboat/1/slot-removed' as const, schema };

/** A signed note that a slot was removed on purpose, so that its absence is no loss, and a copy left over counts no more. */
export function encodeTombstone(
  tombstone: { readonly slot: string; readonly removedAt: string },
  key: MaintainKey,
): Buffer {
  const { slot, removedAt } = tombstone;
  return encodeSignedJson(KIND, { repository: key.repositoryId, slot, removedAt }, key.maintainKey);
}

/**
 * Throws `LB_REPO_FORGED`, `LB_REPO_DAMAGED` unless the bytes say, signed by the maintain role, that this slot was
 * removed. The write key does not count: its thief could otherwise take away every slot and lock everybody out.
 */
export function checkTombstone(bytes: Uint8Array, slot: string, key: PublicKeys): void {
  const document = decodeWholeSignedJson(KIND, bytes, publicKeyFor(KIND.purpose, key));
  if (document.repository !== key.repositoryId || document.slot !== slot) {
    throw new LifeboatError('LB_REPO_FORGED', 'The tombstone is of another slot or repository');
  }
}

/** Ids of the slots of a vault that were not removed, in ascending order. A tombstone that is not genuine removes nothing. */
export async function liveSlots(given: Vault, key: PublicKeys, signal?: AbortSignal): Promise<string[]> {
  const vault = genuineView(given);
  const { slots, tombstones } = await listSlotObjects(vault, signal);
  const removed = await Promise.all(
    tombstones.map(async (slot) => {
      try {
        checkTombstone(await readObject(vault, tombstoneKey(slot), { signal }), slot, key);
        return slot;
      } catch {
        signal?.throwIfAborted();
        return undefined;
      }
    }),
  );
  return slots.filter((slot) => !removed.includes(slot));
}
