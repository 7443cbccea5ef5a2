import type { MaintainKey, PublicKeys, ReadKey, RepositoryKeys, WriteKey } from './material.ts';
import { SIGNED_BY } from './purposes.ts';
import type { RolePurpose } from './purposes.ts';

/** What a key lets its holder do. An owner has every role. */
export interface KeysByRole {
  readonly write: WriteKey;
  readonly read: ReadKey;
  readonly maintain: MaintainKey;
  readonly owner: RepositoryKeys;
}

export type Role = keyof KeysByRole;

/** A key and the role it has. */
export type RoleKey = { readonly [R in Role]: { readonly role: R; readonly keys: KeysByRole[R] } }[Role];

/** The public key that checks signatures for this purpose. Take it from a key where there is one: a header may be forged. */
export function publicKeyFor(purpose: RolePurpose, keys: PublicKeys): Uint8Array {
  const { signingPublicKey: write, reportPublicKey: read, maintainPublicKey: maintain } = keys;
  return { write, read, maintain }[SIGNED_BY[purpose]];
}
