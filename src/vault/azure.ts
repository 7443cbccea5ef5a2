import { createHash, getFips } from 'node:crypto';
import { Readable } from 'node:stream';
import { isLifeboatError } from '../core/errors.ts';
import { configureContainer } from './azure/client.ts';
import { AzureContainer } from './azure/container.ts';
import { deleteObject, uncoverFirst } from './azure/delete.ts';
import { answerOf, saysItExists } from './azure/errors.ts';
import { policyUntil, retainFirstVersion } from './azure/lock.ts';
import type { AzureLockMode } from './azure/lock.ts';
import { storeInBlocks, storeStreamed, storeWhole } from './azure/upload.ts';
import type { AzurePolicy } from './azure/upload.ts';
import { blobsOf, byObject, isShadowed, versionsOf } from './azure/versions.ts';
import type { AzureBlob } from './azure/versions.ts';
import { DEFAULT_RETRY } from './backoff.ts';
import type { RetryPolicy } from './backoff.ts';
import { readBody } from './body.ts';
import type { Checksum } from './body.ts';
import type { AzureVaultConfig } from './config.ts';
import { checkKey, checkPrefix, lockUnsupported, objectMissing } from './errors.ts';
import { isAnswerTo, resolveRange } from './range.ts';
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

/** What opening an Azure vault can be told beside its configuration. */
export interface AzureVaultOptions {
  readonly limits?: Partial<RemoteLimits>;
  /** How the blocks of a large upload are tried again. Whole calls are not: that is the retry decorator's work. */
  readonly partRetry?: RetryPolicy;
  /** Where credentials are looked up that `credentials` names. Default: this process's environment. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Bodies above this are sent only after a look whether the object exists: it saves the transfer. */
const LOOK_FIRST = 1024 * 1024;

/** Objects up to this many parts' sizes are sent whole, which takes one call instead of several. */
const WHOLE_PARTS = 2;

/** The largest range of which Azure computes a checksum (Get Blob, "x-ms-range-get-content-md5"). */
const CHECKED_RANGE = 4 * 1024 * 1024;

/**
 * Opens a container of Azure Blob Storage, or a prefix of it, as a vault. Sends nothing: a container that is missing or refuses
 * the credentials shows at the first call. Throws `LB_VAULT_ACCESS` when a credential that is named is not set.
 */
export async function openAzureVault(config: AzureVaultConfig, options: AzureVaultOptions = {}): Promise<Vault> {
  const configured = await configureContainer(config, options.env ?? process.env);
  const prefix = config.prefix === undefined ? '' : `${config.prefix}/`;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const container = new AzureContainer(config.name, config.container, prefix, configured, limits);
  const location = `azure ${configured.endpoint}/${config.container}${config.prefix === undefined ? '' : `/${config.prefix}`}`;
  const lockMode = config.lock !== true ? undefined : config.lockMode === 'governance' ? 'Unlocked' : 'Locked';
  return new AzureVault(config.name, location, container, { lockMode, partRetry: options.partRetry ?? DEFAULT_RETRY });
}

interface AzureVaultSettings {
  /** How objects are locked; undefined when they are not. */
  readonly lockMode: AzureLockMode | undefined;
  readonly partRetry: RetryPolicy;
}

class AzureVault implements Vault {
  readonly name: string;
  readonly location: string;
  readonly locks: boolean;
  readonly #container: AzureContainer;
  readonly #settings: AzureVaultSettings;

  constructor(name: string, location: string, container: AzureContainer, settings: AzureVaultSettings) {
    this.name = name;
    this.location = location;
    this.locks = settings.lockMode !== undefined;
    this.#container = container;
    this.#settings = settings;
  }

