import { setTimeout as sleep } from 'node:timers/promises';
import { retrying } from '../backoff.ts';
import type { RetryPolicy } from '../backoff.ts';
import { inParts, partSize } from '../parts.ts';
import type { RemoteCall } from '../remote.ts';
import type { S3Bucket } from './bucket.ts';
import type { LockParameters } from './lock.ts';
import { contentMd5 } from '../md5.ts';
import type { BodyReader } from '../streams.ts';

/** S3's own bound (S3 user guide, "Multipart upload limits"). */
const MAX_PARTS = 10_000;
/** Putting many parts together can take S3 minutes (API reference, CompleteMultipartUpload). */
const COMPLETE_MS = 300_000;
const ABORT_MS = 10_000;
/**
 * A part whose sending was cut off may still arrive while an upload is aborted, and stay: then it has to be aborted once more
 * (API reference, AbortMultipartUpload).
 */
const ABORT_AGAIN_MS = [250];

/** An upload in parts. */
export interface MultipartUpload {
  readonly key: string;
  readonly reader: BodyReader;
  readonly signal: AbortSignal | undefined;
  /** What locks it, if it is to be locked. */
  readonly lock: LockParameters;
  /** How single parts are tried again: losing one must not cost all others. */
  readonly retry: RetryPolicy;
  /** Given the removal of a failed upload when nobody waits for it, so that `close` can. */
  readonly inBackground: (cleanup: Promise<void>) => void;
}

/**
 * Stores a large object: parts are read one after the other and sent a few at a time, each held in memory whole.
 * The object appears when the last call succeeds, unless one exists by then. A failed upload is aborted, so that its
 * parts cost nothing. Rejects with what the SDK throws, or the caller's reason.
 */
export async function storeInParts(bucket: S3Bucket, upload: MultipartUpload): Promise<void> {
  const { key, signal, retry } = upload;
  const target = { Bucket: bucket.bucket, Key: bucket.fullKey(key) };
  const call: RemoteCall = { doing: upload.lock.ObjectLockMode === undefined ? 'storing' : 'storing and locking', key, signal };
  const begun = await retrying(retry, `begin ${key}`, signal, () =>
    bucket.explained(call, (abortSignal) =>
      bucket.client.send(new bucket.sdk.CreateMultipartUploadCommand({ ...target, ...upload.lock }), { abortSignal }),
    ),
  );
  const { UploadId } = begun;
  if (UploadId === undefined) throw bucket.notAStore(call);
  const id = { ...target, UploadId };
  let sending = true;
  try {
    const parts = await sendParts(bucket, upload, id);
    sending = false;
    const { ETag } = await bucket.call({ ...call, answerMs: COMPLETE_MS }, (abortSignal) =>
      bucket.client.send(
        new bucket.sdk.CompleteMultipartUploadCommand({ ...id, MultipartUpload: { Parts: parts }, IfNoneMatch: '*' }),
        { abortSignal },
      ),
    );
    if (ETag === undefined) throw bucket.notAStore(call);
  } catch (error) {
    const cleanup = abort(bucket, id, sending ? ABORT_AGAIN_MS : []);
    if (signal?.aborted === true) upload.inBackground(cleanup);
    else await cleanup;
    throw error;
  }
}

interface SentPart {
  readonly PartNumber: number;
  readonly ETag: string | undefined;
}

interface UploadTarget {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string;
}

/** Sends all parts, and gives what `CompleteMultipartUpload` wants to know of them. */
async function sendParts(bucket: S3Bucket, upload: MultipartUpload, id: UploadTarget): Promise<SentPart[]> {
  const { key, reader, retry, signal } = upload;
  const done: SentPart[] = [];
  const size = partSize(reader.size, bucket.limits.partSize, MAX_PARTS);
  await inParts(reader, { size, atOnce: bucket.limits.partsAtOnce, signal }, async (PartNumber, Body, stop) => {
    const call: RemoteCall = { doing: 'storing', key, signal: stop, bytes: Body.byteLength };
    const { ETag } = await retrying(retry, `part ${PartNumber} of ${key}`, stop, () =>
      bucket.explained(call, (abortSignal) =>
        bucket.client.send(new bucket.sdk.UploadPartCommand({ ...id, PartNumber, Body, ContentMD5: contentMd5(Body) }), {
          abortSignal,
        }),
      ),
    );
    done.push({ PartNumber, ETag });
  });
  return done.sort((a, b) => a.PartNumber - b.PartNumber);
}

/** Best effort, once and after each of these pauses: what stays is removed by the lifecycle rule that docs/vaults.md asks for. */
async function abort(bucket: S3Bucket, id: UploadTarget, again: readonly number[]): Promise<void> {
  for (const pause of [0, ...again]) {
    if (pause > 0) await sleep(pause);
    try {
      await bucket.call({ doing: 'storing', signal: undefined, answerMs: ABORT_MS }, (abortSignal) =>
        bucket.client.send(new bucket.sdk.AbortMultipartUploadCommand(id), { abortSignal }),
      );
    } catch {
      // The upload failed for a reason of its own, and that is what the caller is told.
    }
  }
}
