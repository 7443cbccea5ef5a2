/**
 * What is signed, and by which role. The name is signed too, so that a signature cannot be moved to another kind of
 * object. docs/format.md, "Signed JSON".
 */
export const SIGNED_BY = {
  'lifeboat/1/repository': 'write',
  'lifeboat/1/point': 'write',
  'lifeboat/1/slot-removed': 'maintain',
  'lifeboat/1/removed': 'maintain',
  'lifeboat/1/sweep': 'maintain',
  'lifeboat/1/lease': 'maintain',
  'lifeboat/1/report': 'read',
} as const satisfies Record<string, 'write' | 'read' | 'maintain'>;

/** What a signature is for. */
export type Purpose = keyof typeof SIGNED_BY;
