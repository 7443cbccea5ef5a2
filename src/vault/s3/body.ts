import type { Readable } from 'node:stream';
import { endedEarly } from '../errors.ts';
import type { BucketCall, S3Bucket } from './bucket.ts';
import { withCleanup } from '../streams.ts';

/** A body that is to be read. */
export interface BodyToRead extends BucketCall {
  /** Bytes announced. */
  readonly length: number;
  /** For the next byte to come while one is waited for. A slow consumer is no failure. */
  readonly idleMs: number;
}

/**
 * The bytes of an answer's body. Fails with `LB_VAULT_UNAVAILABLE` when it breaks off, ends early or stalls, and
 * with the signal's reason when that fires. The connection is given up when the consumer leaves early.
 */
export function readBody(bucket: S3Bucket, body: Readable, wanted: BodyToRead): AsyncIterable<Uint8Array> {
  // A connection may break before anybody reads; the reader is told when it comes.
  body.on('error', () => {});
  return withCleanup(readParts(bucket, body, wanted), async () => {
    body.destroy();
  });
}

async function* readParts(
  bucket: S3Bucket,
  body: Readable,
  wanted: BodyToRead,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { key = '', length, idleMs, signal } = wanted;
  let waiting = true;
  let stalled = false;
  const timer = setTimeout(() => {
    if (!waiting) return;
    stalled = true;
    body.destroy();
  }, idleMs);
  const onAbort = (): void => {
    body.destroy();
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  let received = 0;
  try {
    signal?.throwIfAborted();
    for await (const part of body as AsyncIterable<Uint8Array>) {
      waiting = false;
      received += part.byteLength;
      yield part;
      waiting = true;
      timer.refresh();
    }
    signal?.throwIfAborted();
    if (received !== length) throw endedEarly(bucket.vault, key, received, length);
  } catch (error) {
    if (stalled) throw bucket.tooSlow(wanted, idleMs);
    throw await bucket.explain(error, wanted);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    body.destroy();
  }
}
