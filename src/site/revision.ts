import { z } from 'zod';
import { systemClock } from '../core/clock.ts';
import type { Clock } from '../core/clock.ts';
import { LifeboatError } from '../core/errors.ts';
import type { SiteConnection } from './connect.ts';
import type { Discovery } from './discover.ts';
import { isRefusal } from './errors.ts';
import type { CompiledSelection } from './selection.ts';
import { collectionPath } from './url.ts';

/** One moment of a site. */
export interface Moment {
  /** The etcd revision. */
  readonly revision: string;
  /** When it was taken: ISO 8601, UTC. */
  readonly at: string;
}

/** Where a consistent list showed the moment, so that it can be asked for again. */
export interface TakenMoment extends Moment {
  readonly path: string;
}

// Integer revisions of one etcd are what makes a cut possible (KEP-5504); anything else is not Kubernetes on etcd.
const listSchema = z.object({ metadata: z.object({ resourceVersion: z.string().regex(/^[1-9]\d*$/) }) });
const versionSchema = z.object({ gitVersion: z.string() });
const namespaceSchema = z.object({ metadata: z.object({ uid: z.string() }) });

/**
 * Takes the revision a cut is made at: that of one consistent list (no `resourceVersion`: the API server asks etcd).
 * Namespaces if they may be listed, else whatever core type may be, in the first selected namespace if those are named.
 * Throws `LB_SITE_ACCESS` when nothing may be listed.
 */
export async function takeMoment(
  connection: SiteConnection,
  discovery: Discovery,
  selection: CompiledSelection,
  options: { readonly signal?: AbortSignal | undefined; readonly clock?: Clock },
): Promise<TakenMoment> {
  const clock = options.clock ?? systemClock;
  const namespace = selection.exactNamespaces?.[0];
  // Events are what large sites keep in an etcd of their own (`--etcd-servers-overrides`).
  const core = discovery.types.filter((type) => type.group === '' && type.resource !== 'events' && selection.hasType(type));
  const paths = [
    '/api/v1/namespaces',
    ...core.filter((type) => type.namespaced).map((type) => collectionPath(type, namespace)),
    ...core.filter((type) => !type.namespaced).map((type) => collectionPath(type)),
  ];
  let refused: unknown;
  for (const path of paths) {
    // Taken before the list: the moment shown is then never older than it says.
    const at = new Date(clock.now()).toISOString();
    try {
      const answer = await connection.request({ path, query: { limit: 1 }, doing: `list ${path}`, signal: options.signal });
      return { revision: readRevision(connection, answer.body), at, path };
    } catch (error) {
      if (!isRefusal(error, 403, 404, 405)) throw error;
      refused ??= error;
    }
  }
  throw refused;
}

/**
 * Whether a collection is kept in another etcd than the moment was taken from (`--etcd-servers-overrides`): its current
 * revision then does not lie between the moment's and the one after it. Nothing else tells, because another etcd may
 * well have the same number in its history. Where the collection may not be listed the answer is no.
 */
export async function isKeptApart(connection: SiteConnection, moment: TakenMoment, path: string, signal: AbortSignal | undefined): Promise<boolean> {
  const current = async (of: string): Promise<bigint> => {
    const answer = await connection.request({ path: of, query: { limit: 1 }, doing: `list ${of}`, signal });
    return BigInt(readRevision(connection, answer.body));
  };
  try {
    const there = await current(path);
    return there < BigInt(moment.revision) || there > (await current(moment.path));
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}

/** Whether the site can still show what it was at this moment. */
export async function isStillThere(connection: SiteConnection, moment: TakenMoment, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await connection.request({
      path: moment.path,
      query: { limit: 1, resourceVersion: moment.revision, resourceVersionMatch: 'Exact' },
      doing: `list ${moment.path}`,
      signal,
    });
    return true;
  } catch (error) {
    if (isRefusal(error, 410)) return false;
    throw error;
  }
}

/** What a site is: its Kubernetes version and the UID of its kube-system namespace, `''` where it may not be read. */
export async function identifySite(
  connection: SiteConnection,
  signal: AbortSignal | undefined,
): Promise<{ readonly kubernetesVersion: string; readonly clusterUid: string }> {
  const paths = ['/version', '/api/v1/namespaces/kube-system'];
  const [version, namespace] = await Promise.all(paths.map((path) => readable(connection, path, signal)));
  return {
    kubernetesVersion: versionSchema.safeParse(version).data?.gitVersion ?? '',
    clusterUid: namespaceSchema.safeParse(namespace).data?.metadata.uid ?? '',
  };
}

async function readable(connection: SiteConnection, path: string, signal: AbortSignal | undefined): Promise<unknown> {
  try {
    const answer = await connection.request({ path, doing: `get ${path}`, signal });
    return JSON.parse(answer.body.toString('utf8'));
  } catch (error) {
    if (isRefusal(error, 403, 404)) return undefined;
    throw error;
  }
}

function readRevision(connection: SiteConnection, body: Buffer): string {
  let document: unknown;
  try {
    document = JSON.parse(body.toString('utf8'));
  } catch {
    document = undefined;
  }
  const list = listSchema.safeParse(document);
  if (list.success) return list.data.metadata.resourceVersion;
  throw new LifeboatError('LB_SITE_REFUSED', 'The API server gives no revision that other lists could be read at', {
    where: `site "${connection.name}"`,
    hint: 'lifeboat needs a Kubernetes API server that keeps its state in etcd, or in something with integer revisions.',
  });
}
