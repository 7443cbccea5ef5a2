import type { SetRule } from '../rule.ts';

/** What is decided about owner references once the whole set of objects is known. */
export const ownerRules = {
  relinked: {
    id: 'owner-relinked',
    types: ['*'],
    effect: 'set',
    fields: ['uid of every entry of metadata.ownerReferences'],
    why: 'The owner has a new UID in the target. The reference is put in once the owner is there: one to a UID that is not would make the garbage collector delete the object.',
  },
  missing: {
    id: 'owner-missing',
    types: ['*'],
    effect: 'set',
    fields: ['entries of metadata.ownerReferences whose owner is neither restored nor in the target'],
    why: 'The object is restored without the reference, and the report says so.',
  },
  gone: {
    id: 'owner-not-restored',
    types: ['*'],
    effect: 'set',
    fields: ['the whole object, where every owner it has in the set is dropped and the target does not make one by itself'],
    why: 'It goes with its owner: whatever makes the owner again makes it again, and without one the garbage collector would delete it.',
  },
} as const satisfies Record<string, SetRule>;
