import { z } from 'zod';
import { done, int, ok, text, texts, vaultFailure, warnings } from './parts.ts';

export const slotsDocument = z.strictObject({
  ok: done,
  slots: z
    .array(
      z.strictObject({
        id: text('SHA-256 of the slot.'),
        kind: z.enum(['passphrase', 'x25519', 'post-quantum', 'aws-kms', 'vault-transit', 'gcp-kms', 'azure-key-vault', 'unknown']).describe('What opens it.'),
        role: z.enum(['owner', 'read', 'maintain', 'unknown']).describe('What it holds: everything, or the key of one role.'),
        key: text('The key of a key service that locks it, as lifeboat.yaml names it.').optional(),
        keyVersion: text('The version of that key, where the service tells it.').optional(),
        vaults: texts('Vaults that have it.'),
        size: int('Bytes.'),
      }),
    )
    .describe('Every key slot that was not removed.'),
  warnings,
});

const slotChange = z
  .strictObject({ id: text('The slot.'), vaults: texts('Vaults in which it is done.'), failed: z.array(vaultFailure).describe('Vaults in which it is not.') })
  .meta({ id: 'change of a key slot' });
export const addedDocument = z.strictObject({ ok, added: z.array(slotChange).describe('Slots that were made.'), warnings });
export const removedDocument = z.strictObject({ ok, removed: z.array(slotChange).describe('The slot that was taken out of use.'), warnings });
export const rotatedDocument = z.strictObject({
  ok,
  rotated: z
    .array(
      z.strictObject({
        slot: text('The slot as it was.'),
        key: text('The key that locks it, as lifeboat.yaml names it.'),
        successor: slotChange.describe('The slot in its place.').optional(),
        kept: z.enum(['newest', 'not-named', 'not-in-every-vault']).describe('Why it is still in use: under the newest version already; nobody named its key; its successor is not everywhere.').optional(),
      }),
    )
    .describe('Slots that key services lock.'),
  warnings,
});

const ROLES = ['write', 'read', 'maintain'] as const;
export const exportedDocument = z.strictObject({
  ok: done,
  role: z.enum(ROLES).describe('Whose key.'),
  key: text('The key itself: a secret. Only without `-o`.').optional(),
  file: text('The file that it was written to, with `-o`.').optional(),
  warnings,
});
export const identityDocument = z.strictObject({ ok: done, file: text('The file with the identity.'), recipient: text('What repositories are told.'), warnings });
