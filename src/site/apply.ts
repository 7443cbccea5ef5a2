import type { SiteConnection } from './connect.ts';
import { isRefusal } from './errors.ts';
import type { RetryLimits } from './retry.ts';
import type { ResourceType } from './types.ts';
import { typeName } from './types.ts';
import { collectionPath, objectPath } from './url.ts';

/** What writing goes through: type, version and place of an object. */
export type WritableType = Pick<ResourceType, 'group' | 'version' | 'resource' | 'kind'>;

export interface WriteOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long to repeat it while it fails for passing reasons. Default: the connection's. */
  readonly retry?: RetryLimits | false | undefined;
}

export type CreateOutcome =
  /** `body`: the object as it is stored now, raw JSON. */
  | { readonly outcome: 'created'; readonly body: Buffer }
  /** One of this name is there: perhaps from a try of this very call whose answer was lost. */
  | { readonly outcome: 'exists' };

/**
 * Recorded in managedFields as who wrote. Unknown fields are kept out silently, as kubectl does with
 * `--validate=ignore`: a backup may come from a newer server.
 */
const WRITE_QUERY = { fieldManager: 'lifeboat', fieldValidation: 'Ignore' };

/**
 * Creates an object from its JSON. Throws a `SiteError` when it is refused for another reason than that it exists:
 * 404 for a namespace or type that is not there, 403, 422 with the causes, 409 for a quota that is being counted.
 */
export async function createObject(
  connection: SiteConnection,
  type: WritableType,
  namespace: string,
  body: string | Uint8Array,
  options: WriteOptions = {},
): Promise<CreateOutcome> {
  try {
    const answer = await connection.request({
      method: 'POST',
      path: collectionPath(type, namespace),
      query: WRITE_QUERY,
      body,
      doing: doing('create', type, namespace),
      signal: options.signal,
      retry: options.retry,
    });
    return { outcome: 'created', body: answer.body };
  } catch (error) {
    if (isRefusal(error, 409) && error.reason === 'AlreadyExists') return { outcome: 'exists' };
    throw error;
  }
}

/** The object as raw JSON; `undefined` if there is none. */
export async function getObject(
  connection: SiteConnection,
  type: WritableType,
  namespace: string,
  name: string,
  options: Pick<WriteOptions, 'signal'> = {},
): Promise<Buffer | undefined> {
  try {
    const path = objectPath(type, name, namespace);
    return (await connection.request({ path, doing: doing('get', type, namespace), signal: options.signal })).body;
  } catch (error) {
    if (isRefusal(error, 404)) return undefined;
    throw error;
  }
}

/**
 * Replaces an object with this JSON, which carries the `resourceVersion` it was read at. Returns what is stored now.
 * Throws a `SiteError` with status 409 when the object was changed in between.
 */
export async function replaceObject(
  connection: SiteConnection,
  type: WritableType,
  namespace: string,
  name: string,
  body: string | Uint8Array,
  options: WriteOptions = {},
): Promise<Buffer> {
  const answer = await connection.request({
    method: 'PUT',
    path: objectPath(type, name, namespace),
    query: WRITE_QUERY,
    body,
    doing: doing('update', type, namespace),
    signal: options.signal,
    retry: options.retry,
  });
  return answer.body;
}

/** How a patch is written. Sources: RFC 7386, RFC 6902. */
const PATCH_TYPES = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
} as const;

/** Patches an object. Returns what is stored now. */
export async function patchObject(
  connection: SiteConnection,
  type: WritableType,
  namespace: string,
  name: string,
  patch: { readonly type: keyof typeof PATCH_TYPES; readonly body: string | Uint8Array },
  options: WriteOptions = {},
): Promise<Buffer> {
  const answer = await connection.request({
    method: 'PATCH',
    path: objectPath(type, name, namespace),
    query: WRITE_QUERY,
    body: patch.body,
    contentType: PATCH_TYPES[patch.type],
    doing: doing('patch', type, namespace),
    signal: options.signal,
    retry: options.retry,
  });
  return answer.body;
}

function doing(verb: string, type: WritableType, namespace: string): string {
  return `${verb} ${typeName(type)}${namespace === '' ? '' : ` in namespace ${namespace}`}`;
}
