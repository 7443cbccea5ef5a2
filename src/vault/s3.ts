import { Readable } from 'node:stream';
import { isLifeboatError } from '../core/errors.ts';
import { DEFAULT_RETRY } from './backoff.ts';
import { readBody } from './body.ts';
import type { RetryPolicy } from './backoff.ts';
import type { S3VaultConfig } from './config.ts';
import { checkKey, checkPrefix, lockUnsupported, objectMissing, VaultError } from './errors.ts';
import { DEFAULT_LIMITS } from './remote.ts';
import type { RemoteCall, RemoteLimits } from './remote.ts';
import { isAnswerTo, rangeHeader } from './range.ts';
import { S3Bucket } from './s3/bucket.ts';
import { configureClient } from './s3/client.ts';
import { answerOf } from './s3/errors.ts';
import { deleteObject, uncoverFirst } from './s3/delete.ts';
import { contentMd5 } from './md5.ts';
import { listInOrder } from './s3/list.ts';
import type { FolderPage, ReadFolderPage } from './s3/list.ts';
import { lockParameters, retainFirstVersion, retentionOf } from './s3/lock.ts';
import type { LockParameters, S3LockMode } from './s3/lock.ts';
import { storeInParts } from './s3/multipart.ts';
import { firstVersion, readFirstVersions, versionParameter } from './s3/versions.ts';
import type { S3Version } from './s3/versions.ts';
import { BodyReader, collect, empty } from './streams.ts';
import { KEY_PATTERN } from './vault.ts';
import type {
  CallOptions,
  GetOptions,
  ListOptions,
  ObjectInfo,
  PutOptions,
  PutOutcome,
  ReadOptions,
  Vault,
  VaultBody,
  VaultObject,
} from './vault.ts';

/** What opening an S3 vault can be told beside its configuration. */
export interface S3VaultOptions {
  readonly limits?: Partial<RemoteLimits>;
  /** How the parts of a large upload are tried again. Whole calls are not: that is the retry decorator's work. */
  readonly partRetry?: RetryPolicy;
  /** Where credentials are looked up that `credentials` names. Default: this process's environment. */
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Bodies above this are sent only after a look whether the object exists: it saves the transfer, and some servers
 * refuse such a body by closing the connection before it is sent, so that their answer is lost.
 */
const LOOK_FIRST = 1024 * 1024;

/** Objects up to this many parts' sizes are sent whole, which takes one call instead of four. */
const WHOLE_PARTS = 2;

/**
 * Opens a bucket, or a prefix of it, as a vault. Sends nothing: a bucket that is missing or refuses the credentials
 * shows at the first call. Throws `LB_VAULT_ACCESS` when a credential that is named is not set.
 */
export async function openS3Vault(config: S3VaultConfig, options: S3VaultOptions = {}): Promise<Vault> {
  const configured = await configureClient(config, options.env ?? process.env);
  const prefix = config.prefix === undefined ? '' : `${config.prefix}/`;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const bucket = new S3Bucket(config.name, config.bucket, prefix, configured, limits);
  const host = config.endpoint === undefined ? 's3:/' : config.endpoint.replace(/\/$/, '');
  const lockMode = config.lock === true ? (config.lockMode === 'governance' ? 'GOVERNANCE' : 'COMPLIANCE') : undefined;
  const location = `s3 ${withoutUserInfo(host)}/${config.bucket}${config.prefix === undefined ? '' : `/${config.prefix}`}`;
  return new S3Vault(config.name, location, bucket, { lockMode, partRetry: options.partRetry ?? DEFAULT_RETRY });
}

interface S3VaultSettings {
  /** How objects are locked; undefined when they are not. */
  readonly lockMode: S3LockMode | undefined;
  readonly partRetry: RetryPolicy;
}

class S3Vault implements Vault {
  readonly name: string;
  readonly location: string;
  readonly locks: boolean;
  readonly #bucket: S3Bucket;
  readonly #settings: S3VaultSettings;
  readonly #cleanups = new Set<Promise<void>>();

  constructor(name: string, location: string, bucket: S3Bucket, settings: S3VaultSettings) {
    this.name = name;
    this.location = location;
    this.locks = settings.lockMode !== undefined;
    this.#bucket = bucket;
    this.#settings = settings;
  }

