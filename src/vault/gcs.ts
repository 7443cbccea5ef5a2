import { Readable } from 'node:stream';
import { isLifeboatError } from '../core/errors.ts';
import { DEFAULT_RETRY } from './backoff.ts';
import type { RetryPolicy } from './backoff.ts';
import { readBody } from './body.ts';
import type { GcsVaultConfig } from './config.ts';
import { checkKey, checkPrefix, lockUnsupported, objectMissing } from './errors.ts';
import { GcsBucket } from './gcs/bucket.ts';
import { checksumFrom } from './gcs/checksum.ts';
import { configureClient } from './gcs/client.ts';
import { deleteObject, uncoverFirst } from './gcs/delete.ts';
import { GcsRefusal } from './gcs/errors.ts';
import { retainFirstVersion, retentionUntil } from './gcs/lock.ts';
import { OBJECT_FIELDS, objectSchema } from './gcs/metadata.ts';
import type { GcsLockMode, GcsObject } from './gcs/metadata.ts';
import { storeInParts } from './gcs/resumable.ts';
import { storeWhole } from './gcs/upload.ts';
import type { GcsRetention } from './gcs/upload.ts';
import { byObject, isShadowed, objectsOf, versionsOf } from './gcs/versions.ts';
import { isAnswerTo, rangeHeader } from './range.ts';
import { DEFAULT_LIMITS } from './remote.ts';
import type { RemoteCall, RemoteLimits } from './remote.ts';
import { BodyReader, collect, empty } from './streams.ts';
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

/** What opening a GCS vault can be told beside its configuration. */
export interface GcsVaultOptions {
  readonly limits?: Partial<RemoteLimits>;
  /** How the parts of a large upload are tried again. Whole calls are not: that is the retry decorator's work. */
  readonly partRetry?: RetryPolicy;
  /** Where credentials are looked up that `credentials` names. Default: this process's environment. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Bodies above this are sent only after a look whether the object exists: it saves the transfer. */
const LOOK_FIRST = 1024 * 1024;

/** Objects up to this many parts' sizes are sent whole, which takes one call instead of several. */
const WHOLE_PARTS = 2;

/**
 * Opens a bucket of Google Cloud Storage, or a prefix of it, as a vault. Sends nothing: a bucket that is missing or refuses the
 * credentials shows at the first call. Throws `LB_VAULT_ACCESS` when credentials that are named are not there.
 */
export async function openGcsVault(config: GcsVaultConfig, options: GcsVaultOptions = {}): Promise<Vault> {
  const client = await configureClient(config, options.env ?? process.env);
  const prefix = config.prefix === undefined ? '' : `${config.prefix}/`;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const bucket = new GcsBucket(config.name, config.bucket, prefix, client, limits);
  const place = `${config.endpoint === undefined ? 'gs:/' : client.endpoint}/${config.bucket}`;
  const location = `gcs ${place}${config.prefix === undefined ? '' : `/${config.prefix}`}`;
  const lockMode = config.lock !== true ? undefined : config.lockMode === 'governance' ? 'Unlocked' : 'Locked';
  return new GcsVault(config.name, location, bucket, { lockMode, partRetry: options.partRetry ?? DEFAULT_RETRY });
}

interface GcsVaultSettings {
  /** How objects are locked; undefined when they are not. */
  readonly lockMode: GcsLockMode | undefined;
  readonly partRetry: RetryPolicy;
}

class GcsVault implements Vault {
  readonly name: string;
  readonly location: string;
  readonly locks: boolean;
  readonly #bucket: GcsBucket;
  readonly #settings: GcsVaultSettings;
  readonly #cleanups = new Set<Promise<void>>();

  constructor(name: string, location: string, bucket: GcsBucket, settings: GcsVaultSettings) {
    this.name = name;
    this.location = location;
    this.locks = settings.lockMode !== undefined;
    this.#bucket = bucket;
    this.#settings = settings;
  }

