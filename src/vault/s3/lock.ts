import { isLifeboatError } from '../../core/errors.ts';
import { objectMissing } from '../errors.ts';
import type { RemoteCall } from '../remote.ts';
import type { S3Bucket } from './bucket.ts';
import { answerOf } from './errors.ts';
import { firstVersion, versionParameter } from './versions.ts';

/** `COMPLIANCE`: nobody can end it, the account's owner included. `GOVERNANCE`: whoever has a special right can. */
export type S3LockMode = 'COMPLIANCE' | 'GOVERNANCE';

/** What stores say of an object without a lock: Amazon S3 and versitygw, and SeaweedFS. */
const NO_LOCK = ['NoSuchObjectLockConfiguration', 'ObjectLockConfigurationNotFoundError'];

interface Retention {
  readonly mode: S3LockMode;
  readonly until: Date;
}

/** The part of a request that locks what it stores. */
export interface LockParameters {
  readonly ObjectLockMode?: S3LockMode;
  readonly ObjectLockRetainUntilDate?: Date;
}

/** What a request says to lock what it stores; nothing when it is not to be locked, or only until a time that has passed. */
export function lockParameters(mode: S3LockMode, until: Date): LockParameters {
  if (until.getTime() <= Date.now()) return {};
  return { ObjectLockMode: mode, ObjectLockRetainUntilDate: wholeSeconds(until) };
}

/**
 * Locks the first version of an object until then, unless it is locked for as long already. Rejects with vault errors.
 */
export async function retainFirstVersion(
  bucket: S3Bucket,
  key: string,
  lock: { readonly mode: S3LockMode; readonly until: Date },
  signal: AbortSignal | undefined,
): Promise<void> {
  const version = await firstVersion(bucket, key, signal);
  if (version === undefined) throw objectMissing(bucket.vault, key);
  const until = wholeSeconds(lock.until);
  const target = versionParameter(version);
  const current = await retentionOf(bucket, key, target, signal);
  if (until.getTime() <= Math.max(Date.now(), current?.until.getTime() ?? 0)) return;
  const mode = current?.mode === 'COMPLIANCE' ? 'COMPLIANCE' : lock.mode;
  const call: RemoteCall = { doing: 'locking', key, signal };
  try {
    const { client, sdk } = bucket;
    const input = { Bucket: bucket.bucket, Key: bucket.fullKey(key), ...target, Retention: { Mode: mode, RetainUntilDate: until } };
    await bucket.call(call, (abortSignal) => client.send(new sdk.PutObjectRetentionCommand(input), { abortSignal }));
  } catch (error) {
    const explained = await bucket.explain(error, call);
    // Somebody else may have locked it for longer meanwhile, and then a shorter lock is refused.
    if (isLifeboatError(explained, 'LB_VAULT_ACCESS')) {
      const now = await retentionOf(bucket, key, target, signal);
      if (now !== undefined && now.until >= until) return;
    }
    throw explained;
  }
}

/** The lock of an object, or of one version of it; undefined when there is none, or it may not be known. */
export async function retentionOf(
  bucket: S3Bucket,
  key: string,
  version: { readonly VersionId?: string },
  signal: AbortSignal | undefined,
): Promise<Retention | undefined> {
  const call: RemoteCall = { doing: 'finding the lock of', key, signal };
  try {
    const { client, sdk } = bucket;
    const input = { Bucket: bucket.bucket, Key: bucket.fullKey(key), ...version };
    const { Retention } = await bucket.call(call, (abortSignal) =>
      client.send(new sdk.GetObjectRetentionCommand(input), { abortSignal }),
    );
    const { Mode, RetainUntilDate } = Retention ?? {};
    if (Mode === undefined || RetainUntilDate === undefined) return undefined;
    return { mode: Mode, until: RetainUntilDate };
  } catch (error) {
    if (NO_LOCK.includes(answerOf(error).name)) return undefined;
    const explained = await bucket.explain(error, call);
    if (isLifeboatError(explained, 'LB_VAULT_ACCESS') || isLifeboatError(explained, 'LB_VAULT_LOCK_UNSUPPORTED')) return undefined;
    throw explained;
  }
}

/** Stores keep locks by the second; rounding down would end one early. */
function wholeSeconds(date: Date): Date {
  return new Date(Math.ceil(date.getTime() / 1000) * 1000);
}
