import { Remote } from '../remote.ts';
import type { RemoteCall, RemoteLimits } from '../remote.ts';
import type { ConfiguredContainer, ContainerClient } from './client.ts';
import { answerOf, azureError } from './errors.ts';

/** A container as the driver sees it. */
export class AzureContainer extends Remote {
  readonly client: ContainerClient;
  readonly sendsBlocks: boolean;
  readonly #name: string;
  readonly #configured: ConfiguredContainer;

  constructor(vault: string, container: string, prefix: string, configured: ConfiguredContainer, limits: RemoteLimits) {
    super({ vault, place: `container ${container}`, prefix, kind: 'Azure Blob Storage', limits });
    this.client = configured.container;
    this.sendsBlocks = configured.sendsBlocks;
    this.#name = container;
    this.#configured = configured;
  }

  /** The object. */
  blob(key: string) {
    return this.client.getBlockBlobClient(this.fullKey(key));
  }

  /** One version of the object, or what is current. */
  version(key: string, version: string | undefined) {
    const blob = this.client.getBlobClient(this.fullKey(key));
    return version === undefined ? blob : blob.withVersion(version);
  }

  destroy(): void {
    this.#configured.destroy();
  }

  override async explain(error: unknown, call: RemoteCall): Promise<unknown> {
    if (call.signal?.aborted === true) return call.signal.reason;
    const missing = answerOf(error).name === 'ContainerNotFound';
    return azureError(error, {
      vault: this.vault,
      subject: missing ? `container ${this.#name}` : this.subject(call),
      key: missing ? undefined : call.key,
      doing: call.doing,
      redact: this.#configured.redact,
    });
  }
}
