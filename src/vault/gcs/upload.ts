import { randomBytes } from 'node:crypto';
import { VaultError } from '../errors.ts';
import type { RemoteCall } from '../remote.ts';
import type { PutOutcome } from '../vault.ts';
import type { GcsBucket } from './bucket.ts';
import { agrees, newChecksum } from './checksum.ts';
import type { GcsChecksum } from './checksum.ts';
import type { GcsAnswer } from './client.ts';
import { GcsRefusal } from './errors.ts';
import { OBJECT_FIELDS, objectSchema } from './metadata.ts';
import type { GcsLockMode } from './metadata.ts';

/** What locks an object that is stored. */
export interface GcsRetention {
  readonly mode: GcsLockMode;
  /** RFC 3339. */
  readonly retainUntilTime: string;
}

/** Create only, and say what was created. */
export const CREATE = { ifGenerationMatch: '0', fields: OBJECT_FIELDS };

/** The description of an object that is to be stored. */
export function description(bucket: GcsBucket, key: string, retention: GcsRetention | undefined): Record<string, unknown> {
  return {
    name: bucket.fullKey(key),
    contentType: 'application/octet-stream',
    ...(retention === undefined ? {} : { retention }),
  };
}

/** Stores an object with one request, unless there is one. Rejects with what `GcsBucket.send` does. */
export async function storeWhole(
  bucket: GcsBucket,
  bytes: Uint8Array,
  retention: GcsRetention | undefined,
  call: RemoteCall & { readonly key: string },
): Promise<PutOutcome> {
  const checksum = newChecksum(bucket.client);
  checksum.update(bytes);
  const sum = checksum.value();
  // Google refuses bytes that do not have the checksum in their description.
  const about = JSON.stringify({ ...description(bucket, call.key, retention), ...sum });
  const boundary = randomBytes(24).toString('hex');
  const head = `--${boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n${about}\r\n`;
  const body = Buffer.concat([
    Buffer.from(`${head}--${boundary}\r\nContent-Type: application/octet-stream\r\n\r\n`),
    bytes,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
  const request = {
    method: 'POST',
    url: bucket.uploadPath(),
    params: { uploadType: 'multipart', ...CREATE },
    headers: { 'Content-Type': `multipart/related; boundary=${boundary}` },
    body,
  } as const;
  return unlessThere(async () => {
    await checkStored(bucket, await bucket.send(call, request), { size: bytes.byteLength, sum }, call);
  });
}

/** `exists` when the answer is that there is such an object. */
export async function unlessThere(create: () => Promise<void>): Promise<PutOutcome> {
  try {
    await create();
    return 'created';
  } catch (error) {
    if (error instanceof GcsRefusal && error.status === 412) return 'exists';
    throw error;
  }
}

/**
 * Compares what Google says it has stored with what was sent. What is other is deleted, if that is permitted, so that it does
 * not stay in the place of the object. Throws `LB_VAULT_UNAVAILABLE` then, `LB_VAULT_UNSUPPORTED` when the answer is not Google's.
 */
export async function checkStored(
  bucket: GcsBucket,
  { data }: GcsAnswer,
  sent: { readonly size: number; readonly sum: ReturnType<GcsChecksum['value']> },
  call: RemoteCall & { readonly key: string },
): Promise<void> {
  const object = bucket.checked(objectSchema, data, call);
  if (object.size === sent.size && agrees(object, sent.sum)) return;
  const { key } = call;
  const request = { method: 'DELETE', url: bucket.path(key), params: { generation: object.generation } } as const;
  await bucket.send({ doing: 'deleting', key, signal: undefined }, request).catch(() => {});
  throw new VaultError('LB_VAULT_UNAVAILABLE', bucket.vault, `${key} was garbled on its way to the store`, { key });
}
