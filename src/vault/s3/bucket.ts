import { Remote } from '../remote.ts';
import type { RemoteCall, RemoteLimits } from '../remote.ts';
import type { ConfiguredClient } from './client.ts';
import { answerOf, s3Error } from './errors.ts';

/** A bucket as the driver sees it. */
export class S3Bucket extends Remote {
  readonly bucket: string;
  readonly sdk: ConfiguredClient['sdk'];
  readonly client: ConfiguredClient['client'];
  /** Known to keep versions: an object that is deleted without naming one is only hidden. */
  keepsVersions = false;
  readonly #configured: ConfiguredClient;

  constructor(vault: string, bucket: string, prefix: string, configured: ConfiguredClient, limits: RemoteLimits) {
    super({ vault, place: `bucket ${bucket}`, prefix, kind: 'an S3 store', limits });
    this.bucket = bucket;
    this.sdk = configured.sdk;
    this.client = configured.client;
    this.#configured = configured;
  }

  /**
   * The answer to a HEAD has no body, so that a missing bucket looks like a missing object: the bucket is asked for
   * then, unless it has answered before.
   */
  override async explain(error: unknown, call: RemoteCall): Promise<unknown> {
    if (call.signal?.aborted === true) return call.signal.reason;
    const answer = answerOf(error);
    if (answer.status !== undefined) await this.#configured.learnSecrets();
    const { vault, bucket } = this;
    const failure = { vault, bucket, key: call.key, doing: call.doing, redact: this.#configured.redact };
    if (answer.status === 404 && answer.name !== 'NoSuchKey' && !this.answered) {
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