  async put(key: string, body: VaultBody, { signal, retainUntil }: PutOptions = {}): Promise<PutOutcome> {
    checkKey(this.name, key);
    const lock = this.#lockFor(key, retainUntil);
    const reader = new BodyReader(body, signal);
    const doing = lock.ObjectLockMode === undefined ? 'storing' : 'storing and locking';
    const call: RemoteCall = { doing, key, signal, bytes: reader.size };
    try {
      if (reader.size > LOOK_FIRST && (await this.#isThere(key, signal))) return 'exists';
      if (reader.size > WHOLE_PARTS * this.#bucket.limits.partSize) await this.#putInParts(key, reader, lock, signal);
      else await this.#putWhole(key, body instanceof Uint8Array ? body : await collect(reader.parts(), reader.size), lock, call);
      return 'created';
    } catch (error) {
      if (reader.failure !== undefined) throw reader.failure.error;
      if (answerOf(error).status === 412) return 'exists';
      throw await this.#bucket.explain(error, call);
    }
  }

  async get(key: string, options: GetOptions = {}): Promise<VaultObject> {
    checkKey(this.name, key);
    const { signal } = options;
    const call: RemoteCall = { doing: 'reading', key, signal };
    try {
      const version = options.original === true ? await this.#genuine(key, signal) : undefined;
      const range = await rangeHeader(options, async () => version?.size ?? (await this.#sizeOf(key, signal)));
      if (range === 'nothing') return { length: 0, body: empty() };
      return await this.#getRange(range, version, call);
    } catch (error) {
      // The range begins at or after the end; so the object exists.
      if (answerOf(error).status === 416) return { length: 0, body: empty() };
      throw await this.#bucket.explain(error, call);
    }
  }

  async head(key: string, { signal, original }: ReadOptions = {}): Promise<ObjectInfo | undefined> {
    checkKey(this.name, key);
    try {
      const first = original === true ? await this.#genuine(key, signal) : undefined;
      const version = first === undefined ? {} : versionParameter(first);
      const found = await this.#look(key, version, signal);
      if (found === undefined) return undefined;
      const info = { key, size: found.size, ...(first?.isLatest === false && { shadowed: true as const }) };
      if (!this.locks) return info;
      // Not every store tells of the lock of a version that is asked for.
      const until = found.until ?? (await retentionOf(this.#bucket, key, version, signal))?.until;
      return until === undefined ? info : { ...info, retainUntil: until };
    } catch (error) {
      if (isLifeboatError(error, 'LB_VAULT_OBJECT_MISSING')) return undefined;
      throw error;
    }
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<ObjectInfo, void, undefined> {
    checkPrefix(this.name, prefix);
    const { startAfter = '', signal, original } = options;
    // Nothing with the prefix comes after a key that is beyond all of them.
    if (startAfter > prefix && !startAfter.startsWith(prefix)) return;
    const call: RemoteCall = { doing: 'listing', signal };
    let last = '';
    const readPage: ReadFolderPage =
      original === true
        ? (folder, { next }) => readFirstVersions(this.#bucket, folder, next, call)
        : (folder, from) => this.#listPage(folder, from, call);
    for await (const info of listInOrder(readPage, prefix, startAfter)) {
      if (info.key <= last) throw this.#outOfOrder(info.key);
      last = info.key;
      yield info;
    }
  }

  async retain(key: string, until: Date, { signal }: CallOptions = {}): Promise<void> {
    checkKey(this.name, key);
    const { lockMode } = this.#settings;
    if (lockMode === undefined) throw lockUnsupported(this.name, key);
    await retainFirstVersion(this.#bucket, key, { mode: lockMode, until }, signal);
  }

  async delete(key: string, { signal }: CallOptions = {}): Promise<void> {
    checkKey(this.name, key);
    await deleteObject(this.#bucket, key, this.locks, signal);
  }

  async uncover(key: string, { signal }: CallOptions = {}): Promise<number> {
    checkKey(this.name, key);
    return uncoverFirst(this.#bucket, key, signal);
  }

  async close(): Promise<void> {
    await Promise.all(this.#cleanups);
    this.#bucket.client.destroy();
  }

  #lockFor(key: string, until: Date | undefined): LockParameters {
    const { lockMode } = this.#settings;
    if (until === undefined) return {};
    if (lockMode === undefined) throw lockUnsupported(this.name, key);
    return lockParameters(lockMode, until);
  }

  /** The version of an object that was stored first. Throws `LB_VAULT_OBJECT_MISSING`. */
  async #genuine(key: string, signal: AbortSignal | undefined): Promise<S3Version & { readonly size: number }> {
    const version = await firstVersion(this.#bucket, key, signal);
    if (version === undefined) throw objectMissing(this.name, key);
    return version;
  }

  async #putWhole(key: string, Body: Uint8Array, lock: LockParameters, call: RemoteCall): Promise<void> {
    const { bucket, client, sdk } = this.#bucket;
    const Key = this.#bucket.fullKey(key);
    const answer = await this.#bucket.call(call, (abortSignal) =>
      client.send(new sdk.PutObjectCommand({ Bucket: bucket, Key, Body, ContentMD5: contentMd5(Body), IfNoneMatch: '*', ...lock }), {
        abortSignal,
      }),
    );
    // Something else than a store may have answered 200 to it: a login page, a proxy's error page.
    if (answer.ETag === undefined) throw this.#bucket.notAStore(call);
  }

  async #putInParts(key: string, reader: BodyReader, lock: LockParameters, signal: AbortSignal | undefined): Promise<void> {
    const inBackground = (cleanup: Promise<void>): void => {
      this.#cleanups.add(cleanup);
      void cleanup.finally(() => this.#cleanups.delete(cleanup));
    };
    await storeInParts(this.#bucket, { key, reader, signal, lock, retry: this.#settings.partRetry, inBackground });
  }

  /** Whether the object exists, as far as it may be known: a writer need not have the right to read. */
  async #isThere(key: string, signal: AbortSignal | undefined): Promise<boolean> {
    try {
      return (await this.#look(key, {}, signal)) !== undefined;
    } catch (error) {
      if (isLifeboatError(error, 'LB_VAULT_ACCESS')) return false;
      throw error;
    }
  }

  /** An object, or a version of one, as HEAD shows it; undefined when there is none. Rejects with vault errors. */
  async #look(
    key: string,
    version: { readonly VersionId?: string },
    signal: AbortSignal | undefined,
  ): Promise<{ readonly size: number; readonly until: Date | undefined } | undefined> {
    const call: RemoteCall = { doing: 'finding', key, signal };
    const { bucket, client, sdk } = this.#bucket;
    const input = { Bucket: bucket, Key: this.#bucket.fullKey(key), ...version };
    try {
      const answer = await this.#bucket.explained(call, (abortSignal) => client.send(new sdk.HeadObjectCommand(input), { abortSignal }));
      if (answer.ETag === undefined || answer.ContentLength === undefined) throw this.#bucket.notAStore(call);
      return { size: answer.ContentLength, until: answer.ObjectLockRetainUntilDate };
    } catch (error) {
      if (isLifeboatError(error, 'LB_VAULT_OBJECT_MISSING')) return undefined;
      throw error;
    }
  }

  async #sizeOf(key: string, signal: AbortSignal | undefined): Promise<number> {
    const found = await this.#look(key, {}, signal);
    if (found === undefined) throw objectMissing(this.name, key);
    return found.size;
  }

  async #getRange(range: string | undefined, version: S3Version | undefined, call: RemoteCall): Promise<VaultObject> {
    const { bucket, client, sdk, limits } = this.#bucket;
    const input = { Bucket: bucket, Key: this.#bucket.fullKey(call.key ?? ''), ...(range === undefined ? {} : { Range: range }), ...(version === undefined ? {} : versionParameter(version)) };
    const answer = await this.#bucket.call(call, (abortSignal) =>
      client.send(new sdk.GetObjectCommand(input), { abortSignal }),
    );
    const { Body, ContentLength, ETag } = answer;
    if (!(Body instanceof Readable) || ContentLength === undefined || ETag === undefined || !isAnswerTo(range, { length: ContentLength, range: answer.ContentRange })) {
      if (Body instanceof Readable) Body.destroy();
      throw this.#bucket.notAStore(call);
    }
    const body = readBody(this.#bucket, Body, { ...call, length: ContentLength, idleMs: limits.idleMs });
    return { length: ContentLength, body };
  }

  async #listPage(prefix: string, from: { startAfter?: string; next?: string }, call: RemoteCall): Promise<FolderPage> {
    const { bucket, client, sdk } = this.#bucket;
    const input = {
      Bucket: bucket,
      Prefix: this.#bucket.fullKey(prefix),
      Delimiter: '/',
      ...(from.startAfter === undefined ? {} : { StartAfter: this.#bucket.fullKey(from.startAfter) }),
      ...(from.next === undefined ? {} : { ContinuationToken: from.next }),
    };
    try {
      const page = await this.#bucket.call(call, (abortSignal) =>
        client.send(new sdk.ListObjectsV2Command(input), { abortSignal }),
      );
      if (page.Name === undefined && page.KeyCount === undefined) throw this.#bucket.notAStore(call);
      const files = (page.Contents ?? []).map(({ Key = '', Size = 0 }) => ({ key: this.#bucket.ownKey(Key), size: Size }));
      const folders = (page.CommonPrefixes ?? []).map(({ Prefix = '' }) => this.#bucket.ownKey(Prefix));
      return {
        files: files.filter(({ key }) => KEY_PATTERN.test(key)),
        folders: folders.filter((folder) => KEY_PATTERN.test(folder.slice(0, -1))),
        next: page.IsTruncated === true ? page.NextContinuationToken : undefined,
      };
    } catch (error) {
      throw await this.#bucket.explain(error, call);
    }
  }

  #outOfOrder(key: string): VaultError {
    const message = `The store does not list objects in the order of their names (at ${key})`;
    const hint = 'Use another store: an S3 directory bucket, for one, has no order.';
    return new VaultError('LB_VAULT_UNSUPPORTED', this.name, message, { hint });
  }
}

function withoutUserInfo(url: string): string {
  return url.replace(/^(https?:\/\/)[^/@]*@/, '$1');
}
