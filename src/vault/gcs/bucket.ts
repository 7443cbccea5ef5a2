import type { z } from 'zod';
import { Remote } from '../remote.ts';
import type { RemoteCall, RemoteLimits } from '../remote.ts';
import type { GcsAnswer, GcsClient, GcsRequest } from './client.ts';
import { gcsError, GcsRefusal, isBucketMissing } from './errors.ts';

/** A bucket as the driver sees it. */
export class GcsBucket extends Remote {
  readonly client: GcsClient;
  readonly #bucket: string;

  constructor(vault: string, bucket: string, prefix: string, client: GcsClient, limits: RemoteLimits) {
    super({ vault, place: `bucket ${bucket}`, prefix, kind: 'Google Cloud Storage', limits });
    this.client = client;
    this.#bucket = bucket;
  }

  /** Where the bucket's objects are, or one of them. */
  path(key?: string): string {
    const objects = `/storage/v1/b/${this.#bucket}/o`;
    return key === undefined ? objects : `${objects}/${encodeURIComponent(this.fullKey(key))}`;
  }

  /** Where uploads begin. */
  uploadPath(): string {
    return `/upload${this.path()}`;
  }

  /** Makes one call and gives the answer when its status is 2xx, or one of `also`. Rejects as `call` does, with `GcsRefusal` for other answers. */
  async send(call: RemoteCall, request: GcsRequest, also: readonly number[] = []): Promise<GcsAnswer> {
    return this.call(call, async (signal) => {
      const answer = await this.client.send(request, signal);
      const { status } = answer;
      if ((status >= 200 && status < 300) || also.includes(status)) return answer;
      throw new GcsRefusal(answer);
    });
  }

  /** The answer's data, checked. Throws `LB_VAULT_UNSUPPORTED` when no such store would give it. */
  checked<T>(schema: z.ZodType<T>, data: unknown, call: RemoteCall): T {
    const parsed = schema.safeParse(data);
    if (parsed.success) return parsed.data;
    throw this.notAStore(call);
  }

  override async explain(error: unknown, call: RemoteCall): Promise<unknown> {
    if (call.signal?.aborted === true) return call.signal.reason;
    const failure = { vault: this.vault, subject: this.subject(call), key: call.key, doing: call.doing };
    const unclear = error instanceof GcsRefusal && error.status === 404 && !this.answered && !isBucketMissing(error.message);
    if (unclear && (await this.#isMissing(call.signal))) {
      const missing = new GcsRefusal({ status: 404, headers: {}, data: { error: { message: 'The bucket does not exist' } } });
      return gcsError(missing, { ...failure, subject: `bucket ${this.#bucket}`, key: undefined });
    }
    return gcsError(error, failure);
  }

  /** True when the bucket is certainly not there. */
  async #isMissing(signal: AbortSignal | undefined): Promise<boolean> {
    const request: GcsRequest = { method: 'GET', url: `/storage/v1/b/${this.#bucket}`, params: { fields: 'name' } };
    try {
      await this.send({ doing: 'finding', signal }, request);
      return false;
    } catch (error) {
      return error instanceof GcsRefusal && error.status === 404;
    }
  }
}
