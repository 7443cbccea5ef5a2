export { createRepository } from './create.ts';
export { headerLost, holdsRemains } from './lost-header.ts';
export { openReader } from './reader.ts';
export { addSlot, listSlots, removeSlot } from './slots.ts';
export type { SlotChange, SlotListing } from './slots.ts';
export { unlock, unlockAs } from './unlock.ts';
export type { Openers } from './unlock.ts';
export { verify } from './verify/verify.ts';
export { openWriter } from './writer.ts';
