import { isLifeboatError } from '../../core/errors.ts';
import { retrying } from '../backoff.ts';
import type { RetryPolicy } from '../backoff.ts';
import { VaultError } from '../errors.ts';
import { inParts } from '../parts.ts';
import type { RemoteCall } from '../remote.ts';
import type { BodyReader } from '../streams.ts';
import type { PutOutcome } from '../vault.ts';
import type { GcsBucket } from './bucket.ts';
import { newChecksum } from './checksum.ts';
import type { GcsAnswer } from './client.ts';
import { GcsRefusal } from './errors.ts';
import { checkStored, CREATE, description, unlessThere } from './upload.ts';
import type { GcsRetention } from './upload.ts';

/** "Resume Incomplete": Google's own use of this status (resumable uploads guide). */
const INCOMPLETE = 308;
const ABORT_MS = 10_000;
/** All parts but the last must be multiples of it (resumable uploads guide). */
const PART_UNIT = 256 * 1024;
/** One is sent while the next one is read. */
const PARTS_HELD = 2;

/** An upload in parts. */
export interface ResumableUpload {
  readonly key: string;
  readonly reader: BodyReader;
  readonly signal: AbortSignal | undefined;
  readonly retention: GcsRetention | undefined;
  /** How single parts are tried again: losing one must not cost all others. */
  readonly retry: RetryPolicy;
  /** Given the removal of a failed upload when nobody waits for it, so that `close` can. */
  readonly inBackground: (cleanup: Promise<void>) => void;
}

/**
 * Stores a large object by a resumable upload: parts are sent one after the other, and after a failure from where Google
 * has got to. The object appears when the last part is there, unless one exists by then. A failed upload is aborted.
 * Rejects with what `GcsBucket.send` does, vault errors, or the caller's reason.
 */
export async function storeInParts(bucket: GcsBucket, upload: ResumableUpload): Promise<PutOutcome> {
  return unlessThere(async () => {
    const { key, signal } = upload;
    const session = new Session(bucket, upload, await begin(bucket, upload));
    try {
      await session.sendAll();
    } catch (error) {
      const cleanup = session.abort();
      if (signal?.aborted === true) upload.inBackground(cleanup);
      else await cleanup;
      throw error instanceof SessionLost ? lost(bucket.vault, key) : error;
    }
  });
}

/** Begins an upload, and gives its address: whoever knows it can go on with it, so it is never shown. */
async function begin(bucket: GcsBucket, { key, reader, signal, retention, retry }: ResumableUpload): Promise<string> {
  const call: RemoteCall = { doing: retention === undefined ? 'storing' : 'storing and locking', key, signal };
  const request = {
    method: 'POST',
    url: bucket.uploadPath(),
    params: { uploadType: 'resumable', name: bucket.fullKey(key), ...CREATE },
    headers: { 'Content-Type': 'application/json; charset=UTF-8', 'X-Upload-Content-Length': String(reader.size) },
    body: Buffer.from(JSON.stringify(description(bucket, key, retention))),
  } as const;
  const { headers } = await retrying(retry, `begin ${key}`, signal, () => send(bucket, call, request));
  const { location } = headers;
  if (location === undefined) throw bucket.notAStore(call);
  return location;
}

class SessionLost extends Error {}

class Session {
  readonly #bucket: GcsBucket;
  readonly #upload: ResumableUpload;
  readonly #url: string;
  readonly #checksum;

  constructor(bucket: GcsBucket, upload: ResumableUpload, url: string) {
    this.#bucket = bucket;
    this.#upload = upload;
    this.#url = url;
    this.#checksum = newChecksum(bucket.client);
  }

