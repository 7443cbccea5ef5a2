import { z } from 'zod';
import { LifeboatError } from '../core/errors.ts';
import { publicKeyFor } from '../keys/index.ts';
import type { MaintainKey, PublicKeys } from '../keys/index.ts';
import { pointKey, POINT_ID, SITE_NAME } from './layout.ts';
import { decodeWholeSignedJson, encodeSignedJson } from './signed-json.ts';
import { pointNameOf } from './vault-contents.ts';
import type { PointName } from './vault-contents.ts';

const SUFFIX = '.removed';

const schema = z.object({
  repository: z.string(),
  site: z.string().regex(SITE_NAME),
  point: z.string().regex(POINT_ID),
  removedAt: z.iso.datetime(),
});
const KIND = { format: 'lifeboat-point-removed', purpose: 'lifeboat/1/removed' as const, schema };

/** Says that a point was removed on purpose. */
export function pointTombstoneKey({ site, id }: PointName): string {
  return `${pointKey(site, id)}${SUFFIX}`;
}

/** The point that a key under `points/` says is removed; `undefined` when it is no tombstone's. */
export function removedPointOf(key: string): PointName | undefined {
  return key.endsWith(SUFFIX) ? pointNameOf(key.slice(0, -SUFFIX.length)) : undefined;
}

/** A signed note that a point was removed on purpose: nobody copies it back. */
export function encodePointTombstone(point: PointName, removedAt: string, key: MaintainKey): Buffer {
  return encodeSignedJson(KIND, { repository: key.repositoryId, site: point.site, point: point.id, removedAt }, key.maintainKey);
}

/** Throws `LB_REPO_FORGED`, `LB_REPO_DAMAGED` unless the bytes say, signed by the maintain role, that this point was removed. */
export function checkPointTombstone(bytes: Uint8Array, point: PointName, key: PublicKeys): void {
  const document = decodeWholeSignedJson(KIND, bytes, publicKeyFor(KIND.purpose, key));
  if (document.repository !== key.repositoryId || document.site !== point.site || document.point !== point.id) {
    throw new LifeboatError('LB_REPO_FORGED', 'The tombstone is of another point or repository');
  }
}