  async put(key: string, body: VaultBody, { signal, retainUntil }: PutOptions = {}): Promise<PutOutcome> {
    checkKey(this.name, key);
    const policy = this.#policyFor(key, retainUntil);
    const reader = new BodyReader(body, signal);
    const doing = policy === undefined ? 'storing' : 'storing and locking';
    const call = { doing, key, signal, bytes: reader.size } as const;
    try {
      if (reader.size > LOOK_FIRST && (await this.#isThere(key, call))) return 'exists';
      const isLarge = reader.size > WHOLE_PARTS * this.#container.limits.partSize;
      if (isLarge && this.#container.sendsBlocks) {
        await storeInBlocks(this.#container, { key, reader, signal, policy, retry: this.#settings.partRetry });
      } else if (isLarge) {
        await storeStreamed(this.#container, reader, policy, call);
      } else {
        const bytes = body instanceof Uint8Array ? body : await collect(reader.parts(), reader.size);
        await storeWhole(this.#container, bytes, policy, call);
      }
      return 'created';
    } catch (error) {
      if (reader.failure !== undefined) throw reader.failure.error;
      if (saysItExists(error)) return 'exists';
      const explained = await this.#container.explain(error, call);
      // Who may only create is refused where there is something already, by some servers without saying why.
      if (isLifeboatError(explained, 'LB_VAULT_ACCESS') && (await this.#isThere(key, call))) return 'exists';
      throw explained;
    }
  }

  async get(key: string, options: GetOptions = {}): Promise<VaultObject> {
    checkKey(this.name, key);
    const { signal, original, offset = 0, length } = options;
    const call: RemoteCall = { doing: 'reading', key, signal };
    resolveRange(0, options);
    try {
      const first = original === true ? await this.#genuine(key, signal) : undefined;
      let range = { offset, length };
      // Azure has no way to count from the end, nor to ask for no bytes of an object.
      if (offset < 0 || length === 0) {
        const { start, end } = resolveRange(first?.size ?? (await this.#sizeOf(key, signal)), options);
        if (start === end) return { length: 0, body: empty() };
        range = { offset: start, length: end - start };
      }
      return await this.#read(key, range, first, call);
    } catch (error) {
      // The range begins at or after the end; so the object exists.
      if (answerOf(error).status === 416) return { length: 0, body: empty() };
      throw await this.#container.explain(error, call);
    }
  }

  async head(key: string, { signal, original }: ReadOptions = {}): Promise<ObjectInfo | undefined> {
    checkKey(this.name, key);
    const call: RemoteCall = { doing: 'finding', key, signal };
    try {
      const versions = original === true ? await this.#versions(key, signal) : undefined;
      const version = versions?.[0].version;
      const answer = await this.#container.call(call, (abortSignal) =>
        this.#container.version(key, version).getProperties({ abortSignal }),
      );
      if (answer.etag === undefined || answer.contentLength === undefined) throw this.#container.notAStore(call);
      const shadowed = versions !== undefined && isShadowed(versions);
      const info = { key, size: answer.contentLength, ...(shadowed && { shadowed: true as const }) };
      const until = this.locks ? answer.immutabilityPolicyExpiresOn : undefined;
      return until === undefined ? info : { ...info, retainUntil: until };
    } catch (error) {
      const explained = await this.#container.explain(error, call);
      if (isLifeboatError(explained, 'LB_VAULT_OBJECT_MISSING')) return undefined;
      throw explained;
    }
  }

  async *list(prefix: string, options: ListOptions = {}): AsyncGenerator<ObjectInfo, void, undefined> {
    checkPrefix(this.name, prefix);
    const { startAfter = '', signal, original = false } = options;
    const call: RemoteCall = { doing: original ? 'listing the versions of' : 'listing', signal };
    const listing = { prefix, versions: original, ...(startAfter === '' ? {} : { from: startAfter }) };
    const blobs = blobsOf(this.#container, listing, call);
    if (!original) {
      for await (const { key, size } of blobs) if (key > startAfter) yield { key, size };
      return;
    }
    for await (const versions of byObject(blobs)) {
      const [{ key, size }] = versions;
      if (key > startAfter) yield { key, size, ...(isShadowed(versions) && { shadowed: true }) };
    }
  }

  async retain(key: string, until: Date, { signal }: CallOptions = {}): Promise<void> {
    checkKey(this.name, key);
    const { lockMode: mode } = this.#settings;
    if (mode === undefined) throw lockUnsupported(this.name, key);
    await retainFirstVersion(this.#container, key, { mode, until }, signal);
  }

  async delete(key: string, { signal }: CallOptions = {}): Promise<void> {
    checkKey(this.name, key);
    await deleteObject(this.#container, key, signal);
  }

  async uncover(key: string, { signal }: CallOptions = {}): Promise<number> {
    checkKey(this.name, key);
    return uncoverFirst(this.#container, key, signal);
  }

  async close(): Promise<void> {
    this.#container.destroy();
  }

  #policyFor(key: string, until: Date | undefined): AzurePolicy | undefined {
    const { lockMode } = this.#settings;
    if (until === undefined) return undefined;
    if (lockMode === undefined) throw lockUnsupported(this.name, key);
    return policyUntil(lockMode, until);
  }

  /** The version of an object that was stored first. Throws `LB_VAULT_OBJECT_MISSING`. */
  async #genuine(key: string, signal: AbortSignal | undefined): Promise<AzureBlob> {
    const [first] = await this.#versions(key, signal);
    return first;
  }

  /** All versions, oldest first. Throws `LB_VAULT_OBJECT_MISSING`. */
  async #versions(key: string, signal: AbortSignal | undefined): Promise<readonly [AzureBlob, ...AzureBlob[]]> {
    const [first, ...later] = await versionsOf(this.#container, key, signal);
    if (first === undefined) throw objectMissing(this.name, key);
    return [first, ...later];
  }

  async #sizeOf(key: string, signal: AbortSignal | undefined): Promise<number> {
    const info = await this.head(key, { signal });
    if (info === undefined) throw objectMissing(this.name, key);
    return info.size;
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

  async #read(
    key: string,
    { offset, length }: { readonly offset: number; readonly length: number | undefined },
    version: AzureBlob | undefined,
    call: RemoteCall,
  ): Promise<VaultObject> {
    const whole = offset === 0 && length === undefined;
    const checked = getFips() === 0 && (whole || (length ?? Number.POSITIVE_INFINITY) <= CHECKED_RANGE);
    const answer = await this.#container.call(call, (abortSignal) =>
      this.#container.version(key, version?.version).download(offset, length, {
        abortSignal,
        // A body that breaks off is continued by the retry decorator.
        maxRetryRequests: 0,
        ...(checked && !whole ? { rangeGetContentMD5: true } : {}),
      }),
    );
    const { readableStreamBody: body, contentLength } = answer;
    const asked = whole ? undefined : `bytes=${offset}-`;
    if (!(body instanceof Readable) || contentLength === undefined || !isAnswerTo(asked, { length: contentLength, range: answer.contentRange })) {
      if (body instanceof Readable) body.destroy();
      throw this.#container.notAStore(call);
    }
    const checksum = checked && answer.contentMD5 !== undefined ? md5Of(answer.contentMD5) : undefined;
    const { idleMs } = this.#container.limits;
    return { length: contentLength, body: readBody(this.#container, body, { ...call, length: contentLength, idleMs, checksum }) };
  }
}

function md5Of(expected: Uint8Array): Checksum {
  const hash = createHash('md5');
  return { update: (bytes) => hash.update(bytes), matches: () => Buffer.compare(hash.digest(), expected) === 0 };
}
