import { createHash, getFips, randomBytes } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { retrying } from '../backoff.ts';
import type { RetryPolicy } from '../backoff.ts';
import { VaultError } from '../errors.ts';
import { inParts, partSize } from '../parts.ts';
import type { RemoteCall } from '../remote.ts';
import type { BodyReader } from '../streams.ts';
import type { AzureContainer } from './container.ts';

/** Azure's own bound ("Scalability and performance targets for Blob storage"). */
const MAX_BLOCKS = 50_000;
/** Putting many blocks together can take a while. */
const COMMIT_MS = 300_000;

/** What locks an object that is stored. */
export interface AzurePolicy {
  readonly expiriesOn: Date;
  readonly policyMode: 'Locked' | 'Unlocked';
}

const CREATE = { ifNoneMatch: '*' };

/** Stores an object with one request, unless there is one: that is an error of the SDK, which `saysItExists` knows. */
export async function storeWhole(
  container: AzureContainer,
  bytes: Uint8Array,
  policy: AzurePolicy | undefined,
  call: RemoteCall & { readonly key: string },
): Promise<void> {
  const md5 = getFips() === 1 ? undefined : createHash('md5').update(bytes).digest();
  const answer = await container.call(call, (abortSignal) =>
    container.blob(call.key).upload(bytes, bytes.byteLength, {
      abortSignal,
      conditions: CREATE,
      // Azure compares what has arrived with it (Put Blob, "x-ms-blob-content-md5"), and gives it back to readers.
      ...(md5 === undefined ? {} : { blobHTTPHeaders: { blobContentMD5: md5 } }),
      ...(policy === undefined ? {} : { immutabilityPolicy: policy }),
    }),
  );
  checkAnswer(container, answer, md5, call);
}

/**
 * Stores a large object with one request, as it is read: for credentials that may create objects but not send blocks. When it
 * breaks off, all of it is to be sent again. Rejects as `storeWhole` does.
 */
export async function storeStreamed(
  container: AzureContainer,
  reader: BodyReader,
  policy: AzurePolicy | undefined,
  call: RemoteCall & { readonly key: string },
): Promise<void> {
  const hash = getFips() === 1 ? undefined : createHash('md5');
  const stop = new AbortController();
  const signal = call.signal === undefined ? stop.signal : AbortSignal.any([call.signal, stop.signal]);
  const body = Readable.from(hashed(reader, hash), { objectMode: false });
  // The SDK does not look at the body's failures.
  body.once('error', (error) => stop.abort(error));
  try {
    const answer = await container.call({ ...call, signal }, (abortSignal) =>
      container.blob(call.key).upload(() => body, reader.size, {
        abortSignal,
        conditions: CREATE,
        ...(policy === undefined ? {} : { immutabilityPolicy: policy }),
      }),
    );
    checkAnswer(container, answer, hash?.digest(), call);
  } finally {
    body.destroy();
  }
}

async function* hashed(reader: BodyReader, hash: Hash | undefined): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const part of reader.parts()) {
    hash?.update(part);
    yield part;
  }
}

function checkAnswer(
  container: AzureContainer,
  answer: { readonly etag?: string; readonly contentMD5?: Uint8Array },
  md5: Buffer | undefined,
  call: RemoteCall & { readonly key: string },
): void {
  // Something else than a store may have answered 201.
  if (answer.etag === undefined) throw container.notAStore(call);
  if (md5 === undefined || answer.contentMD5 === undefined || Buffer.compare(answer.contentMD5, md5) === 0) return;
  throw new VaultError('LB_VAULT_UNAVAILABLE', container.vault, `${call.key} was garbled on its way to the store`, { key: call.key });
}

/** An upload in blocks. */
export interface BlockUpload {
  readonly key: string;
  readonly reader: BodyReader;
  readonly signal: AbortSignal | undefined;
  readonly policy: AzurePolicy | undefined;
  /** How single blocks are tried again: losing one must not cost all others. */
  readonly retry: RetryPolicy;
}

/**
 * Stores a large object: blocks are read one after the other and sent a few at a time, each held in memory whole. The object
 * appears when the last call succeeds, unless one exists by then. Blocks of an upload that fails are visible to nobody, and Azure
 * removes them after a week; there is no call for it. Rejects with what the SDK throws, vault errors, or the caller's reason.
 */
export async function storeInBlocks(container: AzureContainer, upload: BlockUpload): Promise<void> {
  const { key, reader, signal, retry, policy } = upload;
  const blob = container.blob(key);
  // Ids of all blocks of one name must be of one length, and must not meet those of another writer.
  const own = randomBytes(9).toString('hex');
  const ids: string[] = [];
  const whole = getFips() === 1 ? undefined : createHash('md5');
  const size = partSize(reader.size, container.limits.partSize, MAX_BLOCKS);
  await inParts(reader, { size, atOnce: container.limits.partsAtOnce, signal }, async (number, part, stop) => {
    const id = Buffer.from(`${own}-${String(number).padStart(6, '0')}`).toString('base64');
    ids.push(id);
    whole?.update(part);
    const call: RemoteCall = { doing: 'storing', key, signal: stop, bytes: part.byteLength };
    const md5 = whole === undefined ? {} : { transactionalContentMD5: createHash('md5').update(part).digest() };
    await retrying(retry, `block ${number} of ${key}`, stop, () =>
      container.explained(call, (abortSignal) => blob.stageBlock(id, part, part.byteLength, { abortSignal, ...md5 })),
    );
  });
  const call: RemoteCall = { doing: policy === undefined ? 'storing' : 'storing and locking', key, signal, answerMs: COMMIT_MS };
  const { etag } = await container.call(call, (abortSignal) =>
    blob.commitBlockList(ids, {
      abortSignal,
      conditions: CREATE,
      ...(whole === undefined ? {} : { blobHTTPHeaders: { blobContentMD5: whole.digest() } }),
      ...(policy === undefined ? {} : { immutabilityPolicy: policy }),
    }),
  );
  if (etag === undefined) throw container.notAStore(call);
}
