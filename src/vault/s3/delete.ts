import { isLifeboatError } from '../../core/errors.ts';
import type { LifeboatError } from '../../core/errors.ts';
import { stillLocked } from '../errors.ts';
import type { RemoteCall } from '../remote.ts';
import type { S3Bucket } from './bucket.ts';
import { retentionOf } from './lock.ts';
import { versionsOf } from './versions.ts';

/**
 * Deletes an object for good. In a bucket that keeps versions, deleting without naming a version hides the object and frees
 * nothing, so its versions are deleted one by one: the genuine one first, so that nothing has changed when a lock holds it.
 * Where the right to delete versions is lacking the object stays hidden, for a lifecycle rule to remove; but not where objects are
 * locked, since there only an intruder hides anything.
 * Rejects with vault errors; `LB_VAULT_LOCKED` when a lock holds the object.
 */
export async function deleteObject(bucket: S3Bucket, key: string, locks: boolean, signal: AbortSignal | undefined): Promise<void> {
  if (locks) return deleteVersions(bucket, key, signal);
  if (bucket.keepsVersions && (await purge(bucket, key, signal))) return;
  const { isMark, version } = await deleteVersion(bucket, key, undefined, signal);
  if (!isMark || bucket.keepsVersions) return;
  bucket.keepsVersions = true;
  try {
    await purge(bucket, key, signal);
  } catch (error) {
    // A lock that the store puts on by itself holds it: it is to stay visible too.
    if (isLifeboatError(error, 'LB_VAULT_LOCKED') && version !== undefined) await deleteVersion(bucket, key, version, signal);
    throw error;
  }
}

async function deleteVersions(bucket: S3Bucket, key: string, signal: AbortSignal | undefined): Promise<void> {
  for (const { id } of await versionsOf(bucket, key, signal)) await deleteVersion(bucket, key, id, signal);
}

/**
 * Deletes what was put over the first version of an object, newest first; gives how many. Rejects with vault errors; `LB_VAULT_LOCKED`
 * when a lock holds one of them, after all others were tried.
 */
export async function uncoverFirst(bucket: S3Bucket, key: string, signal: AbortSignal | undefined): Promise<number> {
  const versions = await versionsOf(bucket, key, signal);
  const first = versions.findIndex(({ size }) => size !== undefined);
  if (first < 0) return 0;
  let gone = 0;
  let held: LifeboatError | undefined;
  for (const { id } of versions.slice(first + 1).toReversed()) {
    try {
      await deleteVersion(bucket, key, id, signal);
      gone += 1;
    } catch (error) {
      if (!isLifeboatError(error, 'LB_VAULT_LOCKED')) throw error;
      held = error;
    }
  }
  if (held !== undefined) throw held;
  return gone;
}

/** Deletes all versions. False when the right to do that is lacking. */
async function purge(bucket: S3Bucket, key: string, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await deleteVersions(bucket, key, signal);
    return true;
  } catch (error) {
    if (isLifeboatError(error, 'LB_VAULT_ACCESS')) return false;
    throw error;
  }
}

async function deleteVersion(
  bucket: S3Bucket,
  key: string,
  VersionId: string | undefined,
  signal: AbortSignal | undefined,
): Promise<{ readonly isMark: boolean; readonly version: string | undefined }> {
  const { client, sdk } = bucket;
  const call: RemoteCall = { doing: 'deleting', key, signal };
  const version = VersionId === undefined ? {} : { VersionId };
  try {
    const input = { Bucket: bucket.bucket, Key: bucket.fullKey(key), ...version };
    const answer = await bucket.call(call, (abortSignal) => client.send(new sdk.DeleteObjectCommand(input), { abortSignal }));
    return { isMark: VersionId === undefined && answer.DeleteMarker === true, version: answer.VersionId };
  } catch (error) {
    const explained = await bucket.explain(error, call);
    if (isLifeboatError(explained, 'LB_VAULT_OBJECT_MISSING')) return { isMark: false, version: undefined };
    if (isLifeboatError(explained, 'LB_VAULT_ACCESS')) {
      const lock = await retentionOf(bucket, key, version, signal).catch(() => undefined);
      if (lock !== undefined && lock.until.getTime() > Date.now()) throw stillLocked(bucket.vault, key, lock.until, explained);
    }
    throw explained;
  }
}
