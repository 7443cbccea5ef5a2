import { isLifeboatError } from '../../core/errors.ts';
import type { LifeboatError } from '../../core/errors.ts';
import { stillLocked } from '../errors.ts';
import type { RemoteCall } from '../remote.ts';
import type { GcsBucket } from './bucket.ts';
import { isShadowed, versionsOf } from './versions.ts';

/**
 * Deletes an object for good. Deleting without naming a generation would only hide it in a bucket that keeps versions, so they
 * are deleted one by one: the genuine one first, so that nothing has changed when a lock holds it. Whoever may not list
 * can still delete what is current. Rejects with vault errors; `LB_VAULT_LOCKED` when a lock holds the object.
 */
export async function deleteObject(bucket: GcsBucket, key: string, signal: AbortSignal | undefined): Promise<void> {
  for (const { generation, retention } of await knownVersions(bucket, key, signal)) {
    await deleteVersion(bucket, key, generation, retention?.retainUntilTime, signal);
  }
}

/**
 * Deletes what was put over the first version of an object; gives how many versions. Rejects with vault errors; `LB_VAULT_LOCKED` when
 * a lock holds one of them, after all others were tried.
 */
export async function uncoverFirst(bucket: GcsBucket, key: string, signal: AbortSignal | undefined): Promise<number> {
  const [first, ...later] = await versionsOf(bucket, key, signal);
  if (first === undefined || !isShadowed([first, ...later])) return 0;
  let gone = 0;
  let held: LifeboatError | undefined;
  for (const { generation, retention } of later.toReversed()) {
    try {
      await deleteVersion(bucket, key, generation, retention?.retainUntilTime, signal);
      gone += 1;
    } catch (error) {
      if (!isLifeboatError(error, 'LB_VAULT_LOCKED')) throw error;
      held = error;
    }
  }
  if (held !== undefined) throw held;
  return gone;
}

interface KnownVersion {
  readonly generation: string | undefined;
  readonly retention?: { readonly retainUntilTime: Date } | undefined;
}

async function knownVersions(bucket: GcsBucket, key: string, signal: AbortSignal | undefined): Promise<readonly KnownVersion[]> {
  try {
    return await versionsOf(bucket, key, signal);
  } catch (error) {
    if (isLifeboatError(error, 'LB_VAULT_ACCESS')) return [{ generation: undefined }];
    throw error;
  }
}

async function deleteVersion(
  bucket: GcsBucket,
  key: string,
  generation: string | undefined,
  until: Date | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const call: RemoteCall = { doing: 'deleting', key, signal };
  const params = generation === undefined ? {} : { generation };
  try {
    await bucket.send(call, { method: 'DELETE', url: bucket.path(key), params });
  } catch (error) {
    const explained = await bucket.explain(error, call);
    if (isLifeboatError(explained, 'LB_VAULT_OBJECT_MISSING')) return;
    const locked = isLifeboatError(explained, 'LB_VAULT_ACCESS') && until !== undefined && until.getTime() > Date.now();
    if (locked || isLifeboatError(explained, 'LB_VAULT_LOCKED')) throw stillLocked(bucket.vault, key, until, explained);
    throw explained;
  }
}