  async sendAll(): Promise<void> {
    const { reader, signal } = this.#upload;
    const size = Math.ceil(this.#bucket.limits.partSize / PART_UNIT) * PART_UNIT;
    let last: Promise<unknown> = Promise.resolve();
    await inParts(reader, { size, atOnce: PARTS_HELD, signal }, (number, part, stop) => {
      const sending = last.then(() => this.#sendPart(part, (number - 1) * size, stop));
      last = sending;
      return sending;
    });
  }

  /** Best effort: Google forgets an upload that nobody goes on with after a week. */
  async abort(): Promise<void> {
    const call: RemoteCall = { doing: 'storing', signal: undefined, answerMs: ABORT_MS };
    await this.#bucket.send(call, { method: 'DELETE', url: this.#url }).catch(() => {});
  }

  async #sendPart(part: Uint8Array, offset: number, signal: AbortSignal): Promise<void> {
    const { key, reader, retry } = this.#upload;
    this.#checksum.update(part);
    const end = offset + part.byteLength;
    const sum = end === reader.size ? this.#checksum.value() : undefined;
    const call = { doing: 'storing', key, signal, bytes: part.byteLength } as const;
    let at = offset;
    const answer = await retrying(retry, `part at ${offset} of ${key}`, signal, async (failures) => {
      let state = failures === 0 ? undefined : await this.#ask(call);
      for (;;) {
        if (state !== undefined) {
          if (state.status !== INCOMPLETE) return state;
          at = reached(state);
          if (at < offset || at > end) throw new SessionLost('other bytes have arrived than were sent');
          if (at === end) return state;
        }
        const before = at;
        state = await this.#put(call, part.subarray(at - offset), at, sum);
        if (state.status === INCOMPLETE && reached(state) <= before) throw nothingTaken(this.#bucket.vault, key);
      }
    });
    if (sum === undefined && answer.status === INCOMPLETE) return;
    if (answer.status === INCOMPLETE) throw new SessionLost('all bytes have arrived, and there is no object');
    // It is also checked when there is an object before all of it was sent: such a one must go.
    await checkStored(this.#bucket, answer, { size: reader.size, sum: sum ?? this.#checksum.value() }, call);
  }

  /** Sends bytes that begin at `at` of the object. */
  async #put(call: RemoteCall, bytes: Uint8Array, at: number, sum: ReturnType<ReturnType<typeof newChecksum>['value']> | undefined): Promise<GcsAnswer> {
    const total = this.#upload.reader.size;
    const headers = {
      'Content-Type': 'application/octet-stream',
      'Content-Range': `bytes ${at}-${at + bytes.byteLength - 1}/${total}`,
      ...(sum === undefined ? {} : { 'X-Goog-Hash': 'md5Hash' in sum ? `md5=${sum.md5Hash}` : `crc32c=${sum.crc32c}` }),
    };
    return this.#send(call, { method: 'PUT', url: this.#url, headers, body: bytes });
  }

  /** Asks how far Google has got: what was sent last may or may not have arrived. */
  async #ask(call: RemoteCall): Promise<GcsAnswer> {
    const headers = { 'Content-Range': `bytes */${this.#upload.reader.size}` };
    return this.#send({ ...call, bytes: 0 }, { method: 'PUT', url: this.#url, headers });
  }

  async #send(call: RemoteCall, request: Parameters<GcsBucket['send']>[1]): Promise<GcsAnswer> {
    try {
      return await send(this.#bucket, call, request, [INCOMPLETE]);
    } catch (error) {
      if (isLifeboatError(error, 'LB_VAULT_NOT_FOUND')) throw new SessionLost('the upload is not known any more');
      throw error;
    }
  }
}

/** Failures must be vault errors before it can be decided whether to try again; that an object is there is none. */
async function send(bucket: GcsBucket, call: RemoteCall, request: Parameters<GcsBucket['send']>[1], also: readonly number[] = []): Promise<GcsAnswer> {
  try {
    return await bucket.send(call, request, also);
  } catch (error) {
    if (error instanceof GcsRefusal && error.status === 412) throw error;
    throw await bucket.explain(error, call);
  }
}

/** Bytes that have arrived, from the beginning: `Range: bytes=0-41` means 42 of them. */
function reached({ headers }: GcsAnswer): number {
  const range = /^bytes=0-([0-9]+)$/.exec(headers['range'] ?? '');
  return range === null ? 0 : Number(range[1]) + 1;
}

function nothingTaken(vault: string, key: string): VaultError {
  return new VaultError('LB_VAULT_UNAVAILABLE', vault, `The store took nothing of a part of ${key}`, { key });
}

function lost(vault: string, key: string): VaultError {
  return new VaultError('LB_VAULT_UNAVAILABLE', vault, `The store has lost what it had of ${key}`, { key });
}
