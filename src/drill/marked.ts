import { z } from 'zod';
import { DRILL_LABEL } from '../adapt/rules/drill.ts';
import { systemClock } from '../core/clock.ts';
import { forEachParallel } from '../pipeline/for-each.ts';
import type { SiteConnection } from '../site/connect.ts';
import { discover } from '../site/discover.ts';
import type { ServedType } from '../site/discover.ts';
import { isRefusal } from '../site/errors.ts';
import { listCurrent } from '../site/list.ts';
import { typeName } from '../site/types.ts';
import { objectPath } from '../site/url.ts';

const PAGE_SIZE = 500;
const WORKERS = 8;
/** Namespaces take as long as what is in them. */
const GONE_WITHIN_MS = 300_000;
const LOOK_AGAIN_MS = 500;
/** They go last: with a definition everything of its kind goes, and it may still be listed. */
const LAST = 'customresourcedefinitions.apiextensions.k8s.io';

const markedSchema = z.object({ metadata: z.object({ name: z.string(), uid: z.string() }) });

interface Marked {
  readonly type: ServedType;
  readonly name: string;
  readonly uid: string;
}

/**
 * Removes the cluster-scoped objects and the namespaces that drills created, with all that is in those namespaces, and waits until they
 * are gone. `mark`: of one drill; else of any. An object is removed only as the one that was looked at: a new one of its name stays.
 * Gives what is left after five minutes.
 */
export async function removeMarked(connection: SiteConnection, mark: string | undefined, signal: AbortSignal | undefined): Promise<readonly string[]> {
  const { types } = await discover(connection, { signal });
  const removable = types.filter((type) => !type.namespaced && type.verbs.includes('delete') && type.verbs.includes('list'));
  const find = async (): Promise<Marked[]> => (await Promise.all(removable.map((type) => listMarked(connection, type, mark, signal)))).flat();
  const deadline = systemClock.now() + GONE_WITHIN_MS;
  for (;;) {
    const found = await find();
    if (found.length === 0) return [];
    const first = found.filter(({ type }) => typeName(type) !== LAST);
    await forEachParallel(first.length > 0 ? first : found, WORKERS, (one) => remove(connection, one, signal));
    if (systemClock.now() > deadline) return found.map(({ type, name }) => `${type.kind} ${name}`);
    await systemClock.sleep(LOOK_AGAIN_MS, signal);
  }
}

/** The names of all objects of a cluster-scoped type. */
export async function namesIn(connection: SiteConnection, wanted: string, signal: AbortSignal | undefined): Promise<readonly string[]> {
  const { types } = await discover(connection, { signal });
  const type = types.find((one) => typeName(one) === wanted);
  return type === undefined ? [] : (await list(connection, type, {}, signal)).map(({ name }) => name);
}

async function listMarked(connection: SiteConnection, type: ServedType, mark: string | undefined, signal: AbortSignal | undefined): Promise<Marked[]> {
  return list(connection, type, { labelSelector: mark === undefined ? DRILL_LABEL : `${DRILL_LABEL}=${mark}` }, signal);
}

async function list(connection: SiteConnection, type: ServedType, scope: { readonly labelSelector?: string }, signal: AbortSignal | undefined): Promise<Marked[]> {
  const found: Marked[] = [];
  await connection.retrying(async () => {
    found.length = 0;
    const object = (raw: Uint8Array): void => {
      const { metadata } = markedSchema.parse(JSON.parse(Buffer.from(raw).toString('utf8')));
      found.push({ type, name: metadata.name, uid: metadata.uid });
    };
    await listCurrent({ connection, type, scope, pageSize: PAGE_SIZE, object, signal }).catch((error: unknown) => {
      // A definition that is going takes its type with it, and some types may not be listed by this user: nothing of the drill's is there then.
      if (!isRefusal(error, 403, 404, 405)) throw error;
    });
  }, signal);
  return found;
}

async function remove(connection: SiteConnection, { type, name, uid }: Marked, signal: AbortSignal | undefined): Promise<void> {
  try {
    await connection.request({
      method: 'DELETE',
      path: objectPath(type, name, ''),
      body: JSON.stringify({ kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background', preconditions: { uid } }),
      doing: `delete ${typeName(type)}`,
      signal,
    });
  } catch (error) {
    if (!isRefusal(error, 404, 409)) throw error;
  }
}
