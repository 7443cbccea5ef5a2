import type { SiteConnection } from './connect.ts';
import { ListScanner } from './list-scanner.ts';
import type { ListMeta } from './list-scanner.ts';
import type { ResourceType } from './types.ts';
import { typeName } from './types.ts';
import { collectionPath } from './url.ts';

/** The objects of a type that one list shows. */
export interface ListScope {
  readonly namespace?: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

export interface ListRequest {
  readonly connection: SiteConnection;
  readonly type: ResourceType;
  readonly scope: ListScope;
  readonly pageSize: number;
  readonly signal?: AbortSignal | undefined;
  /** Takes one object's raw bytes, valid until it returns or what it returns resolves. */
  readonly object: (raw: Uint8Array) => Promise<void> | void;
  /** Told what each page says of the list. */
  readonly page?: (meta: ListMeta) => void;
}

/** Thrown when a list that was asked for at one revision was answered at another: the type is not on the same etcd. */
export class OtherRevision extends Error {
  readonly revision: string;

  constructor(asked: string, answered: string) {
    super(`asked for revision ${asked}, answered at ${answered === '' ? 'none' : answered}`);
    this.revision = answered;
  }
}

/**
 * Reads a list as it was at one revision, page by page. A page that breaks off is asked for again and goes on after
 * the objects it gave already: at one revision the same page is the same bytes.
 *
 * Throws `OtherRevision` when a page shows another revision (some objects may have been given by then), a `SiteError`
 * with status 410 when the revision is gone, and whatever `SiteConnection.stream` throws.
 */
export async function listExact(request: ListRequest, revision: string): Promise<void> {
  const { connection, signal } = request;
  let token = '';
  do {
    let given = 0;
    const meta: ListMeta = await connection.retrying(async (progress) => {
      let toSkip = given;
      // A token carries the revision; giving both is refused.
      const query = token === '' ? { resourceVersion: revision, resourceVersionMatch: 'Exact' } : { continue: token };
      return readPage(request, query, {
        meta: (seen) => sameRevision(seen, revision),
        object: (raw) => {
          if (toSkip > 0) {
            toSkip -= 1;
            return undefined;
          }
          if (given === 0) progress();
          given += 1;
          return request.object(raw);
        },
      });
    }, signal);
    sameRevision(meta, revision);
    request.page?.(meta);
    token = meta.continue;
  } while (token !== '');
}

/**
 * Reads a list as it is now, page by page. Nothing is repeated: a second try may show other objects, so whoever
 * wants one starts over. Returns the revision it was read at, as far as the server says.
 */
export async function listCurrent(request: ListRequest): Promise<string> {
  let token = '';
  let revision = '';
  do {
    const meta: ListMeta = await readPage(request, { continue: token === '' ? undefined : token }, { object: request.object });
    request.page?.(meta);
    if (token === '') revision = meta.resourceVersion;
    token = meta.continue;
  } while (token !== '');
  return revision;
}

interface PageReader {
  /** Told the metadata before the first object, where the server sends it first. */
  readonly meta?: (meta: ListMeta) => void;
  readonly object: (raw: Uint8Array) => Promise<void> | void;
}

async function readPage(request: ListRequest, query: Record<string, string | undefined>, reader: PageReader): Promise<ListMeta> {
  const { connection, type, scope, pageSize, signal } = request;
  const stream = await connection.stream({
    path: collectionPath(type, scope.namespace),
    query: { ...query, limit: pageSize, labelSelector: scope.labelSelector, fieldSelector: scope.fieldSelector },
    doing: `list ${typeName(type)}${scope.namespace === undefined ? '' : ` in namespace ${scope.namespace}`}`,
    signal,
  });
  const scanner = new ListScanner();
  let told = false;
  for await (const chunk of stream.body) {
    const items = scanner.push(chunk);
    if (!told && scanner.meta !== undefined) {
      told = true;
      reader.meta?.(scanner.meta);
    }
    for (const raw of items) {
      const waiting = reader.object(raw);
      // Waiting for nothing still costs a turn of the event loop's queue for every object.
      if (waiting !== undefined) await waiting;
    }
  }
  return scanner.end();
}

function sameRevision(meta: ListMeta, revision: string): void {
  if (meta.resourceVersion !== revision) throw new OtherRevision(revision, meta.resourceVersion);
}
