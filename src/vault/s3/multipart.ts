import { retrying } from '../backoff.ts';
import type { RetryPolicy } from '../backoff.ts';
import type { BucketCall, S3Bucket } from './bucket.ts';
import type { LockParameters } from './lock.ts';
import { contentMd5 } from './md5.ts';
import type { BodyReader } from '../streams.ts';

/** S3's own bound (S3 user guide, "Multipart upload limits"). */
const MAX_PARTS = 10_000;
const MIB = 1024 * 1024;
/** Putting many parts together can take S3 minutes (API reference, CompleteMultipartUpload). */
const COMPLETE_MS = 300_000;
const ABORT_MS = 10_000;

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
  const call: BucketCall = { doing: upload.lock.ObjectLockMode === undefined ? 'storing' : 'storing and locking', key, signal };
  const begun = await retrying(retry, `begin ${key}`, signal, () =>
    explained(bucket, call, () =>
      bucket.call(call, (abortSignal) =>
        bucket.client.send(new bucket.sdk.CreateMultipartUploadCommand({ ...target, ...upload.lock }), { abortSignal }),
      ),
    ),
  );
  const { UploadId } = begun;
  if (UploadId === undefined) throw bucket.notAStore(call);
  const id = { ...target, UploadId };
  try {
    const parts = await sendParts(bucket, upload, id);
    const { ETag } = await bucket.call({ ...call, answerMs: COMPLETE_MS }, (abortSignal) =>
      bucket.client.send(
        new bucket.sdk.CompleteMultipartUploadCommand({ ...id, MultipartUpload: { Parts: parts }, IfNoneMatch: '*' }),
        { abortSignal },
      ),
    );
    if (ETag === undefined) throw bucket.notAStore(call);
  } catch (error) {
    const cleanup = abort(bucket, id);
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

async function sendParts(bucket: S3Bucket, upload: MultipartUpload, id: UploadTarget): Promise<SentPart[]> {
  const { key, reader, retry } = upload;
  const stop = new AbortController();
  const signal = upload.signal === undefined ? stop.signal : AbortSignal.any([upload.signal, stop.signal]);
  const done: SentPart[] = [];
  const underWay = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;

  const send = async (PartNumber: number, Body: Uint8Array): Promise<void> => {
    const call: BucketCall = { doing: 'storing', key, signal, bytes: Body.byteLength };
    const { ETag } = await retrying(retry, `part ${PartNumber} of ${key}`, signal, () =>
      explained(bucket, call, () =>
        bucket.call(call, (abortSignal) =>
          bucket.client.send(new bucket.sdk.UploadPartCommand({ ...id, PartNumber, Body, ContentMD5: contentMd5(Body) }), {
            abortSignal,
          }),
        ),
      ),
    );
    done.push({ PartNumber, ETag });
  };
  const begin = (part: Uint8Array, number: number): void => {
    const sending = send(number, part)
      .catch((error: unknown) => {
        failure ??= { error };
        stop.abort(error);
      })
      .finally(() => underWay.delete(sending));
    underWay.add(sending);
  };

  try {
    let number = 0;
    for await (const part of inPartsOf(partSize(reader.size, bucket.limits.partSize), reader)) {
      begin(part, (number += 1));
      if (underWay.size >= bucket.limits.partsAtOnce) await Promise.race(underWay);
      if (failure !== undefined) break;
    }
    await Promise.all(underWay);
  } catch (error) {
    failure ??= { error };
  }
  if (failure !== undefined) {
    stop.abort(failure.error);
    await Promise.all(underWay);
    throw failure.error;
  }
  return done.sort((a, b) => a.PartNumber - b.PartNumber);
}

/** Failures must be vault errors before it can be decided whether to try again. */
async function explained<T>(bucket: S3Bucket, call: BucketCall, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw await bucket.explain(error, call);
  }
}

/** Parts of the usual size, unless the object would need more of them than S3 allows. */
function partSize(size: number, usual: number): number {
  return Math.max(usual, Math.ceil(size / MAX_PARTS / MIB) * MIB);
}

/** The body cut into buffers of `size` bytes (the last one may be smaller). */
async function* inPartsOf(size: number, reader: BodyReader): AsyncGenerator<Uint8Array, void, undefined> {
  let left = reader.size;
  let buffer = Buffer.allocUnsafeSlow(Math.min(size, left));
  let filled = 0;
  for await (const bytes of reader.parts()) {
    let at = 0;
    while (at < bytes.byteLength) {
      const taken = bytes.subarray(at, at + buffer.length - filled);
      buffer.set(taken, filled);
      filled += taken.byteLength;
      at += taken.byteLength;
      if (filled < buffer.length) continue;
      yield buffer;
      left -= filled;
      buffer = Buffer.allocUnsafeSlow(Math.min(size, left));
      filled = 0;
    }
  }
}

/** Best effort: what stays is removed by the lifecycle rule that docs/vaults.md asks for. */
async function abort(bucket: S3Bucket, id: UploadTarget): Promise<void> {
  try {
    await bucket.call({ doing: 'storing', signal: undefined, answerMs: ABORT_MS }, (abortSignal) =>
      bucket.client.send(new bucket.sdk.AbortMultipartUploadCommand(id), { abortSignal }),
    );
  } catch {
    // The upload failed for a reason of its own, and that is what the caller is told.
  }
}
