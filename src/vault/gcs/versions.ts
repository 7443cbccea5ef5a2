import type { RemoteCall } from '../remote.ts';
import { KEY_PATTERN } from '../vault.ts';
import type { GcsBucket } from './bucket.ts';
import { OBJECT_FIELDS, pageSchema } from './metadata.ts';
import type { GcsObject } from './metadata.ts';

/** What is to be listed. */
export interface GcsListing {
  readonly prefix: string;
  /** Only names from this one on. */
  readonly from?: string;
  /** Also what was replaced or deleted, where the bucket keeps it: several objects of one name, oldest first. */
  readonly versions?: boolean;
}

/** The objects of a bucket in the order of their names, page by page. Names are keys. Rejects with vault errors. */
export async function* objectsOf(
  bucket: GcsBucket,
  { prefix, from, versions = false }: GcsListing,
  call: RemoteCall,
): AsyncGenerator<GcsObject, void, undefined> {
  const params = {
    prefix: bucket.fullKey(prefix),
    maxResults: '1000',
    fields: `items(${OBJECT_FIELDS}),nextPageToken`,
    ...(from === undefined ? {} : { startOffset: bucket.fullKey(from) }),
    ...(versions ? { versions: 'true' } : {}),
  };
  let pageToken: string | undefined;
  do {
    const page = await readPage(bucket, { ...params, ...(pageToken === undefined ? {} : { pageToken }) }, call);
    for (const object of page.items ?? []) {
      const name = bucket.ownKey(object.name);
      if (KEY_PATTERN.test(name)) yield { ...object, name };
    }
    pageToken = page.nextPageToken;
  } while (pageToken !== undefined);
}

async function readPage(bucket: GcsBucket, params: Record<string, string>, call: RemoteCall) {
  try {
    const { data } = await bucket.send(call, { method: 'GET', url: bucket.path(), params });
    return bucket.checked(pageSchema, data, call);
  } catch (error) {
    throw await bucket.explain(error, call);
  }
}

/** All versions of one object, oldest first. Empty when there is none. Rejects with vault errors. */
export async function versionsOf(bucket: GcsBucket, key: string, signal: AbortSignal | undefined): Promise<GcsObject[]> {
  const call: RemoteCall = { doing: 'listing the versions of', key, signal };
  const found: GcsObject[] = [];
  for await (const object of objectsOf(bucket, { prefix: key, versions: true }, call)) {
    // Names that only begin like this one come after it.
    if (object.name !== key) break;
    found.push(object);
  }
  return found.sort(byGeneration);
}

/** The versions of each object of a listing with all versions, oldest first. */
export async function* byObject(objects: AsyncIterable<GcsObject>): AsyncGenerator<readonly [GcsObject, ...GcsObject[]], void, undefined> {
  let versions: [GcsObject, ...GcsObject[]] | undefined;
  for await (const object of objects) {
    if (versions !== undefined && versions[0].name === object.name) versions.push(object);
    else {
      if (versions !== undefined) yield versions.sort(byGeneration);
      versions = [object];
    }
  }
  if (versions !== undefined) yield versions.sort(byGeneration);
}

/** Whether something else than the first of these versions is what plain reading finds, or nothing is. Oldest first. */
export function isShadowed([first, ...later]: readonly [GcsObject, ...GcsObject[]]): boolean {
  const live = [first, ...later].findLast(({ timeDeleted }) => timeDeleted === undefined);
  if (live === first) return false;
  // Google does not bring back what is older: it is put back as a new version with the same bytes. (A CRC32C can be made to fit.)
  return live?.md5Hash === undefined || live.size !== first.size || live.md5Hash !== first.md5Hash;
}

/** Generations are numbers of more digits than a `number` holds, and grow with time. */
function byGeneration(a: GcsObject, b: GcsObject): number {
  const [x, y] = [BigInt(a.generation), BigInt(b.generation)];
  if (x === y) return 0;
  return x < y ? -1 : 1;
}
