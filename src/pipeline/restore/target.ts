import { z } from 'zod';
import type { Facts } from '../../adapt/facts.ts';
import { NO_FACTS, readCustomType } from '../../adapt/facts.ts';
import { nameOf, parseObject } from '../../adapt/json.ts';
import type { SiteConnection } from '../../site/connect.ts';
import { findType } from '../../site/discover.ts';
import type { Discovery } from '../../site/discover.ts';
import { isRefusal } from '../../site/errors.ts';
import { listCurrent } from '../../site/list.ts';
import { apiVersionOf } from '../../site/types.ts';
import type { ResourceType } from '../../site/types.ts';
import { objectPath } from '../../site/url.ts';

/** As kubectl asks for. */
const PAGE_SIZE = 500;

/**
 * Reads the objects of a type as they are in the target now, in all namespaces or in those named.
 * `restart` is called when a list broke off and begins again: forget what `object` was given.
 */
export async function readTarget(
  connection: SiteConnection,
  type: ResourceType,
  reader: {
    readonly namespaces?: readonly string[] | undefined;
    readonly object: (raw: Uint8Array) => void;
    readonly restart: () => void;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<void> {
  const scopes = type.namespaced && reader.namespaces !== undefined ? reader.namespaces.map((namespace) => ({ namespace })) : [{}];
  await connection.retrying(async () => {
    reader.restart();
    for (const scope of scopes) {
      await listCurrent({ connection, type, scope, pageSize: PAGE_SIZE, object: reader.object, signal: reader.signal });
    }
  }, reader.signal);
}

/** The definitions of custom resources in the target, as facts for rules. */
export async function targetDefinitions(connection: SiteConnection, discovery: Discovery, signal?: AbortSignal): Promise<Facts> {
  const type = findType(discovery, { group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions' });
  if (type === undefined) return NO_FACTS;
  const customTypes = new Map<string, ReturnType<typeof readCustomType>>();
  await readTarget(connection, type, {
    object: (raw) => {
      const definition = parseObject(raw);
      customTypes.set(nameOf(definition), readCustomType(definition));
    },
    restart: () => customTypes.clear(),
    signal,
  });
  return { ...NO_FACTS, customTypes };
}

const withUid = z.object({ metadata: z.object({ uid: z.string() }) });

/** The UID of an object that may be in the target; `undefined` if it is not, or its type is not. */
export async function findUid(
  connection: SiteConnection,
  discovery: Discovery,
  wanted: { readonly group: string; readonly kind: string; readonly namespace: string; readonly name: string },
  signal?: AbortSignal,
): Promise<{ readonly uid: string; readonly apiVersion: string } | undefined> {
  const type = discovery.types.find((served) => served.group === wanted.group && served.kind === wanted.kind);
  if (type === undefined) return undefined;
  try {
    const path = objectPath(type, wanted.name, type.namespaced ? wanted.namespace : '');
    const answer = await connection.request({ path, doing: `get ${type.resource}`, signal });
    const parsed = withUid.safeParse(JSON.parse(answer.body.toString('utf8')));
    return parsed.success ? { uid: parsed.data.metadata.uid, apiVersion: apiVersionOf(type) } : undefined;
  } catch (error) {
    if (isRefusal(error, 403, 404)) return undefined;
    throw error;
  }
}
