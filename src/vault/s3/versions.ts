import type { RemoteCall } from '../remote.ts';
import type { S3Bucket } from './bucket.ts';
import type { FolderPage } from './list.ts';
import { KEY_PATTERN } from '../vault.ts';
import type { ObjectInfo } from '../vault.ts';

/** One of the versions of an object that a bucket keeps. */
export interface S3Version {
  readonly id: string;
  /** Bytes; undefined of a mark of deletion, which hides older versions from plain reading. */
  readonly size: number | undefined;
  readonly isLatest: boolean;
}

/** All versions of one object, marks of deletion among them, oldest first. Empty when there are none. */
export async function versionsOf(bucket: S3Bucket, key: string, signal: AbortSignal | undefined): Promise<S3Version[]> {
  const call: RemoteCall = { doing: 'listing the versions of', key, signal };
  const Key = bucket.fullKey(key);
  const newestFirst: S3Version[] = [];
  let from: PageStart = {};
  for (;;) {
    // The delimiter keeps out what is below a folder of this name.
    const page = await readPage(bucket, key, from, call);
    const own = page.versions.filter((version) => version.name === Key);
    newestFirst.push(...own.map(({ id, size, isLatest }) => ({ id, size, isLatest })));
    // Names that only begin like this one come after it.
    if (page.next === undefined || page.versions.some(({ name }) => name > Key)) return newestFirst.toReversed();
    from = page.next;
  }
}

/** The genuine version of an object: the first that was ever stored. Undefined when there is none. */
export async function firstVersion(
  bucket: S3Bucket,
  key: string,
  signal: AbortSignal | undefined,
): Promise<(S3Version & { readonly size: number }) | undefined> {
  for (const { id, size, isLatest } of await versionsOf(bucket, key, signal)) {
    if (size !== undefined) return { id, size, isLatest };
  }
  return undefined;
}

/**
 * Names a version in a request. The only version of an object in a bucket without versioning has the id `null`,
 * which not every store takes back.
 */
export function versionParameter(version: S3Version): { VersionId?: string } {
  return version.id === 'null' && version.isLatest ? {} : { VersionId: version.id };
}

/**
 * One page of a folder's listing, for `listInOrder`: the first version of every object in it, also of those that are
 * hidden. The versions of one object may be spread over pages; such an object is told of when the last of them was seen.
 */
export async function readFirstVersions(
  bucket: S3Bucket,
  prefix: string,
  next: string | undefined,
  call: RemoteCall,
): Promise<FolderPage> {
  const { held, ...from } = next === undefined ? { held: undefined } : (JSON.parse(next) as PageStart & { held?: ObjectInfo });
  const page = await readPage(bucket, prefix, from, { ...call, doing: 'listing the versions of' });
  const firsts = new Map<string, ObjectInfo>(held === undefined ? [] : [[held.key, held]]);
  // Newest first: the last one of a key stays.
  for (const { name, size, isLatest } of page.versions) {
    const key = bucket.ownKey(name);
    if (size !== undefined) firsts.set(key, { key, size, ...(!isLatest && { shadowed: true }) });
  }
  const unfinished = page.next === undefined ? undefined : bucket.ownKey(page.next.KeyMarker ?? '');
  const hold = unfinished === undefined ? undefined : firsts.get(unfinished);
  if (unfinished !== undefined) firsts.delete(unfinished);
  return {
    files: [...firsts.values()].filter(({ key }) => KEY_PATTERN.test(key)),
    folders: page.folders.filter((folder) => KEY_PATTERN.test(folder.slice(0, -1))),
    next: page.next === undefined ? undefined : JSON.stringify({ ...page.next, ...(hold && { held: hold }) }),
  };
}

/** Where a page of versions begins. */
interface PageStart {
  readonly KeyMarker?: string;
  readonly VersionIdMarker?: string;
}

interface VersionsPage {
  /** By name, and newest first within a name. */
  readonly versions: readonly (S3Version & { readonly name: string })[];
  readonly folders: readonly string[];
  readonly next: PageStart | undefined;
}

async function readPage(bucket: S3Bucket, prefix: string, from: PageStart, call: RemoteCall): Promise<VersionsPage> {
  const { client, sdk } = bucket;
  const input = { Bucket: bucket.bucket, Prefix: bucket.fullKey(prefix), Delimiter: '/', ...from };
  try {
    const page = await bucket.call(call, (abortSignal) =>
      client.send(new sdk.ListObjectVersionsCommand(input), { abortSignal }),
    );
    if (page.Name === undefined && page.IsTruncated === undefined) throw bucket.notAStore(call);
    const versions = (page.Versions ?? []).map(({ Key = '', VersionId = 'null', Size = 0, IsLatest = false }) => ({
      name: Key,
      id: VersionId,
      size: Size,
      isLatest: IsLatest,
    }));
    const marks = (page.DeleteMarkers ?? []).map(({ Key = '', VersionId = 'null', IsLatest = false }) => ({
      name: Key,
      id: VersionId,
      size: undefined,
      isLatest: IsLatest,
    }));
    const { IsTruncated, NextKeyMarker, NextVersionIdMarker } = page;
    const stands = NextKeyMarker === from.KeyMarker && NextVersionIdMarker === from.VersionIdMarker;
    if (IsTruncated === true && (NextKeyMarker === undefined || stands)) throw bucket.notAStore(call);
    return {
      // Marks first: what was stored under a name is then the oldest of it.
      versions: [...marks, ...versions],
      folders: (page.CommonPrefixes ?? []).map(({ Prefix = '' }) => bucket.ownKey(Prefix)),
      next:
        IsTruncated === true && NextKeyMarker !== undefined
          ? { KeyMarker: NextKeyMarker, ...(NextVersionIdMarker === undefined ? {} : { VersionIdMarker: NextVersionIdMarker }) }
          : undefined,
    };
  } catch (error) {
    throw await bucket.explain(error, call);
  }
}
