import type { RemoteCall } from '../remote.ts';
import { KEY_PATTERN } from '../vault.ts';
import type { AzureContainer } from './container.ts';

/** An object, or one of the versions of one. */
export interface AzureBlob {
  readonly key: string;
  readonly size: number;
  /** A time, as text that sorts like it; undefined where the account keeps no versions. */
  readonly version: string | undefined;
  /** False of what was replaced or deleted. */
  readonly isCurrent: boolean;
  readonly lockedUntil: Date | undefined;
  readonly lockMode: string | undefined;
  /** Of its bytes, as Azure keeps it; undefined when it has none. */
  readonly md5: Uint8Array | undefined;
}

/** What is to be listed. */
export interface AzureListing {
  readonly prefix: string;
  /** Only names from this one on; a store that does not know of it lists the others too. */
  readonly from?: string;
  /** Also what was replaced or deleted, where the account keeps it. */
  readonly versions?: boolean;
}

const PAGE = 5000;

/** The objects of a container in the order of their names, page by page. Rejects with vault errors. */
export async function* blobsOf(
  container: AzureContainer,
  { prefix, from, versions = false }: AzureListing,
  call: RemoteCall,
): AsyncGenerator<AzureBlob, void, undefined> {
  const options = {
    prefix: container.fullKey(prefix),
    ...(from === undefined ? {} : { startFrom: container.fullKey(from) }),
    ...(versions ? { includeVersions: true, includeImmutabilityPolicy: true } : {}),
  };
  let continuationToken: string | undefined;
  do {
    const page = await container.explained(call, async (abortSignal) => {
      const settings = { maxPageSize: PAGE, ...(continuationToken === undefined ? {} : { continuationToken }) };
      return container.client.listBlobsFlat({ ...options, abortSignal }).byPage(settings).next();
    });
    if (page.done === true) return;
    if (page.value.segment === undefined) throw container.notAStore(call);
    for (const { name, versionId, isCurrentVersion, properties } of page.value.segment.blobItems) {
      const key = container.ownKey(name);
      if (!KEY_PATTERN.test(key)) continue;
      yield {
        key,
        size: properties.contentLength ?? 0,
        version: versionId,
        isCurrent: versionId === undefined || isCurrentVersion === true,
        lockedUntil: properties.immutabilityPolicyExpiresOn,
        lockMode: properties.immutabilityPolicyMode,
        md5: properties.contentMD5,
      };
    }
    continuationToken = page.value.continuationToken;
  } while (continuationToken !== undefined && continuationToken !== '');
}

/** All versions of one object, oldest first. Empty when there is none. Rejects with vault errors. */
export async function versionsOf(container: AzureContainer, key: string, signal: AbortSignal | undefined): Promise<AzureBlob[]> {
  const call: RemoteCall = { doing: 'listing the versions of', key, signal };
  const found: AzureBlob[] = [];
  for await (const blob of blobsOf(container, { prefix: key, versions: true }, call)) {
    // Names that only begin like this one come after it.
    if (blob.key !== key) break;
    found.push(blob);
  }
  return found.sort(byVersion);
}

/** The versions of each object of a listing with all versions, oldest first. */
export async function* byObject(blobs: AsyncIterable<AzureBlob>): AsyncGenerator<readonly [AzureBlob, ...AzureBlob[]], void, undefined> {
  let versions: [AzureBlob, ...AzureBlob[]] | undefined;
  for await (const blob of blobs) {
    if (versions !== undefined && versions[0].key === blob.key) versions.push(blob);
    else {
      if (versions !== undefined) yield versions.sort(byVersion);
      versions = [blob];
    }
  }
  if (versions !== undefined) yield versions.sort(byVersion);
}

/** Whether something else than the first of these versions is what plain reading finds, or nothing is. Oldest first. */
export function isShadowed([first, ...later]: readonly [AzureBlob, ...AzureBlob[]]): boolean {
  const current = [first, ...later].find(({ isCurrent }) => isCurrent);
  if (current === first) return false;
  // Azure does not bring back what is older: it is put back as a new version with the same bytes. (Who may write blocks can make up a
  // checksum; what is read is the first version all the same.)
  if (current?.md5 === undefined || first.md5 === undefined) return true;
  return current.size !== first.size || Buffer.compare(current.md5, first.md5) !== 0;
}

function byVersion({ version: a = '' }: AzureBlob, { version: b = '' }: AzureBlob): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
