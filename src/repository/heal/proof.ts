import { sha256HexOffThread } from '../bytes.ts';
import { checkHeader, decodeHeader } from '../header.ts';
import { HEADER_KEY, INDEX_PREFIX, indexHash, PACKS_PREFIX, POINTS_PREFIX, RESCUE_PREFIX, SLOTS_PREFIX } from '../layout.ts';
import { decodePoint } from '../point.ts';
import { decodePointTombstone } from '../removal/tombstone.ts';
import { checkTombstone } from '../slot-objects.ts';
import { pointNameOf, removedNameOf } from '../vault-contents.ts';
import { expectHash, rescueHash } from '../verify/expect-hash.ts';
import type { Examination } from '../verify/examine.ts';

/** Throws unless the bytes are those of the object, whole and genuine. */
export type Proof = (bytes: Uint8Array) => Promise<void>;

/** What tells whether bytes are those of the object under this key; `undefined` when nothing can. Needs public keys at most. */
export function proofFor(key: string, { access, checks }: Examination): Proof | undefined {
  if (key === HEADER_KEY) return sync((bytes) => checkHeader(decodeHeader(bytes), access));
  const name = key.slice(key.lastIndexOf('/') + 1);
  if (key.startsWith(PACKS_PREFIX)) return hashed(name);
  if (key.startsWith(INDEX_PREFIX)) return hashed(indexHash(name));
  if (key.startsWith(SLOTS_PREFIX)) {
    const [slot = '', suffix] = name.split('.');
    return suffix === 'removed' ? sync((bytes) => checkTombstone(bytes, slot, access)) : hashed(slot);
  }
  if (key.startsWith(RESCUE_PREFIX)) {
    const signed = checks.flatMap(({ header }) => header?.rescue ?? []).find((file) => file.key === key)?.sha256;
    const wanted = signed ?? rescueHash(key);
    return wanted === undefined ? undefined : hashed(wanted);
  }
  const removed = key.startsWith(POINTS_PREFIX) ? removedNameOf(key) : undefined;
  if (removed !== undefined) return sync((bytes) => void decodePointTombstone(bytes, removed, access));
  const point = key.startsWith(POINTS_PREFIX) ? pointNameOf(key) : undefined;
  if (point === undefined) return undefined;
  const place = { repositoryId: access.repositoryId, ...point };
  return sync((bytes) => void decodePoint(bytes, place, access.signingPublicKey));
}

function hashed(sha256: string): Proof {
  return async (bytes) => expectHash(await sha256HexOffThread(bytes), sha256);
}

function sync(check: (bytes: Uint8Array) => void): Proof {
  return (bytes) => new Promise((resolve) => resolve(check(bytes)));
}
