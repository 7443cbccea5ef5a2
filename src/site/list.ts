import type { SiteConnection, SiteStream } from './connect.ts';
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
 * the objects it gave already: at one revision the same page is the same bytes. The next page is asked for as soon
 * as the server has said how (typed lists say it before the objects), so that it works while we do.
 *
 * Throws `OtherRevision` when a page shows another revision (some objects may have been given by then), a `SiteError`
 * with status 410 when the revision is gone, and whatever `SiteConnection.stream` throws.
 */
export async function listExact(request: ListRequest, revision: string): Promise<void> {
  const { connection, signal } = request;
  let ahead: { readonly token: string; readonly opening: Promise<SiteStream> } | undefined;
  try {
    let token = '';
    do {
      let given = 0;
      const meta: ListMeta = await connection.retrying(async (progress) => {
        let toSkip = given;
        let opening: Promise<SiteStream>;
        if (ahead?.token === token) {
          ({ opening } = ahead);
          ahead = undefined;
        } else {
          // A token carries the revision; giving both is refused.
          opening = openPage(request, token === '' ? { resourceVersion: revision, resourceVersionMatch: 'Exact' } : { continue: token });
        }
        return readPage(await opening, {
          meta: (seen) => {
            sameRevision(seen, revision);
            if (seen.continue === '' || ahead !== undefined) return;
            ahead = { token: seen.continue, opening: openPage(request, { continue: seen.continue }) };
            // Whoever reads that page learns of a failure; until then nobody does.
            ahead.opening.catch(() => undefined);
          },
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
  } finally {
    ahead?.opening.then((stream) => stream.cancel()).catch(() => undefined);
  }
}

/**
 * Reads a list as it is now, page by page. Nothing is repeated: a second try may show other objects, so whoever
 * wants one starts over. Returns the revision it was read at, as far as the server says.
 */
export async function listCurrent(request: ListRequest): Promise<string> {
  let token = '';
  let revision = '';
  do {
    const meta: ListMeta = await readPage(await openPage(request, { continue: token === '' ? undefined : token }), request);
    request.page?.(meta);
    if (token === '') revision = meta.resourceVersion;
    token = meta.continue;
  } while (token !== '');
  return revision;
}

interface PageReader {
  /** Told the list's metadata as soon as it has gone by: before or after the objects, once. */
  readonly meta?: (meta: ListMeta) => void;
  readonly object: (raw: Uint8Array) => Promise<void> | void;
}

function openPage({ connection, type, scope, pageSize, signal }: ListRequest, query: Record<string, string | undefined>): Promise<SiteStream> {
  return connection.stream({
    path: collectionPath(type, scope.namespace),
    query: { ...query, limit: pageSize, labelSelector: scope.labelSelector, fieldSelector: scope.fieldSelector },
    doing: `list ${typeName(type)}${scope.namespace === undefined ? '' : ` in namespace ${scope.namespace}`}`,
    signal,
  });
}

async function readPage(stream: SiteStream, reader: PageReader): Promise<ListMeta> {
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
