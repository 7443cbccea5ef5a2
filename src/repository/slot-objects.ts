import { z } from 'zod';
import { LifeboatError } from '../core/errors.ts';
import type { Secret, WriteKey } from '../keys/index.ts';
import type { Vault } from '../vault/vault.ts';
import { SHA256_HEX, tombstoneKey } from './layout.ts';
import { decodeWholeSignedJson, encodeSignedJson } from './signed-json.ts';
import { listSlotObjects } from './vault-contents.ts';
import { readObject } from './vault-io.ts';

const KIND = {
  format: 'lifeboat-slot-removed',
  purpose: 'lifeboat/1/slot-removed',
  schema: z.object({ repository: z.string(), slot: z.string().regex(SHA256_HEX), removedAt: z.iso.datetime() }),
};

/** A signed note that a slot was removed on purpose, so that its absence is no loss, and a copy left over counts no more. */
export function encodeTombstone(
  tombstone: { readonly repositoryId: string; readonly slot: string; readonly removedAt: string },
  signingKey: Secret,
): Buffer {
  const { repositoryId: repository, slot, removedAt } = tombstone;
  return encodeSignedJson(KIND, { repository, slot, removedAt }, signingKey);
}

/** Throws `LB_REPO_FORGED`, `LB_REPO_DAMAGED` unless the bytes say, signed, that this slot was removed. */
export function checkTombstone(
  bytes: Uint8Array,
  slot: string,
  key: Pick<WriteKey, 'repositoryId' | 'signingPublicKey'>,
): void {
  const document = decodeWholeSignedJson(KIND, bytes, key.signingPublicKey);
  if (document.repository !== key.repositoryId || document.slot !== slot) {
    throw new LifeboatError('LB_REPO_FORGED', 'The tombstone is of another slot or repository');
  }
}

/** Ids of the slots of a vault that were not removed, in ascending order. A tombstone that is not genuine removes nothing. */
export async function liveSlots(
  vault: Vault,
  key: Pick<WriteKey, 'repositoryId' | 'signingPublicKey'>,
  signal?: AbortSignal,
): Promise<string[]> {
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
