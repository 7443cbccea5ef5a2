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
  'lifeboat/1/job': 'read',
  'lifeboat/1/drill': 'read',
} as const satisfies Record<string, 'write' | 'read' | 'maintain'>;

/** What is signed by a key of the repository. */
export type RolePurpose = keyof typeof SIGNED_BY;

/** What a signature is for. The audit trail is signed by a key of the server's own, which opens no repository. */
export type Purpose = RolePurpose | 'lifeboat/1/audit';
