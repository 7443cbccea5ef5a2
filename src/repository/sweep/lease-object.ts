import { z } from 'zod';
import { LifeboatError } from '../../core/errors.ts';
import type { MaintainKey } from '../../keys/index.ts';
import type { RemovalKeys } from '../removal/tombstone.ts';
import { decodeWholeSignedJson, encodeSignedJson } from '../signed-json.ts';

export const LEASES_PREFIX = 'leases/sweep-';
export const LEASE_KEY = /^leases\/sweep-\d{10}$/;

const schema = z.object({
  repository: z.string(),
  name: z.literal('sweep'),
  generation: z.int().min(1),
  holder: z.string(),
  takenAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
});
const KIND = { format: 'lifeboat-lease', purpose: 'lifeboat/1/lease' as const, schema };

/** Who may sweep, and until when. */
export interface LeaseObject {
  readonly generation: number;
  /** Something random: tells holders apart. */
  readonly holder: string;
  /** Milliseconds since the epoch. */
  readonly takenAt: number;
  readonly expiresAt: number;
}

/** Where the lease of a generation is. */
export function leaseKey(generation: number): string {
  return `${LEASES_PREFIX}${String(generation).padStart(10, '0')}`;
}

export function encodeLease({ generation, holder, takenAt, expiresAt }: LeaseObject, key: MaintainKey): Buffer {
  const document = {
    repository: key.repositoryId,
    name: 'sweep',
    generation,
    holder,
    takenAt: new Date(takenAt).toISOString(),
    expiresAt: new Date(expiresAt).toISOString(),
  };
  return encodeSignedJson(KIND, document, key.maintainKey);
}

/** Throws `LB_REPO_FORGED`, `LB_REPO_DAMAGED`, `LB_REPO_NEWER_FORMAT` unless the maintain role signed it, for this place. */
export function decodeLease(bytes: Uint8Array, where: string, keys: RemovalKeys): LeaseObject {
  const { repository, generation, holder, takenAt, expiresAt } = decodeWholeSignedJson(KIND, bytes, keys.maintainPublicKey);
  if (repository !== keys.repositoryId || leaseKey(generation) !== where) {
    throw new LifeboatError('LB_REPO_FORGED', 'The lease is of another generation or repository');
  }
  return { generation, holder, takenAt: Date.parse(takenAt), expiresAt: Date.parse(expiresAt) };
}
