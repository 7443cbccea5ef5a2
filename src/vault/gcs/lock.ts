import { isLifeboatError } from '../../core/errors.ts';
import { objectMissing } from '../errors.ts';
import type { RemoteCall } from '../remote.ts';
import type { GcsBucket } from './bucket.ts';
import type { GcsLockMode } from './metadata.ts';
import type { GcsRetention } from './upload.ts';
import { versionsOf } from './versions.ts';

/** What locks an object until then; nothing when that time has passed. */
export function retentionUntil(mode: GcsLockMode, until: Date): GcsRetention | undefined {
  return until.getTime() <= Date.now() ? undefined : { mode, retainUntilTime: wholeSeconds(until).toISOString() };
}

/** Locks the first version of an object until then, unless it is locked for as long already. Rejects with vault errors. */
export async function retainFirstVersion(
  bucket: GcsBucket,
  key: string,
  lock: { readonly mode: GcsLockMode; readonly until: Date },
  signal: AbortSignal | undefined,
): Promise<void> {
  const call: RemoteCall = { doing: 'locking', key, signal };
  const until = wholeSeconds(lock.until);
  const [first] = await versionsOf(bucket, key, signal);
  if (first === undefined) throw objectMissing(bucket.vault, key);
  if (until.getTime() <= Math.max(Date.now(), first.retention?.retainUntilTime.getTime() ?? 0)) return;
  const mode = first.retention?.mode === 'Locked' ? 'Locked' : lock.mode;
  const retention = { mode, retainUntilTime: until.toISOString() };
  try {
    await bucket.send(call, {
      method: 'PATCH',
      url: bucket.path(key),
      params: { generation: first.generation, fields: 'name' },
      headers: { 'Content-Type': 'application/json; charset=UTF-8' },
      body: Buffer.from(JSON.stringify({ retention })),
    });
  } catch (error) {
    const explained = await bucket.explain(error, call);
    // Somebody else may have locked it for longer meanwhile, and then a shorter lock is refused.
    if (isLifeboatError(explained) && !explained.retriable) {
      const [now] = await versionsOf(bucket, key, signal);
      if (now?.retention !== undefined && now.retention.retainUntilTime >= until) return;
    }
    throw explained;
  }
}

/** Rounding down would end a lock early. */
function wholeSeconds(date: Date): Date {
  return new Date(Math.ceil(date.getTime() / 1000) * 1000);
}
