export { generateIdentity, parseIdentities, recipientOf } from './age.ts';
export type { SlotSecret, UnlockSecrets } from './age.ts';
export { generateRepositoryKeys, writeKeyOf } from './material.ts';
export type { RepositoryKeys, WriteKey } from './material.ts';
export { Secret } from './secret.ts';
export { openSlot, sealSlot, slotId, slotKind } from './slots.ts';
export type { SlotKind } from './slots.ts';
export { formatWriteKey, parseWriteKey } from './write-key.ts';
