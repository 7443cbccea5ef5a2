import { withDeadline } from '../deadline.ts';
import type { Deadline } from '../deadline.ts';
import { VaultError } from '../errors.ts';
import type { ConfiguredClient } from './client.ts';
import { answerOf, s3Error } from './errors.ts';
import type { S3Doing } from './errors.ts';
import { raceAbort } from '../streams.ts';

/** Bounds of single calls; the defaults suit any network that is of use for backups. */
export interface S3Limits {
  /** For an answer to begin. */
  readonly answerMs: number;
  /** Added for the bytes a request carries: anything slower counts as broken. */
  readonly bytesPerSecond: number;
  /** For the next byte of a body that is being read. */
  readonly idleMs: number;
  /** Larger objects are stored in parts of this size. */
  readonly partSize: number;
  /** Parts under way at once; each is held in memory. */
  readonly partsAtOnce: number;
}

export const DEFAULT_S3_LIMITS: S3Limits = {
  answerMs: 30_000,
  bytesPerSecond: 64 * 1024,
  idleMs: 30_000,
  partSize: 16 * 1024 * 1024,
  partsAtOnce: 3,
};

/** One call to the server. */
export interface BucketCall {
  readonly doing: S3Doing;
  readonly key?: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** Bytes the request carries. */
  readonly bytes?: number;
  /** Instead of the usual time for an answer. */
  readonly answerMs?: number;
}

/** A bucket as the driver sees it: calls with deadlines, and failures as vault errors. */
export class S3Bucket {
  readonly vault: string;
  readonly bucket: string;
  readonly limits: S3Limits;
  readonly sdk: ConfiguredClient['sdk'];
  readonly client: ConfiguredClient['client'];
  /** Known to keep versions: an object that is deleted without naming one is only hidden. */
  keepsVersions = false;
  readonly #configured: ConfiguredClient;
  readonly #prefix: string;
  #seen = false;

  constructor(vault: string, bucket: string, prefix: string, configured: ConfiguredClient, limits: S3Limits) {
    this.vault = vault;
    this.bucket = bucket;
    this.limits = limits;
    this.sdk = configured.sdk;
    this.client = configured.client;
    this.#configured = configured;
    this.#prefix = prefix;
  }

  /** The name of an object in the bucket. */
  fullKey(key: string): string {
    return this.#prefix + key;
  }

  /** What `fullKey` was given for this name. */
  ownKey(name: string): string {
    return name.slice(this.#prefix.length);
  }

  /**
   * Makes one call. Rejects with the caller's reason when its signal fires, with `LB_VAULT_UNAVAILABLE` when the
   * answer takes too long; what the SDK throws passes through, for `explain`.
   */
  async call<T>(call: BucketCall, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { limits } = this;
    const ms = (call.answerMs ?? limits.answerMs) + Math.ceil(((call.bytes ?? 0) / limits.bytesPerSecond) * 1000);
    return withDeadline(ms, call.signal, async (deadline: Deadline) => {
      try {
        const answer = await raceAbort(send(deadline.signal), deadline.signal);
        this.#seen = true;
        return answer;
      } catch (error) {
        call.signal?.throwIfAborted();
        if (deadline.passed()) throw this.tooSlow(call, ms);
        throw error;
      }
    });
  }

  /** The failure of a call that was not answered in time. */
  tooSlow(call: Pick<BucketCall, 'doing' | 'key'>, ms: number): VaultError {
    const what = call.key ?? `bucket ${this.bucket}`;
    return new VaultError('LB_VAULT_UNAVAILABLE', this.vault, `No answer within ${ms / 1000} s, ${call.doing} ${what}`, {
      key: call.key,
      hint: 'Check `endpoint` and the network.',
    });
  }

  /** The failure of a call whose answer no S3 store would give. */
  notAStore(call: Pick<BucketCall, 'doing' | 'key'>): VaultError {
    const what = call.key ?? `bucket ${this.bucket}`;
    return new VaultError('LB_VAULT_UNSUPPORTED', this.vault, `The answer is not that of an S3 store, ${call.doing} ${what}`, {
      key: call.key,
      hint: 'Check `endpoint`; docs/vaults.md says what a store must be able to do.',
    });
  }

  /**
   * The error to throw for one that was caught. The answer to a HEAD has no body, so that a missing bucket looks like
   * a missing object: the bucket is asked for then, unless it has answered before.
   */
  async explain(error: unknown, call: BucketCall): Promise<unknown> {
    if (call.signal?.aborted === true) return call.signal.reason;
    const answer = answerOf(error);
    if (answer.status !== undefined) await this.#configured.learnSecrets();
    const { vault, bucket } = this;
    const failure = { vault, bucket, key: call.key, doing: call.doing, redact: this.#configured.redact };
    if (answer.status === 404 && answer.name !== 'NoSuchKey' && !this.#seen) {
      const missing = await this.#checkBucket(call.signal);
      if (missing !== undefined) return s3Error(missing, { ...failure, key: undefined });
    }
    return s3Error(error, failure);
  }

  /** The SDK's error when the bucket is certainly not there, under the name that a HEAD cannot give it. */
  async #checkBucket(signal: AbortSignal | undefined): Promise<unknown> {
    try {
      await this.call({ doing: 'finding', signal }, (abortSignal) =>
        this.client.send(new this.sdk.HeadBucketCommand({ Bucket: this.bucket }), { abortSignal }),
      );
      return undefined;
    } catch (error) {
      const { status } = answerOf(error);
      return status === 404 ? { name: 'NoSuchBucket', $metadata: { httpStatusCode: status } } : undefined;
    }
  }
}