  async put(key: string, body: VaultBody, { signal, retainUntil }: PutOptions = {}): Promise<PutOutcome> {
    checkKey(this.name, key);
    const retention = this.#retentionFor(key, retainUntil);
    const reader = new BodyReader(body, signal);
    const doing = retention === undefined ? 'storing' : 'storing and locking';
    const call = { doing, key, signal, bytes: reader.size } as const;
    try {
      if (reader.size > LOOK_FIRST && (await this.#isThere(key, call))) return 'exists';
      if (reader.size > WHOLE_PARTS * this.#bucket.limits.partSize) {
        const inBackground = this.#inBackground;
        const { partRetry: retry } = this.#settings;
        return await storeInParts(this.#bucket, { key, reader, signal, retention, retry, inBackground });
      }
      const bytes = body instanceof Uint8Array ? body : await collect(reader.parts(), reader.size);
      return await storeWhole(this.#bucket, bytes, retention, call);
    } catch (error) {
      if (reader.failure !== undefined) throw reader.failure.error;
      throw await this.#bucket.explain(error, call);
    }
  }

  async get(key: string, options: GetOptions = {}): Promise<VaultObject> {
    checkKey(this.name, key);
    const { signal, original } = options;
    const call: RemoteCall = { doing: 'reading', key, signal };
    try {
      const first = original === true ? await this.#genuine(key, signal) : undefined;
      const range = await rangeHeader(options, async () => first?.size ?? (await this.#describe(key, signal)).size);
      if (range === 'nothing') return { length: 0, body: empty() };
      return await this.#read(key, range, first, call);
    } catch (error) {
      // The range begins at or after the end; so the object exists.
      if (error instanceof GcsRefusal && error.status === 416) return { length: 0, body: empty() };
      throw await this.#bucket.explain(error, call);
    }
  }

  async head(key: string, { signal, original }: ReadOptions = {}): Promise<ObjectInfo | undefined> {
    checkKey(this.name, key);
    try {
      const versions = original === true ? await this.#versions(key, signal) : ([await this.#describe(key, signal)] as const);
      const [{ size, retention }] = versions;
      const info = { key, size, ...(original === true && isShadowed(versions) && { shadowed: true as const }) };
      return this.locks && retention !== undefined ? { ...info, retainUntil: retention.retainUntilTime } : info;
    } catch (error) {
      const explained = await this.#bucket.explain(error, { doing: 'finding', key, signal });
      if (isLifeboatError(explained, 'LB_VAULT_OBJECT_MISSING')) return undefined;
      throw explained;
    }
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<ObjectInfo, void, undefined> {
    checkPrefix(this.name, prefix);
    const { startAfter = '', signal, original = false } = options;
    const call: RemoteCall = { doing: original ? 'listing the versions of' : 'listing', signal };
    const listing = { prefix, versions: original, ...(startAfter === '' ? {} : { from: startAfter }) };
    const objects = objectsOf(this.#bucket, listing, call);
    if (!original) {
      for await (const { name: key, size } of objects) if (key > startAfter) yield { key, size };
      return;
    }
    for await (const versions of byObject(objects)) {
      const [{ name: key, size }] = versions;
      if (key > startAfter) yield { key, size, ...(isShadowed(versions) && { shadowed: true }) };
    }
  }

  async retain(key: string, until: Date, { signal }: CallOptions = {}): Promise<void> {
    checkKey(this.name, key);
    const { lockMode: mode } = this.#settings;
    if (mode === undefined) throw lockUnsupported(this.name, key);
    await retainFirstVersion(this.#bucket, key, { mode, until }, signal);
  }

  async delete(key: string, { signal }: CallOptions = {}): Promise<void> {
    checkKey(this.name, key);
    await deleteObject(this.#bucket, key, signal);
  }

  async uncover(key: string, { signal }: CallOptions = {}): Promise<number> {
    checkKey(this.name, key);
    return uncoverFirst(this.#bucket, key, signal);
  }

  async close(): Promise<void> {
    await Promise.all(this.#cleanups);
    this.#bucket.client.destroy();
  }

  readonly #inBackground = (cleanup: Promise<void>): void => {
    this.#cleanups.add(cleanup);
    void cleanup.finally(() => this.#cleanups.delete(cleanup));
  };

  #retentionFor(key: string, until: Date | undefined): GcsRetention | undefined {
    const { lockMode } = this.#settings;
    if (until === undefined) return undefined;
    if (lockMode === undefined) throw lockUnsupported(this.name, key);
    return retentionUntil(lockMode, until);
  }

  async #describe(key: string, signal: AbortSignal | undefined): Promise<GcsObject> {
    const call: RemoteCall = { doing: 'finding', key, signal };
    const request = { method: 'GET', url: this.#bucket.path(key), params: { fields: OBJECT_FIELDS } } as const;
    const { data } = await this.#bucket.send(call, request);
    return this.#bucket.checked(objectSchema, data, call);
  }

  /** The version of an object that was stored first. Throws `LB_VAULT_OBJECT_MISSING`. */
  async #genuine(key: string, signal: AbortSignal | undefined): Promise<GcsObject> {
    const [first] = await this.#versions(key, signal);
    return first;
  }

  /** All versions, oldest first. Throws `LB_VAULT_OBJECT_MISSING`. */
  async #versions(key: string, signal: AbortSignal | undefined): Promise<readonly [GcsObject, ...GcsObject[]]> {
    const [first, ...later] = await versionsOf(this.#bucket, key, signal);
    if (first === undefined) throw objectMissing(this.name, key);
    return [first, ...later];
  }

  /** Whether the object exists, as far as it may be known: a writer need not have the right to read. */
  async #isThere(key: string, { signal }: RemoteCall): Promise<boolean> {
    try {
      return (await this.head(key, { signal })) !== undefined;
    } catch (error) {
      if (isLifeboatError(error, 'LB_VAULT_ACCESS')) return false;
      throw error;
    }
  }

  async #read(key: string, range: string | undefined, version: GcsObject | undefined, call: RemoteCall): Promise<VaultObject> {
    const { limits, client } = this.#bucket;
    const answer = await this.#bucket.send(call, {
      method: 'GET',
      url: this.#bucket.path(key),
      params: { alt: 'media', ...(version === undefined ? {} : { generation: version.generation }) },
      headers: range === undefined ? {} : { Range: range },
      stream: true,
    });
    const { data, headers, status } = answer;
    const length = Number(headers['content-length'] ?? 'missing');
    if (!(data instanceof Readable) || !Number.isSafeInteger(length) || !isAnswerTo(range, { length, range: headers['content-range'] })) {
      if (data instanceof Readable) data.destroy();
      throw this.#bucket.notAStore(call);
    }
    // Google's checksum is that of the whole object.
    const checksum = range === undefined && status === 200 ? checksumFrom(headers['x-goog-hash'], client) : undefined;
    return { length, body: readBody(this.#bucket, data, { ...call, length, idleMs: limits.idleMs, checksum }) };
  }
}
