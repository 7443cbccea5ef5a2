import { z } from 'zod';
import { LifeboatError } from '../core/errors.ts';
import type { Secret, WriteKey } from '../keys/index.ts';
import type { Vault } from '../vault/vault.ts';
import { FORMAT_VERSION, SHA256_HEX, tombstoneKey } from './layout.ts';
import { checkShape, checkSignature, encodeSignedJson, parseSignedJson } from './signed-json.ts';
import { listSlotObjects } from './vault-contents.ts';
import { readObject } from './vault-io.ts';

const FORMAT = 'lifeboat-slot-removed';
const PURPOSE = 'lifeboat/1/slot-removed';

const tombstoneSchema = z.object({
  format: z.literal(FORMAT),
  version: z.int(),
  repository: z.string(),
  slot: z.string().regex(SHA256_HEX),
  removedAt: z.iso.datetime(),
});

/** A signed note that a slot was removed on purpose, so that its absence is no loss, and a copy left over counts no more. */
export function encodeTombstone(tombstone: { readonly repositoryId: string; readonly slot: string; readonly removedAt: string }, signingKey: Secret): Buffer {
  const { repositoryId: repository, slot, removedAt } = tombstone;
  return encodeSignedJson({ format: FORMAT, version: FORMAT_VERSION, repository, slot, removedAt }, PURPOSE, signingKey);
}

/** Throws `LB_REPO_FORGED`, `LB_REPO_DAMAGED` unless the bytes say, signed, that this slot was removed. */
export function checkTombstone(bytes: Uint8Array, slot: string, key: Pick<WriteKey, 'repositoryId' | 'signingPublicKey'>): void {
  const signed = parseSignedJson(bytes, FORMAT);
  if (signed.length !== bytes.length) throw new LifeboatError('LB_REPO_DAMAGED', 'The tombstone has bytes after its end');
  checkSignature(signed, PURPOSE, key.signingPublicKey);
  const document = checkShape(signed, tombstoneSchema, FORMAT);
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
