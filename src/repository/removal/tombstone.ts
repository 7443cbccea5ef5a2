import { z } from 'zod';
import { LifeboatError } from '../../core/errors.ts';
import type { MaintainKey, PublicKeys } from '../../keys/index.ts';
import { POINT_ID, pointKey, SHA256_HEX, SITE_NAME } from '../layout.ts';
import { decodeWholeSignedJson, encodeSignedJson } from '../signed-json.ts';
import type { PointName } from '../vault-contents.ts';

const sha256 = z.string().regex(SHA256_HEX);
const schema = z.object({
  repository: z.string(),
  site: z.string().regex(SITE_NAME),
  id: z.string().regex(POINT_ID),
  sha256,
  removedAt: z.iso.datetime(),
  reason: z.string(),
  previous: z.array(z.object({ id: z.string().regex(POINT_ID), sha256 })),
});
const KIND = { format: 'lifeboat-point-removed', purpose: 'lifeboat/1/removed' as const, schema };

/** What tells a genuine removal from a claimed one. */
export type RemovalKeys = Pick<PublicKeys, 'repositoryId' | 'maintainPublicKey'>;

/** A point that was removed on purpose. */
export interface RemovedPoint extends PointName {
  /** Of the whole point object. */
  readonly sha256: string;
  /** ISO 8601, UTC. */
  readonly removedAt: string;
  /** For people. */
  readonly reason: string;
  /** What the point followed: with it the chain of points goes on through those that are gone. */
  readonly previous: readonly { readonly id: string; readonly sha256: string }[];
}

/** Where the tombstone of a point is. */
export function pointTombstoneKey(site: string, id: string): string {
  return `${pointKey(site, id)}.removed`;
}

/** A signed note that a point was removed on purpose. docs/format.md, "Removing points". */
export function encodePointTombstone(removed: RemovedPoint, key: MaintainKey): Buffer {
  const { site, id, sha256: hash, removedAt, reason, previous } = removed;
  return encodeSignedJson(KIND, { repository: key.repositoryId, site, id, sha256: hash, removedAt, reason, previous }, key.maintainKey);
}

/**
 * Throws `LB_REPO_FORGED`, `LB_REPO_DAMAGED`, `LB_REPO_NEWER_FORMAT` unless the maintain role signed that this very point
 * was removed. The write key does not count: its thief could otherwise take away every point.
 */
export function decodePointTombstone(bytes: Uint8Array, { site, id }: PointName, keys: RemovalKeys): RemovedPoint {
  const { repository, ...removed } = decodeWholeSignedJson(KIND, bytes, keys.maintainPublicKey);
  if (repository !== keys.repositoryId || removed.site !== site || removed.id !== id) {
    throw new LifeboatError('LB_REPO_FORGED', 'The tombstone is of another point or repository');
  }
  return removed;
}
